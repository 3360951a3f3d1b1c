"""Single writes to the cluster, each remembered until the watch has caught up."""

from bot.mesh.documents import Document, full_name
from bot.mesh.drift import FIELD_MANAGER
from bot.mesh.kube_api import DEPLOYMENT, Connection, Kind
from bot.mesh.kube_errors import Missing
from bot.mesh.watch_cache import WatchCache

MERGE_PATCH = "application/merge-patch+json"


class Cluster:
    """Reads fresh and writes under the resourceVersion that was read; everything else comes from the cache."""

    def __init__(self, connection: Connection, cache: WatchCache) -> None:
        self._connection = connection
        self._cache = cache

    def get(self, kind: Kind, name: str) -> Document:
        """The object as the server has it now."""
        try:
            document = self._connection.call("GET", self._path(kind, name), what=_named(kind, name))
        except Missing:
            self._cache.forget(kind, name)
            raise
        self._cache.remember(kind, document)
        return document

    def put(self, kind: Kind, document: Document) -> Document:
        """Replace the object; raises Conflict when somebody wrote it since it was read."""
        name = full_name(document)
        answer = self._connection.call(
            "PUT",
            self._path(kind, name),
            what=_named(kind, name),
            query={"fieldManager": FIELD_MANAGER},
            body=document,
        )
        self._cache.remember(kind, answer)
        return answer

    def scale_to_zero(self, name: str) -> None:
        """Set the replicas of the Deployment `namespace/name` to 0."""
        path = self._path(DEPLOYMENT, name, "scale")
        self._connection.call(
            "PATCH",
            path,
            what=f"the scale of Deployment {name} (deployments/scale.apps)",
            query={"fieldManager": FIELD_MANAGER},
            body={"spec": {"replicas": 0}},
            content_type=MERGE_PATCH,
        )

    def delete_deployment(self, document: Document) -> None:
        """Delete exactly the Deployment that was read, and its pods."""
        name = full_name(document)
        self._connection.call(
            "DELETE",
            self._path(DEPLOYMENT, name),
            what=_named(DEPLOYMENT, name),
            body={"propagationPolicy": "Background", "preconditions": {"uid": document["metadata"]["uid"]}},
        )

    def _path(self, kind: Kind, name: str, subresource: str = "") -> str:
        namespace, _, own = name.partition("/")
        return kind.path(self._cache.version(kind), namespace, own, subresource)


def _named(kind: Kind, name: str) -> str:
    return f"{kind.name} {name} ({kind.resource})"
