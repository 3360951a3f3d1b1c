"""Single writes into the mesh in memory, with the server's refusals; a Deployment's pods follow it at once."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from bot.mesh.documents import Document, full_name
from bot.mesh.kube_errors import Conflict, Missing
from bot.mesh.sizes import wanted
from bot.mesh.workloads import template_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.mesh.kube_api import Kind
    from tests.fakes_mesh import FakeMesh


class MemoryCluster:
    """Implements `bot.mesh.cluster.Writes` on a `FakeMesh`."""

    def __init__(self, mesh: FakeMesh) -> None:
        self._mesh = mesh

    def get(self, kind: Kind, name: str) -> Document:
        found = self._mesh.find(kind.name, name)
        if found is None:
            raise Missing(f"The Kubernetes API knows no {kind.name} {name}.")
        return copy.deepcopy(found)

    def put(self, kind: Kind, document: Document) -> Document:
        known = self.get(kind, full_name(document))
        if known["metadata"]["resourceVersion"] != document["metadata"]["resourceVersion"]:
            raise Conflict(f"Somebody else wrote {kind.name} {full_name(document)} at the same moment.")
        return self._kept(kind, document)

    def create(self, kind: Kind, document: Document) -> Document:
        if self._mesh.find(kind.name, full_name(document)) is not None:
            raise Conflict(f"There is a {kind.name} {full_name(document)} already.")
        return self._kept(kind, document)

    def list(self, kind: Kind, namespace: str, fields: str = "") -> Sequence[Document]:
        del fields
        own = [each for each in self._mesh._all(kind.name) if full_name(each).startswith(f"{namespace}/")]
        return copy.deepcopy(own)

    def delete(self, kind: Kind, document: Document) -> None:
        name = full_name(document)
        if self._mesh.find(kind.name, name) is not None:
            self._mesh.delete(kind.name, name)
            if kind.name == "Deployment":
                self._follow(document, 0)

    def require(self, wanted: Iterable[tuple[str, Kind]], namespace: str) -> None:
        """Everything is granted here."""

    def _kept(self, kind: Kind, document: Document) -> Document:
        fresh = copy.deepcopy(document)
        fresh["metadata"].setdefault("uid", f"uid-of-{full_name(document)}")
        if kind.name == "Deployment":
            self._follow(fresh, wanted(fresh))
            fresh["status"] = {"readyReplicas": wanted(fresh), "replicas": wanted(fresh)}
        return copy.deepcopy(self._mesh.put(fresh))

    def _follow(self, deployment: Document, count: int) -> None:
        labels = template_labels(deployment)
        namespace = full_name(deployment).partition("/")[0]
        if "version" in labels and self._mesh.has_controllers:
            self._mesh.set_ready(labels["version"], count, app=labels["app"], namespace=namespace)
