"""A cluster as the probes see it: plain HTTP for what is asked byte by byte, and the official client."""

from __future__ import annotations

import json
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
from kubernetes import client

from tests.contract.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Generator

    from tests.parts.kube_apiserver import KubeApiServer

MERGE = "application/merge-patch+json"
JSON = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class Answer:
    """A response, its body read as JSON."""

    code: int
    body: dict[str, Any]
    warnings: list[str]

    @property
    def reason(self) -> str:
        return str(self.body.get("reason"))

    @property
    def causes(self) -> list[dict[str, str]]:
        listed: list[dict[str, str]] = self.body.get("details", {}).get("causes", [])
        return listed


class Cluster:
    """One server and the credentials of its administrator."""

    def __init__(self, url: str, *, token: str, ca_path: str | None = None) -> None:
        self.url = url
        self.token = token
        self.ca_path = ca_path
        verify = ssl.create_default_context(cafile=ca_path) if ca_path else False
        headers = {"Authorization": f"Bearer {token}", "User-Agent": "probe/1"}
        self._http = httpx.Client(base_url=url, verify=verify, headers=headers, timeout=PATIENCE)

    @classmethod
    def of(cls, server: KubeApiServer) -> Cluster:
        return cls(server.url, token=server.token, ca_path=str(server.ca_path))

    def close(self) -> None:
        self._http.close()

    def ask(self, method: str, path: str, body: Any = None, *, media: str = "application/json", **query: Any) -> Answer:
        content = None if body is None else body if isinstance(body, str) else json.dumps(body)
        response = self._http.request(method, path, content=content, params=query, headers={"Content-Type": media})
        is_json = "json" in response.headers.get("Content-Type", "")
        read = response.json() if is_json else {"text": response.text}
        return Answer(response.status_code, read, response.headers.get_list("Warning"))

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._expect(self.ask("GET", path, **query))

    def create(self, path: str, body: Any, **query: Any) -> dict[str, Any]:
        return self._expect(self.ask("POST", path, body, **query))

    def put(self, path: str, body: Any, **query: Any) -> dict[str, Any]:
        return self._expect(self.ask("PUT", path, body, **query))

    def patch(self, path: str, body: Any, *, media: str = MERGE, **query: Any) -> dict[str, Any]:
        return self._expect(self.ask("PATCH", path, body, media=media, **query))

    def delete(self, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        return self._expect(self.ask("DELETE", path, body, **query))

    def events(self, path: str, **query: Any) -> Generator[dict[str, Any], None, None]:
        """The events of a watch as they come, until the server ends it."""
        with self._http.stream("GET", path, params={"watch": "1", "timeoutSeconds": "30", **query}) as stream:
            for line in stream.iter_lines():
                if line:
                    yield json.loads(line)

    def api_client(self) -> client.ApiClient:
        """The official client, to be closed by who asked for it."""
        made: Any = client.Configuration(host=self.url)
        made.api_key = {"authorization": f"Bearer {self.token}"}
        made.ssl_ca_cert = self.ca_path
        return client.ApiClient(made)

    def _expect(self, answer: Answer) -> dict[str, Any]:
        assert answer.code < 300, answer.body
        return answer.body
