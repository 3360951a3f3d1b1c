"""Instant queries over prometheus-api-client: POST, a timeout, and one sentence for any trouble."""

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from prometheus_api_client.exceptions import PrometheusApiClientException
from prometheus_api_client.prometheus_connect import PrometheusConnect
from urllib3.util import Retry

from bot.metrics.answers import Answer

LONGEST_ERROR = 200


class UnansweredError(Exception):
    """Prometheus gave no result; the text is one sentence without the query."""


class RefusedError(UnansweredError):
    """Prometheus read the query and will not answer it; `reason` is in its own words."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text)
        self.reason = reason


class _Unreadable(PrometheusApiClientException):
    """The answer to a query that is at fault itself."""


class Connection:
    """One Prometheus, asked for instants and ranges; `sent` counts the instants."""

    def __init__(self, url: str, timeout: int, between: Callable[[], None] = lambda: None) -> None:
        """`between` is called between two pieces of a long answer."""
        self.sent = 0
        self._name = _shown(url)
        self._timeout = timeout
        session = _FormSession()
        # A proxy of the environment must not swallow what stays on this machine.
        session.trust_env = not _is_loopback(url)
        session.hooks["response"] = [_refuse, lambda response, **_: Answer(response, between)]
        # A look that failed is repeated by the next look, not in here.
        self._prometheus = PrometheusConnect(
            url.rstrip("/"), session=session, retry=Retry(0), timeout=timeout, method="POST"
        )

    def ask(self, query: str, at: datetime | None = None, timeout: int | None = None) -> Sequence[Mapping[str, Any]]:
        """The instant vector of `query`; raises UnansweredError for anything but an answer."""
        self.sent += 1
        seconds = timeout or self._timeout
        params = {"timeout": f"{seconds}s"}
        if at is not None:
            params["time"] = f"{at.timestamp():.3f}"
        return self._answered(seconds, lambda: self._prometheus.custom_query(query, params=params, timeout=seconds))

    def ask_range(
        self, query: str, since: datetime, until: datetime, step: timedelta, timeout: int | None = None
    ) -> Sequence[Mapping[str, Any]]:
        """The values of `query` at each step, both ends included; raises UnansweredError for anything but an answer."""
        seconds = timeout or self._timeout
        every, params = f"{step.total_seconds():g}", {"timeout": f"{seconds}s"}
        asked = self._prometheus.custom_query_range
        return self._answered(seconds, lambda: asked(query, since, until, every, params, seconds))

    def metrics(self) -> frozenset[str]:
        """The names of all metrics that Prometheus has."""
        return frozenset(self._called(self._timeout, lambda: self._prometheus.get_label_values("__name__")))

    def _answered(self, seconds: int, ask: Callable[[], Any]) -> Sequence[Mapping[str, Any]]:
        result: Sequence[Mapping[str, Any]] = self._called(seconds, ask)
        return result

    def _called(self, seconds: int, ask: Callable[[], Any]) -> list[Any]:
        try:
            result = ask()
        except requests.Timeout as error:
            text = f"Prometheus at {self._name} did not answer within {seconds} s."
            raise UnansweredError(text) from error
        except requests.ConnectionError as error:
            raise UnansweredError(f"Prometheus at {self._name} is unreachable.") from error
        except _Unreadable as error:
            reason = str(error).partition(", ")[2][:LONGEST_ERROR]
            text = f"Prometheus at {self._name} refused the query: {str(error)[:LONGEST_ERROR]}."
            raise RefusedError(text, reason) from error
        except PrometheusApiClientException as error:
            text = f"Prometheus at {self._name} refused the query: {str(error)[:LONGEST_ERROR]}."
            raise UnansweredError(text) from error
        except (requests.RequestException, KeyError, TypeError, ValueError) as error:
            raise UnansweredError(f"{self._name} did not answer as a Prometheus does.") from error
        if not isinstance(result, list):
            raise UnansweredError(f"{self._name} did not answer as a Prometheus does.")
        return result

    def close(self) -> None:
        """Give the sockets back."""
        self._prometheus.close()


class _FormSession(requests.Session):
    """Moves the parameters of a POST into its body.

    The library puts them into the URL, where a query over a thousand services is longer than proxies allow.
    """

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """The request with a form for a body."""
        if request.method == "POST":
            request.data, request.params = request.params, {}
        return super().prepare_request(request)


def _refuse(response: requests.Response, *_: Any, **__: Any) -> None:
    """Say what Prometheus said; the library would show its raw bytes."""
    if response.status_code == requests.codes.ok:
        return
    reason = _reason(response)
    # Without Prometheus' own words it is something on the way that refuses, whatever is asked.
    is_unreadable = reason and response.status_code in (requests.codes.bad_request, requests.codes.unprocessable_entity)
    kind = _Unreadable if is_unreadable else PrometheusApiClientException
    raise kind(f"HTTP {response.status_code}{reason}")


def _reason(response: requests.Response) -> str:
    try:
        document = response.json()
    except ValueError:
        return ""
    error = document.get("error") if isinstance(document, dict) else None
    return f", {error}" if error else ""


def _shown(url: str) -> str:
    """The address without the user and password it may carry."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
