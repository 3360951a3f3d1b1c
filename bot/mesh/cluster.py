"""Single writes to the cluster, each remembered until the watch has caught up."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from bot.errors import Fault
from bot.mesh.documents import Document, full_name, namespace_of
from bot.mesh.drift import FIELD_MANAGER
from bot.mesh.kube_api import POD, Connection, Kind
from bot.mesh.kube_errors import Missing
from bot.mesh.rights import Right
from bot.mesh.watch_cache import WatchCache

MOST_LISTED = 500


class Writes(Protocol):
    """Reads one object fresh and writes it under the resourceVersion that was read."""

    def get(self, kind: Kind, name: str) -> Document:
        """The object `namespace/name` as the server has it now; raises Missing when there is none."""
        ...

    def put(self, kind: Kind, document: Document) -> Document:
        """Replace the object; raises Conflict when somebody wrote it since it was read."""
        ...

    def create(self, kind: Kind, document: Document) -> Document:
        """Create the object; raises Conflict when there is one of that name."""
        ...

    def list(self, kind: Kind, namespace: str, fields: str = "") -> Sequence[Document]:
        """The objects of a kind that is not watched, by field selector where one is given."""
        ...

    def delete(self, kind: Kind, document: Document) -> None:
        """Delete exactly the object that was read, as it was read; one that is gone already is no trouble."""
        ...

    def require(self, wanted: Iterable[tuple[str, Kind]], namespace: str) -> None:
        """Raise Fault when one of these verbs is not granted there: asked before the first of several writes."""
        ...


class Cluster:
    """Implements `Writes`; everything else comes from the cache."""

    def __init__(self, connection: Connection, cache: WatchCache) -> None:
        self._connection = connection
        self._cache = cache

    def get(self, kind: Kind, name: str) -> Document:
        """The object as the server has it now."""
        try:
            document = self._connection.call(_right("get", kind, name), self._path(kind, name), what=_named(kind, name))
        except Missing:
            self._cache.forget(kind, name)
            raise
        self._cache.remember(kind, document)
        return document

    def put(self, kind: Kind, document: Document) -> Document:
        """Replace the object; raises Conflict when somebody wrote it since it was read."""
        name = full_name(document)
        answer = self._connection.call(
            _right("update", kind, name),
            self._path(kind, name),
            what=_named(kind, name),
            query={"fieldManager": FIELD_MANAGER},
            body=document,
        )
        self._cache.remember(kind, answer)
        return answer

    def create(self, kind: Kind, document: Document) -> Document:
        """Create the object; raises Conflict when there is one of that name."""
        path = kind.path(self._cache.version(kind), namespace_of(document))
        name, query = full_name(document), {"fieldManager": FIELD_MANAGER}
        right = _right("create", kind, name)
        return self._connection.call(right, path, what=_named(kind, name), query=query, body=document)

    def list(self, kind: Kind, namespace: str, fields: str = "") -> Sequence[Document]:
        """The objects of a kind that is not watched."""
        path = kind.path(self._cache.version(kind), namespace)
        what = f"the {kind.plural} in {namespace} ({kind.resource})"
        query = {"limit": str(MOST_LISTED)} | ({"fieldSelector": fields} if fields else {})
        right = Right("list", kind.resource, namespace)
        answer = self._connection.call(right, path, what=what, query=query)
        version = str(answer.get("apiVersion") or kind.versions[0])
        return [{"apiVersion": version, "kind": kind.name, **each} for each in answer.get("items") or []]

    def delete(self, kind: Kind, document: Document) -> None:
        """Delete exactly the object that was read, as it was read, and what hangs on it."""
        name, held = full_name(document), document["metadata"]
        preconditions = {"uid": held["uid"], "resourceVersion": held["resourceVersion"]}
        body = {"propagationPolicy": "Background", "preconditions": preconditions}
        try:
            right = _right("delete", kind, name)
            self._connection.call(right, self._path(kind, name), what=_named(kind, name), body=body)
        except Missing:
            self._cache.forget(kind, name)

    def require(self, wanted: Iterable[tuple[str, Kind]], namespace: str) -> None:
        """Raise Fault with every verb that is not granted there."""
        rights = [Right(verb, kind.resource, namespace) for verb, kind in dict.fromkeys(wanted)]
        lacking = [right for right in rights if not self._connection.allows(right)]
        for right in lacking:
            self._connection.refusals.note(right)
        if lacking:
            told = ". ".join(right.lacking for right in lacking)
            raise Fault(f"Nothing was begun, for the Kubernetes API forbids a part of it: {told}.")

    def tail(self, pod: str, container: str) -> str:
        """The last lines that a container of the pod `namespace/name` logged."""
        query = {"container": container, "tailLines": "40"}
        right = Right("get", f"{POD.resource}/log", pod.partition("/")[0])
        what = f"the log of Pod {pod} (pods/log)"
        return self._connection.text(right, self._path(POD, pod, "log"), what=what, query=query)

    def _path(self, kind: Kind, name: str, subresource: str = "") -> str:
        namespace, _, own = name.partition("/")
        return kind.path(self._cache.version(kind), namespace, own, subresource)


def _right(verb: str, kind: Kind, name: str) -> Right:
    return Right(verb, kind.resource, name.partition("/")[0])


def _named(kind: Kind, name: str) -> str:
    return f"{kind.name} {name} ({kind.resource})"
