"""A Kubernetes client of plain documents, for any API server by URL and token."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

MERGE_PATCH = "application/merge-patch+json"
Document = dict[str, Any]

CALL_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=10)  # on a slow machine
TLS_CLOSE_SECONDS = 0.1
WATCH_SECONDS = 60
# The server ends a watch after WATCH_SECONDS; a connection silent for longer than that is dead.
WATCH_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=3, sock_read=WATCH_SECONDS + 15)


@dataclass(frozen=True)
class Resource:
    """One kind of namespaced object, or of cluster-wide ones, by its place in the API."""

    group_version: str
    plural: str

    def path(self, namespace: str | None, name: str | None = None, part: str | None = None) -> str:
        """The URL path of the collection, of one object or of its subresource."""
        root = "/api/v1" if self.group_version == "v1" else f"/apis/{self.group_version}"
        scope = f"/namespaces/{namespace}" if namespace else ""
        tail = "".join(f"/{step}" for step in (name, part) if step)
        return f"{root}{scope}/{self.plural}{tail}"


NAMESPACES = Resource("v1", "namespaces")
PODS = Resource("v1", "pods")
SERVICES = Resource("v1", "services")
DEPLOYMENTS = Resource("apps/v1", "deployments")
VIRTUAL_SERVICES = Resource("networking.istio.io/v1", "virtualservices")
DESTINATION_RULES = Resource("networking.istio.io/v1", "destinationrules")


class ApiError(Exception):
    """The API server refused: HTTP status, its reason and message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason


class KubernetesClient:
    """Lists, watches and writes documents; an async context that owns its connections."""

    def __init__(self, api_url: str, token: str | None = None, ca: Path | None = None) -> None:
        self._url = api_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._ca = ca
        self._open: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        context: ssl.SSLContext | bool = True
        if self._ca is not None:
            context = ssl.create_default_context(cafile=str(self._ca))
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        self._open = aiohttp.ClientSession(connector=connector, headers=self._headers)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            await self._open.close()
            self._open = None
            if self._ca is not None:
                # aiohttp does not wait for TLS connections to be closed; its documentation says to do so here.
                await asyncio.sleep(TLS_CLOSE_SECONDS)

    async def list(self, resource: Resource, namespace: str) -> tuple[list[Document], str]:
        """All objects and the resourceVersion from which a watch continues."""
        answer = await self._call("GET", resource.path(namespace))
        return answer["items"], answer["metadata"]["resourceVersion"]

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Document:
        """One object; ApiError with status 404 when there is none."""
        return await self._call("GET", resource.path(namespace, name))

    async def create(self, resource: Resource, namespace: str | None, body: Document) -> Document:
        """Create an object; ApiError with status 409 when it exists."""
        return await self._call("POST", resource.path(namespace), body)

    async def replace(self, resource: Resource, namespace: str, body: Document) -> Document:
        """PUT an object under its own resourceVersion; ApiError with status 409 when it is stale."""
        return await self._call("PUT", resource.path(namespace, body["metadata"]["name"]), body)

    async def patch_status(self, resource: Resource, namespace: str, name: str, status: Document) -> Document:
        """Merge fields into the status subresource."""
        return await self._call("PATCH", resource.path(namespace, name, "status"), {"status": status})

    async def annotate(self, resource: Resource, namespace: str, name: str, annotations: dict[str, str]) -> Document:
        """Merge annotations into an object."""
        body = {"metadata": {"annotations": annotations}}
        return await self._call("PATCH", resource.path(namespace, name), body)

    async def delete(self, resource: Resource, namespace: str, name: str) -> None:
        """Delete an object at once; one that is already gone is fine."""
        try:
            await self._call("DELETE", resource.path(namespace, name), {"gracePeriodSeconds": 0})
        except ApiError as refusal:
            if refusal.status != 404:
                raise

    async def watch(self, resource: Resource, namespace: str, version: str) -> AsyncGenerator[Document, None]:
        """Watch events after a resourceVersion, bookmarks included, until the server ends the watch."""
        query = {
            "watch": "true",
            "resourceVersion": version,
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(WATCH_SECONDS),
        }
        url = self._url + resource.path(namespace)
        async with self._session.get(url, params=query, timeout=WATCH_TIMEOUT) as answer:
            if answer.status >= 400:
                raise _refusal(answer.status, await answer.read())
            # Split by hand: readline() refuses a document longer than its buffer.
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield json.loads(line)

    @property
    def _session(self) -> aiohttp.ClientSession:
        if self._open is None:
            raise RuntimeError("the client is used outside its context")
        return self._open

    async def _call(self, method: str, path: str, body: Document | None = None) -> Document:
        kind = MERGE_PATCH if method == "PATCH" else "application/json"
        content = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": kind}
        url = self._url + path
        async with self._session.request(method, url, data=content, headers=headers, timeout=CALL_TIMEOUT) as answer:
            text = await answer.read()
            if answer.status >= 400:
                raise _refusal(answer.status, text)
            document: Document = json.loads(text)
            return document


def _refusal(status: int, body: bytes) -> ApiError:
    try:
        told = json.loads(body)
    except ValueError:
        told = {}
    if not isinstance(told, dict):
        told = {}
    return ApiError(status, told.get("reason", "Unknown"), told.get("message", body[:200].decode("utf-8", "replace")))
