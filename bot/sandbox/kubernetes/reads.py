"""Lists, their pages, and watches."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.problems import ApiError, bad_request
from bot.sandbox.kubernetes.selectors import Selection, selection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bot.sandbox.kubernetes.store import Change, Document, Store
    from bot.sandbox.kubernetes.writes import Target

WATCH_SECONDS = 1800.0
BOOKMARK_SECONDS = 60.0
BEFORE_TIMEOUT = 2.0
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(frozen=True)
class Query:
    """What a list's or watch's query asks for."""

    selection: Selection
    revision: int | None
    exact: bool
    limit: int
    page: str
    bookmarks: bool
    initial_events: bool
    seconds: float

    @classmethod
    def read(cls, target: Target, query: Mapping[str, str]) -> Query:
        """From the URL; refused when a part cannot be read."""
        fields = query.get("fieldSelector", "")
        chosen = selection(
            target.kind, labels=query.get("labelSelector", ""), fields=fields, namespace=target.namespace
        )
        return cls(
            chosen,
            _revision(query.get("resourceVersion", "")),
            query.get("resourceVersionMatch") == "Exact",
            _number(query, "limit", 0),
            query.get("continue", ""),
            truth(query.get("allowWatchBookmarks", "")),
            truth(query.get("sendInitialEvents", "")),
            _number(query, "timeoutSeconds", 0) or WATCH_SECONDS,
        )


def truth(text: str) -> bool:
    """A boolean of a query."""
    return text.lower() in ("1", "true")


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdigit():
        raise bad_request(f"{name}: {text!r} is not a number")
    return int(text)


def _revision(text: str) -> int | None:
    if not text:
        return None
    if not text.isdigit():
        raise bad_request(f'invalid resource version: resourceVersion: Invalid value: "{text}"')
    return int(text)


class Reader:
    """Answers that change nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def page(self, target: Target, query: Query) -> Document:
        """The list document, or one page of it."""
        revision, start = self._store.revision, ""
        if query.page:
            revision, start = _page(query.page)
            chosen = self._store.remembered(target.kind, revision)
        else:
            self._refuse_future(query)
            chosen = self._store.items(target.kind, target.namespace)
        chosen = [each for each in chosen if query.selection.takes(each) and _place(each) >= start]
        metadata: Document = {"resourceVersion": str(revision)}
        if query.limit and len(chosen) > query.limit:
            if not query.page:
                self._store.remember(target.kind, self._store.items(target.kind))
            metadata["continue"] = _token(revision, _place(chosen[query.limit]))
            metadata["remainingItemCount"] = len(chosen) - query.limit
            chosen = chosen[: query.limit]
        return {
            "kind": f"{target.kind.name}List",
            "apiVersion": target.kind.api_version(target.version),
            "metadata": metadata,
            "items": [_listed(target, each) for each in chosen],
        }

    def _refuse_future(self, query: Query) -> None:
        if query.revision is not None and query.revision > self._store.revision:
            causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
            message = f"Timeout: Too large resource version: {query.revision}, current: {self._store.revision}"
            told = {"causes": causes, "retryAfterSeconds": 1}
            raise ApiError(504, "Timeout", message, details=told)

    async def watch(self, target: Target, query: Query) -> AsyncIterator[list[Document]]:
        """Batches of events until the time is up; history that is forgotten ends it with an ERROR event."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + query.seconds
        seen = self._store.revision if not query.revision else query.revision
        opening = self._opening(target, query)
        if opening:
            yield opening
        told = seen
        bookmark = _next_bookmark(loop.time(), deadline)
        while True:
            try:
                changes = self._store.since(seen) if seen < self._store.revision else []
            except ApiError as expired:
                yield [{"type": "ERROR", "object": expired.status}]
                return
            seen = max(seen, self._store.revision)
            events = [event for change in changes if (event := _event(target, query.selection, change))]
            if events:
                told = seen
                yield events
            remaining = min(bookmark if query.bookmarks else deadline, deadline) - loop.time()
            if seen < self._store.revision:
                continue
            news = self._store.news
            try:
                async with asyncio.timeout(max(remaining, 0.0)):
                    await news.wait()
            except TimeoutError:
                if loop.time() >= deadline:
                    return
                if seen > told:
                    told = seen
                    yield [_bookmark(target, seen)]
                bookmark = _next_bookmark(loop.time(), deadline)

    def _opening(self, target: Target, query: Query) -> list[Document]:
        if query.revision and not query.initial_events:
            return []
        chosen = self._store.items(target.kind, target.namespace)
        events: list[Document] = [
            {"type": "ADDED", "object": target.shown(each)} for each in chosen if query.selection.takes(each)
        ]
        if query.initial_events and query.bookmarks:
            end = _bookmark(target, self._store.revision)
            end["object"]["metadata"]["annotations"] = {INITIAL_EVENTS_END: "true"}
            events.append(end)
        return events


def _listed(target: Target, document: Document) -> Document:
    """Elements of a list say their kind and version only where a definition made them."""
    if target.kind.custom:
        return target.shown(document)
    return {key: value for key, value in document.items() if key not in ("kind", "apiVersion")}


def _next_bookmark(time: float, deadline: float) -> float:
    """Every minute, and once shortly before the stream ends."""
    last = deadline - BEFORE_TIMEOUT
    return min(last, time + BOOKMARK_SECONDS) if last > time else time + BOOKMARK_SECONDS


def _bookmark(target: Target, revision: int) -> dict[str, Any]:
    bare = {
        "kind": target.kind.name,
        "apiVersion": target.kind.api_version(target.version),
        "metadata": {"resourceVersion": str(revision), "creationTimestamp": None},
    }
    return {"type": "BOOKMARK", "object": bare}


def _event(target: Target, chosen: Selection, change: Change) -> Document | None:
    if change.kind is not target.kind:
        return None
    is_in = change.type != "DELETED" and chosen.takes(change.current)
    was_in = chosen.takes(change.previous)
    if is_in:
        return {"type": "MODIFIED" if was_in else "ADDED", "object": target.shown(change.current)}
    if not was_in or change.previous is None:
        return None
    # An object that leaves the selection is shown as it was, under the revision at which it left.
    gone = change.current if change.type == "DELETED" else change.previous
    metadata = {**gone["metadata"], "resourceVersion": str(change.revision)}
    return {"type": "DELETED", "object": target.shown({**gone, "metadata": metadata})}


def _place(document: Document) -> str:
    metadata = document["metadata"]
    # Nought sorts before every letter of a name, so this order is the store's own.
    return f"{metadata.get('namespace', '')}\0{metadata['name']}"


def _token(revision: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _page(token: str) -> tuple[int, str]:
    try:
        read = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(read["rv"]), str(read["start"])
    except (binascii.Error, UnicodeDecodeError, ValueError, KeyError, TypeError) as wrong:
        raise bad_request(f"invalid continue token: continue key is not valid: {wrong}") from wrong
