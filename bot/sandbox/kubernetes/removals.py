"""Deletion: preconditions, finalizers, dependents, and namespaces that empty themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.kinds import NAMESPACE, Kind
from bot.sandbox.kubernetes.problems import Cause, details, invalid, not_found, precondition
from bot.sandbox.kubernetes.writes import Target, now

if TYPE_CHECKING:
    from bot.sandbox.kubernetes.store import Document, Store

FOREGROUND = "foregroundDeletion"
POLICIES = ("Background", "Foreground", "Orphan")


@dataclass(frozen=True)
class Removal:
    """What a delete request asks for."""

    policy: str = "Background"
    uid: str | None = None
    resource_version: str | None = None
    dry_run: bool = False

    @classmethod
    def read(cls, body: dict[str, Any], query: dict[str, str]) -> Removal:
        """From DeleteOptions in the body, or the same by query; an unknown policy is refused."""
        policy = body.get("propagationPolicy") or query.get("propagationPolicy") or "Background"
        if policy not in POLICIES:
            known = ", ".join(f'"{each}"' for each in ("Foreground", "Background", "Orphan", "nil"))
            told = f'Unsupported value: "{policy}": supported values: {known}'
            cause = Cause("propagationPolicy", "FieldValueNotSupported", told)
            raise invalid("DeleteOptions", "meta.k8s.io", "", [cause])
        demanded = body.get("preconditions") or {}
        dry = bool(body.get("dryRun") or query.get("dryRun"))
        return cls(policy, demanded.get("uid"), demanded.get("resourceVersion"), dry)


class Remover:
    """Deletes as the API server and its garbage collector together do, at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def delete(self, target: Target, removal: Removal) -> Document:
        """The answer to the request: the object while something still holds it, else a Status."""
        kind = target.kind
        before = self._store.get(kind, target.namespace, target.name)
        if before is None:
            raise not_found(kind, target.name)
        _hold_to(kind, before, removal)
        held = bool(before["metadata"].get("finalizers")) or removal.policy == "Foreground"
        marked = _marked(kind, before)
        if not removal.dry_run:
            marked = self._started(kind, before, marked, removal)
        if kind.returns_deleted or held:
            return target.shown(marked)
        told = {**details(kind, target.name), "uid": before["metadata"]["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": told}

    def settle(self, kind: Kind, document: Document) -> None:
        """Take away an object that nothing holds any more, then what depends on it."""
        self._store.remove(kind, document)
        self._collect(document["metadata"]["uid"])
        self._close(document["metadata"].get("namespace", ""))

    def _started(self, kind: Kind, before: Document, marked: Document, removal: Removal) -> Document:
        uid = before["metadata"]["uid"]
        if kind is NAMESPACE:
            return self._emptied(before)
        if removal.policy == "Orphan":
            self._release(uid)
        if removal.policy == "Foreground":
            finalizers = [*(marked["metadata"].get("finalizers") or ()), FOREGROUND]
            waiting = {**marked, "metadata": {**marked["metadata"], "finalizers": finalizers}}
            stored = self._store.put(kind, waiting)
            self._collect(uid)
            self._finish(kind, stored)
            return stored
        if before["metadata"].get("finalizers"):
            already = before["metadata"].get("deletionTimestamp")
            return before if already else self._store.put(kind, marked)
        self.settle(kind, marked)
        return marked

    def _finish(self, kind: Kind, document: Document) -> None:
        """The dependents are gone, so the collector's own finalizer goes, and the object if it was the last."""
        kept = [each for each in document["metadata"]["finalizers"] if each != FOREGROUND]
        metadata = {key: value for key, value in document["metadata"].items() if key != "finalizers"}
        bare = {**document, "metadata": {**metadata, **({"finalizers": kept} if kept else {})}}
        if kept:
            self._store.put(kind, bare)
        else:
            self.settle(kind, bare)

    def _emptied(self, namespace: Document) -> Document:
        metadata = {**namespace["metadata"], "deletionTimestamp": now()}
        terminating = {**namespace, "metadata": metadata, "status": {"phase": "Terminating"}}
        stored = self._store.put(NAMESPACE, terminating)
        name = metadata["name"]
        for kind, each in self._store.everything():
            if each["metadata"].get("namespace") == name:
                self._vanish(kind, each)
        self._close(name)
        return stored

    def _vanish(self, kind: Kind, document: Document) -> None:
        metadata = document["metadata"]
        # Collecting one object may already have taken its dependents from the list being walked.
        if self._store.get(kind, metadata.get("namespace", ""), metadata["name"]) is not document:
            return
        if not metadata.get("finalizers"):
            self.settle(kind, _marked(kind, document))
        elif not metadata.get("deletionTimestamp"):
            self._store.put(kind, _marked(kind, document))

    def _close(self, name: str) -> None:
        namespace = self._store.get(NAMESPACE, "", name) if name else None
        if namespace is None or not namespace["metadata"].get("deletionTimestamp"):
            return
        if not any(each["metadata"].get("namespace") == name for _, each in self._store.everything()):
            self._store.remove(NAMESPACE, namespace)

    def _dependents(self, uid: str) -> list[tuple[Kind, Document]]:
        return [
            (kind, each)
            for kind, each in self._store.everything()
            if any(owner["uid"] == uid for owner in each["metadata"].get("ownerReferences") or ())
        ]

    def _collect(self, uid: str) -> None:
        for kind, each in self._dependents(uid):
            owners = [owner for owner in each["metadata"]["ownerReferences"] if owner["uid"] != uid]
            if owners:
                self._store.put(kind, {**each, "metadata": {**each["metadata"], "ownerReferences": owners}})
            else:
                self._vanish(kind, each)

    def _release(self, uid: str) -> None:
        for kind, each in self._dependents(uid):
            owners = [owner for owner in each["metadata"]["ownerReferences"] if owner["uid"] != uid]
            metadata = {key: value for key, value in each["metadata"].items() if key != "ownerReferences"}
            if owners:
                metadata["ownerReferences"] = owners
            self._store.put(kind, {**each, "metadata": metadata})


def _hold_to(kind: Kind, before: Document, removal: Removal) -> None:
    metadata = before["metadata"]
    if removal.uid is not None and removal.uid != metadata["uid"]:
        raise precondition(
            kind,
            metadata["name"],
            f"the UID in the precondition ({removal.uid}) does not match the UID in record ({metadata['uid']}). "
            "The object might have been deleted and then recreated",
        )
    current = metadata["resourceVersion"]
    if removal.resource_version is not None and removal.resource_version != current:
        raise precondition(
            kind,
            metadata["name"],
            f"the ResourceVersion in the precondition ({removal.resource_version}) does not match the "
            f"ResourceVersion in record ({current}). The object might have been modified",
        )


def _marked(kind: Kind, document: Document) -> Document:
    held = document["metadata"]
    if held.get("deletionTimestamp"):
        return document
    metadata = {**held, "deletionTimestamp": now(), "deletionGracePeriodSeconds": 0}
    if kind.generation:
        metadata["generation"] = held.get("generation", 0) + 1
    return {**document, "metadata": metadata}
