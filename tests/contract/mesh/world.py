"""One shop behind a Mesh: what a test may do to the cluster, and what it may ask, on the fake and on real wire."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import yaml

from bot.mesh.documents import full_name
from bot.mesh.istio import IstioMesh
from bot.mesh.kube_api import connect
from bot.ports import Clock, Mesh, RouteOrder
from strategies.release import Release, Target
from strategies.routing import Protocol as RouteProtocol
from strategies.routing import Route, Split
from tests.builders import a_release
from tests.contract.mesh.proxy import Proxy
from tests.contract.patience import until
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import (
    a_deployment,
    a_pod,
    a_rule,
    a_service,
    a_virtual_service,
    ready_status,
    waiting_status,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.contract.kubernetes.cluster import Cluster
    from tests.mesh_documents import Document

PATHS = {
    "VirtualService": "/apis/networking.istio.io/v1/namespaces/{}/virtualservices",
    "DestinationRule": "/apis/networking.istio.io/v1/namespaces/{}/destinationrules",
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "Pod": "/api/v1/namespaces/{}/pods",
}


class RealClock:
    """The time as it is."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class PushedClock:
    """The time as it is, but for what it was pushed on."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class World(Protocol):
    """A namespace with the shop in it."""

    namespace: str

    @property
    def mesh(self) -> Mesh: ...
    def read(self, kind: str, name: str = "reviews") -> Document: ...
    def edit(self, change: Callable[[Document], None], kind: str = "VirtualService", name: str = "reviews") -> None: ...
    def add(self, document: Document) -> None: ...
    def set_ready(self, version: str, count: int) -> None: ...
    def writes(self) -> int: ...
    def all(self, kind: str) -> list[Document]: ...
    def controllers(self, deployment: str) -> None: ...


class FakeWorld:
    """The shop in memory."""

    def __init__(self, namespace: str = "shop") -> None:
        self.namespace = namespace
        self.mesh = FakeMesh.shop(namespace)

    def read(self, kind: str, name: str = "reviews") -> Document:
        found = [each for each in self.mesh._all(kind) if each["metadata"]["name"] == name]
        return found[0]

    def edit(self, change: Callable[[Document], None], kind: str = "VirtualService", name: str = "reviews") -> None:
        self.mesh.edit(kind, f"{self.namespace}/{name}", change)

    def add(self, document: Document) -> None:
        self.mesh.put(document)

    def set_ready(self, version: str, count: int) -> None:
        self.mesh.set_ready(version, count, namespace=self.namespace)

    def writes(self) -> int:
        return len(self.mesh.writes)

    def all(self, kind: str) -> list[Document]:
        return self.mesh._all(kind)

    def controllers(self, deployment: str) -> None:
        """Pods follow at once here."""


class Reach:
    """An adapter on an API server, with a proxy between the two; it watches the namespaces named (none: all).

    It speaks with `token`, whose rights may be fewer than those of the `cluster`, which are the test's own hands.
    """

    def __init__(self, cluster: Cluster, folder: Path, namespaces: tuple[str, ...] = (), *, token: str = "") -> None:
        self.cluster = cluster
        self.namespaces = namespaces
        self.proxy = Proxy(cluster.url, cluster.ca_path)
        self.kubeconfig = folder / "kubeconfig.yaml"
        self.kubeconfig.write_text(yaml.safe_dump(self._config(token or cluster.token)))
        self.mesh = self.another_mesh()

    def another_mesh(self, clock: Clock | None = None, propagation: timedelta = timedelta()) -> IstioMesh:
        """A further replica's adapter, not started."""
        return IstioMesh(
            connect(str(self.kubeconfig)), clock or RealClock(), namespaces=self.namespaces, propagation=propagation
        )

    def close(self) -> None:
        self.mesh.stop()
        self.proxy.close()

    def _config(self, token: str) -> Document:
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "part", "cluster": {"server": self.proxy.url}}],
            "users": [{"name": "part", "user": {"token": token}}],
            "contexts": [{"name": "part", "context": {"cluster": "part", "user": "part"}}],
            "current-context": "part",
        }


class WireWorld:
    """The shop in a namespace of an API server, and the adapter that reaches it."""

    def __init__(self, reach: Reach, namespace: str) -> None:
        self.namespace = namespace
        self.reach = reach
        self.cluster, self.proxy, self.mesh = reach.cluster, reach.proxy, reach.mesh
        self.kubeconfig, self.another_mesh = reach.kubeconfig, reach.another_mesh
        self.cluster.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
        for document in (a_virtual_service(), a_rule(), a_service(), a_deployment("v1"), a_deployment("v2")):
            self.add(document)
        for version, count in (("v1", 3), ("v2", 2)):
            for number in range(count):
                self._create_pod(version, number)

    def until_watched(self) -> None:
        """Wait until the adapter has seen the whole shop."""
        cache, here = self.mesh._cache, f"{self.namespace}/reviews"
        seen = (cache.virtual_service, lambda name: name in map(full_name, cache.destination_rules()), cache.service)
        until(lambda: not self.mesh.troubles() and all(one(here) for one in seen))
        until(lambda: len(cache.deployments(self.namespace)) == 2)
        until(lambda: self.mesh.ready_pods(self.target()) == {"v1": 3, "v2": 2})

    def target(self) -> Target:
        return the_target(self)

    def read(self, kind: str, name: str = "reviews") -> Document:
        return self.cluster.get(f"{PATHS[kind].format(self.namespace)}/{name}")

    def edit(self, change: Callable[[Document], None], kind: str = "VirtualService", name: str = "reviews") -> None:
        document = self.read(kind, name)
        change(document)
        kept = self.cluster.put(f"{PATHS[kind].format(self.namespace)}/{name}", document, fieldManager="kubectl-edit")
        if kind == "VirtualService":
            wanted = kept["metadata"]["resourceVersion"]
            until(lambda: self._cached_version() >= int(wanted))

    def add(self, document: Document) -> None:
        document["metadata"]["namespace"] = self.namespace
        self.cluster.create(PATHS[document["kind"]].format(self.namespace), document)
        if self.mesh._cache.is_synced and not self.mesh.troubles():
            until(lambda: full_name(document) in map(full_name, self._watched(document["kind"])))

    def _watched(self, kind: str) -> list[Document]:
        cache, here = self.mesh._cache, self.namespace
        found: dict[str, Callable[[], Iterable[Document]]] = {
            "VirtualService": cache.virtual_services,
            "DestinationRule": cache.destination_rules,
            "Service": cache.services,
            "Deployment": lambda: cache.deployments(here),
        }
        return list(found[kind]())

    def set_ready(self, version: str, count: int) -> None:
        path = PATHS["Pod"].format(self.namespace)
        for pod in self.cluster.get(path, labelSelector=f"version={version}")["items"]:
            self.cluster.delete(f"{path}/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
        for number in range(count):
            self._create_pod(version, number + 100)
        target = the_target(self, "v2" if version == "v1" else version)
        until(lambda: (self.mesh.ready_pods(target) or {}).get(version) == count)

    def add_waiting_pod(self, version: str, reason: str, message: str) -> None:
        self._create_pod(version, 500, waiting_status(reason, message))
        wanted = {"app": "reviews", "version": version}
        cached = self.mesh._cache.pods
        until(lambda: any("containerStatuses" in pod["status"] for pod in cached(self.namespace, wanted)))

    def writes(self) -> int:
        home = f"/namespaces/{self.namespace}/virtualservices/"
        return len([path for path in self.proxy.writes() if home in path])

    def all(self, kind: str) -> list[Document]:
        found: list[Document] = self.cluster.get(PATHS[kind].format(self.namespace))["items"]
        return found

    def controllers(self, deployment: str) -> None:
        """What the Deployment's controller would write once all its pods are ready."""
        document = self.read("Deployment", deployment)
        counts = dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), document["spec"]["replicas"])
        status = {"observedGeneration": document["metadata"]["generation"], **counts}
        path = f"{PATHS['Deployment'].format(self.namespace)}/{deployment}/status"
        self.cluster.patch(path, {"status": status})

    def _cached_version(self) -> int:
        metadata: Any = (self.mesh.manifest(f"{self.namespace}/reviews") or {}).get("metadata") or {}
        return int(metadata.get("resourceVersion") or 0)

    def _create_pod(self, version: str, number: int, status: Document | None = None) -> None:
        path = PATHS["Pod"].format(self.namespace)
        pod = a_pod(version, number, namespace=self.namespace)
        self.cluster.create(path, pod)
        self.cluster.patch(f"{path}/{pod['metadata']['name']}/status", {"status": status or ready_status()})


def the_target(world: World, candidate: str = "v2") -> Target:
    """reviews from v1 to the candidate on the main route."""
    return Target(
        service="reviews",
        host=f"reviews.{world.namespace}.svc.cluster.local",
        namespace=world.namespace,
        baseline="v1",
        candidate=candidate,
        routes=(Route(world.namespace, "reviews", RouteProtocol.HTTP, "main"),),
        subsets={"v1": "v1", candidate: candidate},
        workloads={"v1": "reviews-v1", candidate: f"reviews-{candidate}"},
    )


def the_release(world: World, candidate: str = "v2", **changes: Any) -> Release:
    """A release of the target."""
    settled: dict[str, Any] = {"targets": (the_target(world, candidate),)} | changes
    return a_release(**settled)


def an_order(world: World, split: Split | None, revision: int = 2, **changes: Any) -> RouteOrder:
    """An order for the main route; the original is the shop's."""
    target = the_target(world)
    original = '{"match":null,"route":[{"destination":{"host":"reviews","subset":"v1"}}]}'
    order = RouteOrder("reviews-1", revision, target.routes[0], target, split, original)
    return replace(order, **changes)
