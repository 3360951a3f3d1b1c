"""What is stored: the current objects, one counter of revisions, and a window of changes."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.problems import gone

if TYPE_CHECKING:
    from bot.sandbox.kubernetes.kinds import Kind

Document = dict[str, Any]
Key = tuple[str, str]

FIRST_REVISION = 100  # a client that resumes from a made-up small revision learns that it is too old
WINDOW = 2_000
SNAPSHOTS = 16


@dataclass(frozen=True)
class Change:
    """One write: the object after it (at deletion: its last form) and before it."""

    revision: int
    type: str
    kind: Kind
    current: Document
    previous: Document | None


class Store:
    """Documents handed in and out are never changed in place; each write stores a new one."""

    def __init__(self) -> None:
        self._objects: dict[Kind, dict[Key, Document]] = {}
        self._changes: deque[Change] = deque(maxlen=WINDOW)
        self._snapshots: deque[tuple[int, Kind, list[Document]]] = deque(maxlen=SNAPSHOTS)
        self._news = asyncio.Event()
        self.revision = FIRST_REVISION

    def get(self, kind: Kind, namespace: str, name: str) -> Document | None:
        """The current object, if there is one."""
        return self._objects.get(kind, {}).get((namespace, name))

    def items(self, kind: Kind, namespace: str = "") -> list[Document]:
        """The objects of a namespace, or of all, in the order of their keys."""
        found = self._objects.get(kind, {})
        return [found[key] for key in sorted(found) if not namespace or key[0] == namespace]

    def everything(self) -> list[tuple[Kind, Document]]:
        """All objects with their kinds."""
        return [(kind, each) for kind, found in self._objects.items() for each in found.values()]

    def put(self, kind: Kind, document: Document) -> Document:
        """Store under the next revision and return what was stored."""
        key = _key(document)
        objects = self._objects.setdefault(kind, {})
        previous = objects.get(key)
        stored = self._stamped(document)
        objects[key] = stored
        self._record("ADDED" if previous is None else "MODIFIED", kind, stored, previous)
        return stored

    def remove(self, kind: Kind, document: Document) -> None:
        """Delete; watchers see `document` under the revision of the deletion."""
        previous = self._objects[kind].pop(_key(document))
        self._record("DELETED", kind, self._stamped(document), previous)

    def since(self, revision: int) -> list[Change]:
        """The changes after a revision; refused when the window has moved past it."""
        oldest = self.revision - len(self._changes)
        if revision < oldest:
            raise gone(f"too old resource version: {revision} ({oldest})")
        return list(islice(self._changes, revision - oldest, None))

    @property
    def news(self) -> asyncio.Event:
        """Set by the next write; take it before looking, wait after."""
        return self._news

    def remember(self, kind: Kind, items: list[Document]) -> None:
        """Keep a list for the pages that are still to be read of it."""
        self._snapshots.append((self.revision, kind, items))

    def remembered(self, kind: Kind, revision: int) -> list[Document]:
        """The list of an earlier first page; refused once forgotten."""
        for taken, of, items in self._snapshots:
            if (taken, of) == (revision, kind):
                return items
        raise gone(
            "The provided continue parameter is too old to display a consistent list result. "
            "You can start a new list without the continue parameter."
        )

    def _stamped(self, document: Document) -> Document:
        metadata = {**document["metadata"], "resourceVersion": str(self.revision + 1)}
        return {**document, "metadata": metadata}

    def _record(self, type_: str, kind: Kind, current: Document, previous: Document | None) -> None:
        self.revision += 1
        self._changes.append(Change(self.revision, type_, kind, current, previous))
        self._news.set()
        self._news = asyncio.Event()


def _key(document: Document) -> Key:
    metadata = document["metadata"]
    return metadata.get("namespace", ""), metadata["name"]
