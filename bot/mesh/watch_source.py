"""Feeds one informer of the kubernetes library: its lists, its watches, its patience.

The library's informer retries a failed watch at once and forever, gives no call a timeout, and keeps whole pods. This
source waits between attempts, ends a quiet watch in time, and can be stopped within a moment.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from kubernetes.client.exceptions import ApiException

from bot.mesh.documents import Document
from bot.mesh.kube_api import Connection, Kind
from bot.mesh.kube_errors import FORBIDDEN, GONE, NOT_FOUND, UNAUTHORIZED, message_of, reason_of
from bot.mesh.rights import Right

log = logging.getLogger(__name__)

LIST_TIMEOUT = (2.0, 30.0)
CONNECT_SECONDS = 2.0
# The server ends a watch after this time; a connection that is silent for longer is dead.
WATCH_SECONDS = (240, 300)
GRACE_SECONDS = 15.0
REFUSED_PAUSE = 300.0  # of what we can do without: a right that is missing is no hiccup
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
# A server that ends watches faster than this is not asked again at once.
SHORT_WATCH_SECONDS = 1.0
REFUSED = {UNAUTHORIZED, FORBIDDEN, NOT_FOUND}


@dataclass(frozen=True, slots=True)
class _Meta:
    resource_version: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A collection in the shape that the informer reads."""

    items: list[Document]
    metadata: _Meta


class Stopping(ApiException):
    """Ends the informer's loop when the source is stopped."""


class Source:
    """The list function of one informer: called with `watch=True` it streams, otherwise it lists."""

    def __init__(
        self,
        connection: Connection,
        kind: Kind,
        namespace: str | None,
        slim: Callable[[Document], Document],
        *,
        is_optional: bool = False,
        listed: Callable[[], None] = lambda: None,
    ) -> None:
        """`listed` is called once the informer has its first list in its cache."""
        self._listed = listed
        self._is_optional = is_optional
        self._connection = connection
        self._kind = kind
        self._namespace = namespace
        self._slim = slim
        self._version = kind.versions[0]
        self._stopped = threading.Event()
        self._stream: _Stream | None = None
        self._failures = 0
        self._watched_at = 0.0
        self.is_synced = False
        self.broken_since: float | None = time.monotonic()
        self.trouble = "no answer has come yet"
        self.is_refused = False

    @property
    def version(self) -> str:
        """The version of the group that this server offers."""
        return self._version

    def __call__(self, **asked: Any) -> object:
        """List or watch, for the informer.

        :rtype: object
        """
        return self._watch(str(asked["resource_version"])) if asked.get("watch") else self._list()

    def stop(self) -> None:
        """Wake whoever waits and end the open watch."""
        self._stopped.set()
        if self._stream is not None:
            self._stream.shut()

    def _list(self) -> Listing:
        while True:
            self._raise_if_stopped()
            try:
                answer = self._connection.read(self._path(), {}, LIST_TIMEOUT)
            except (ApiException, urllib3.exceptions.HTTPError, ValueError) as problem:
                self._note(problem, "list")
                continue
            self._failures = 0
            self._connection.refusals.clear(self._right("list"))
            items = [self._slim(self._typed(each, answer)) for each in answer.get("items") or []]
            return Listing(items, _Meta(str((answer.get("metadata") or {}).get("resourceVersion") or "0")))

    def _watch(self, resource_version: str) -> "_Stream":
        # The informer asks for its first watch after it has filled its cache from the list.
        if not self.is_synced:
            self.is_synced = True
            self._listed()
        if time.monotonic() - self._watched_at < SHORT_WATCH_SECONDS:
            self._failures = max(self._failures, 1)
            self._stopped.wait(PAUSES[min(self._failures, len(PAUSES)) - 1])
        while True:
            self._raise_if_stopped()
            self._watched_at = time.monotonic()
            try:
                stream = self._open(resource_version)
            except ApiException as problem:
                if problem.status == GONE:
                    raise
                self._note(problem, "watch")
            except urllib3.exceptions.HTTPError as problem:
                self._note(problem, "watch")
            else:
                self._stream, self._failures = stream, 0
                self.broken_since, self.trouble, self.is_refused = None, "", False
                self._connection.refusals.clear(self._right("watch"))
                # A stop between the check above and here has not seen the stream.
                self._raise_if_stopped()
                return stream

    def _open(self, resource_version: str) -> "_Stream":
        seconds = random.randint(*WATCH_SECONDS)  # noqa: S311 - spreads reconnects, hides nothing
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(seconds),
        }
        timeout = (CONNECT_SECONDS, seconds + GRACE_SECONDS)
        return _Stream(self._connection.stream(self._path(), query, timeout), self._lost)

    def _path(self) -> str:
        return self._kind.path(self._version, self._namespace)

    def _right(self, verb: str) -> Right:
        return Right(verb, self._kind.resource, self._namespace)

    def _typed(self, item: Document, answer: Mapping[str, Any]) -> Document:
        # A list names the kind once; its items leave it out.
        kind, api_version = self._kind.name, str(answer.get("apiVersion") or self._version)
        return {"apiVersion": item.get("apiVersion", api_version), "kind": item.get("kind", kind), **item}

    def _raise_if_stopped(self) -> None:
        if self._stopped.is_set():
            if self._stream is not None:
                # The informer has not been given this one, so nobody else closes it.
                self._stream.close()
            raise Stopping(status=0, reason="stopping")

    def _lost(self, problem: BaseException) -> None:
        if not self._stopped.is_set():
            self._say(problem, "watch")

    def _note(self, problem: BaseException, verb: str) -> None:
        """Remember why, then wait before the next attempt; an unserved version gives way to the next older one."""
        status = problem.status if isinstance(problem, ApiException) else None
        self.is_refused = status in REFUSED
        if status == NOT_FOUND:
            versions = self._kind.versions
            self._version = versions[(versions.index(self._version) + 1) % len(versions)]
        self._say(problem, verb)
        pause = PAUSES[min(self._failures, len(PAUSES) - 1)]
        if self._is_optional and status in {FORBIDDEN, NOT_FOUND}:
            pause = REFUSED_PAUSE
        if self._is_optional and status == FORBIDDEN:
            self._connection.refusals.note(self._right(verb))
        self._failures += 1
        self._stopped.wait(pause)

    def _say(self, problem: BaseException, verb: str) -> None:
        where = f"namespace {self._namespace}" if self._namespace else "all namespaces"
        text = reason_of(problem)
        if isinstance(problem, ApiException) and problem.status == FORBIDDEN:
            text = f"{self._right(verb).lacking} ({message_of(problem)})"
        elif isinstance(problem, ApiException) and problem.status == UNAUTHORIZED:
            text = f"it does not accept Sluice's credentials ({message_of(problem)})"
        elif isinstance(problem, ApiException) and problem.status == NOT_FOUND:
            text = f"this cluster has no {self._kind.resource}; is Istio installed? ({message_of(problem)})"
        if text != self.trouble:
            log.warning("%s of %s in %s failed: %s", verb, self._kind.resource, where, text)
        self.trouble = text
        if self.broken_since is None:
            self.broken_since = time.monotonic()


class _Stream:
    """An open watch in the shape that the library reads; a broken connection ends it quietly."""

    def __init__(self, response: urllib3.BaseHTTPResponse, lost: Callable[[BaseException], None]) -> None:
        self._response = response
        self._lost = lost
        self.status = response.status

    def stream(self, amt: int | None = None, *, decode_content: bool = False) -> Iterator[bytes]:
        """Chunks as they come."""
        try:
            yield from self._response.stream(amt, decode_content=decode_content)
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            self._lost(problem)

    def shut(self) -> None:
        """End a read that another thread is blocked in."""
        connection: Any = getattr(self._response, "connection", None)
        socket = getattr(connection, "sock", None)
        if socket is not None:
            try:
                socket.shutdown(2)
            except OSError:
                log.debug("the watch was closed already")

    def close(self) -> None:
        """Let go of the connection."""
        self._response.close()

    def release_conn(self) -> None:
        """Nothing is left to give back: an interrupted watch cannot be reused."""
        self._response.release_conn()
