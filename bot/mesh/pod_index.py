"""Pods by label, so that counting one version's pods does not read all of them."""

import threading
from collections.abc import Mapping, Sequence

from bot.mesh.documents import Document, full_name, labels_of, namespace_of

Posting = tuple[str, str, str]


class PodIndex:
    """The present pods under (namespace, label, value); filled by one watch, read by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pods: dict[str, Document] = {}
        self._postings: dict[Posting, set[str]] = {}

    def put(self, pod: Document) -> None:
        """Add the pod, or replace what was known of it."""
        name = full_name(pod)
        with self._lock:
            self._remove(name)
            self._pods[name] = pod
            for posting in _postings(pod):
                self._postings.setdefault(posting, set()).add(name)

    def remove(self, pod: Document) -> None:
        """Forget the pod."""
        with self._lock:
            self._remove(full_name(pod))

    def select(self, namespace: str, labels: Mapping[str, str]) -> Sequence[Document]:
        """The pods of the namespace that carry all these labels, in the order of their names."""
        with self._lock:
            postings = [self._postings.get((namespace, *label), set()) for label in labels.items()]
            names = set.intersection(*postings) if postings else set()
            return [self._pods[name] for name in sorted(names)]

    def _remove(self, name: str) -> None:
        known = self._pods.pop(name, None)
        for posting in _postings(known) if known is not None else ():
            names = self._postings[posting]
            names.discard(name)
            if not names:
                del self._postings[posting]


def _postings(pod: Document) -> list[Posting]:
    return [(namespace_of(pod), key, value) for key, value in labels_of(pod).items()]


def slim_pod(pod: Document) -> Document:
    """The pod without its specification and history, of which we read nothing; edited in place."""
    metadata = pod.get("metadata") or {}
    for field in ("managedFields", "annotations", "ownerReferences"):
        metadata.pop(field, None)
    pod.pop("spec", None)
    status = pod.get("status") or {}
    kept = ("phase", "qosClass", "conditions", "containerStatuses", "initContainerStatuses")
    pod["status"] = {field: status[field] for field in kept if field in status}
    return pod
