"""A mesh in memory: the same pure editors as the adapter, no network, no threads, no time of its own."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.errors import Fault, SluiceError, Transient
from bot.mesh import adopting, capacity
from bot.mesh.awaited import awaited, picks
from bot.mesh.deploying import deploy
from bot.mesh.destination_rule import rule_host
from bot.mesh.documents import Document, full_name, labels_of, namespace_of
from bot.mesh.drift import find_drift, gone
from bot.mesh.keepsakes import keepsakes
from bot.mesh.quotas import room
from bot.mesh.readiness import originals, readiness, sizes_of, unwritable
from bot.mesh.retiring import Retiring, baseline, retire
from bot.mesh.served import served
from bot.mesh.subsets import leftover, lost_subset, missing_subset, wait_for_subset
from bot.mesh.survey import survey
from bot.mesh.warming import warm, way_back
from bot.mesh.workloads import flag, ready_by_version
from bot.mesh.writing import next_document, without
from bot.ports import Adoption, Baseline, Preparation, RouteOrder, Written
from strategies.guards import Served
from strategies.reasons import ReasonCode, Refused
from strategies.release import Drift, Release, Target
from tests.fakes_cluster import MemoryCluster
from tests.mesh_documents import (
    a_deployment,
    a_pod,
    a_rule,
    a_service,
    a_virtual_service,
    ready_status,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from decimal import Decimal

    from bot.surveys import SurveyRequest
    from strategies.plan import Plan

START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


class FakeMesh:
    """Implements `bot.ports.Mesh`. `writes` lists every VirtualService written, in order."""

    def __init__(self, now: Callable[[], datetime] = lambda: START, propagation: timedelta = timedelta(0)) -> None:
        self.writes: list[str] = []
        self.reason_down = ""
        self.log_lines: tuple[str, ...] = ()
        self.has_controllers = True  # False: a Deployment's pods stay as the test set them
        self.cluster = MemoryCluster(self)
        self._now = now
        self._propagation = propagation
        self._objects: dict[tuple[str, str], Document] = {}
        self._troubles: list[tuple[str, SluiceError]] = []
        self._listeners: list[Callable[[str], None]] = []
        self._rule_listeners: list[Callable[[str], None]] = []
        self._counter = 0

    @classmethod
    def shop(cls, namespace: str = "shop", **options: Any) -> FakeMesh:
        """reviews with v1 (3 ready pods, all traffic) and v2 (2 ready pods)."""
        mesh = cls(**options)
        for document in (a_virtual_service(namespace=namespace), a_rule(namespace=namespace)):
            mesh.put(document)
        mesh.put(a_service(namespace=namespace))
        for version, count in (("v1", 3), ("v2", 2)):
            mesh.put(a_deployment(version, namespace=namespace, replicas=count))
            mesh.set_ready(version, count, namespace=namespace)
        return mesh

    # --- what a test does to the cluster ----------------------------------------------------------------------------

    def put(self, document: Document) -> Document:
        """Somebody else creates or replaces an object."""
        return self._store(copy.deepcopy(document))

    def edit(self, kind: str, name: str, change: Callable[[Document], None]) -> None:
        """Somebody else edits an object in place."""
        document = copy.deepcopy(self._objects[kind, name])
        change(document)
        self._store(document)

    def delete(self, kind: str, name: str) -> None:
        """Somebody else deletes an object."""
        document = self._objects.pop((kind, name))
        self._tell(document)

    def set_ready(self, version: str, count: int, *, app: str = "reviews", namespace: str = "shop") -> None:
        """From now on the version has this many ready pods, and no others."""
        for kind, name in list(self._objects):
            if kind == "Pod" and name.startswith(f"{namespace}/{app}-{version}-"):
                del self._objects[kind, name]
        for number in range(count):
            self._store(a_pod(version, number, app, namespace) | {"status": ready_status()})

    def fail_next(self, trouble: SluiceError, method: str = "set_route") -> None:
        """The next call of the method raises this, once; several are raised in their order."""
        self._troubles.append((method, trouble))

    def on_rule_change(self, callback: Callable[[str], None]) -> None:
        """Call with the full host when a DestinationRule changes."""
        self._rule_listeners.append(callback)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call with `namespace/name` when a VirtualService changes."""
        self._listeners.append(callback)

    # --- Mesh -------------------------------------------------------------------------------------------------------

    def survey(self, request: SurveyRequest) -> Target | Refused:
        """As the adapter."""
        if self.reason_down:
            return Refused(ReasonCode.UNREACHABLE, self.reason_down)
        return survey(self, request)

    def unwritable(self, target: Target, plan: Plan) -> Refused | None:
        """As the adapter."""
        return unwritable(self, target, plan)

    def prepare(self, release: Release) -> Preparation | Refused:
        """As the adapter."""
        self._trip("prepare")
        captured: dict[str, str] = {}
        ready: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for target in release.targets:
            refused = deploy(self, self.cluster, release.id, target)
            if refused is not None:
                return refused
            fields = originals(self, release, target)
            counts = readiness(self, target)
            if isinstance(fields, Refused):
                return fields
            if isinstance(counts, Refused):
                return counts
            captured |= fields
            ready |= counts
            sizes |= sizes_of(self, target, counts)
        for target in release.targets:
            refused = self._ensure_subset(target, release.id)
            if refused is not None:
                return refused
        return Preparation(captured, ready, sizes)

    def set_route(self, name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        """As the adapter; a stored write can never be refused or lost."""
        self._trip("set_route")
        document, wanted = self.virtual_service(name), tuple(orders())
        if document is None:
            return without(wanted, Fault(f"There is no VirtualService {name}."))
        outcome = next_document(document, wanted) if wanted else None
        if not isinstance(outcome, Drift):
            outcome = self._without_subset(wanted) or outcome
        if isinstance(outcome, Drift):
            return outcome
        if outcome is not None:
            self._await_subsets(wanted)
            document = self._store(outcome)
            self.writes.append(name)
        return Written(document["metadata"]["resourceVersion"], outcome is not None)

    def tidy(self, orders: Sequence[RouteOrder]) -> None:
        """As the adapter, without its patience."""
        self._trip("tidy")
        for order in orders:
            for rule in leftover(self, order):
                self._store(rule)

    def observe(self, name: str, orders: Sequence[RouteOrder]) -> Drift | None:
        """As the adapter."""
        if not orders or self.reason_down:
            return None
        document = self.virtual_service(name)
        if document is None:
            return gone(name)
        return find_drift(document, orders) or lost_subset(self, orders, self._now())

    def ready_pods(self, target: Target) -> Mapping[str, int] | None:
        """As the adapter; None while the cluster is down."""
        return None if self.reason_down else ready_by_version(self, target)

    def served(self, request: SurveyRequest) -> Served:
        """As the adapter."""
        return Served("", self.reason_down) if self.reason_down else served(self, request)

    def flag(self, target: Target, name: str) -> str:
        """As the adapter."""
        return flag(self, target, name)

    def manifest(self, name: str) -> Mapping[str, object] | None:
        """A copy of the VirtualService."""
        return copy.deepcopy(self.virtual_service(name))

    def capacity(self, release: Release) -> str:
        """As the adapter."""
        self._trip("capacity")
        return capacity.missing(self, self.cluster, release)

    def awaited(self, release: Release) -> str:
        """As the adapter."""
        return awaited(self, release)

    def picks(self, target: Target, labels: Mapping[str, str]) -> bool:
        """As the adapter."""
        return picks(self, target, labels)

    def set_sizes(self, release: Release) -> None:
        """As the adapter."""
        self._trip("set_sizes")
        capacity.set_sizes(self, self.cluster, release)

    def room(self, target: Target, plan: Plan, share: Decimal) -> Refused | None:
        """As the adapter."""
        return room(self, target, plan, share)

    def adoption(self, request: SurveyRequest, *, is_undo: bool = False) -> Adoption | Refused:
        """As the adapter."""
        return adopting.shown(self, request, self._now(), is_undo=is_undo)

    def adopt(self, request: SurveyRequest, fingerprint: str, *, is_undo: bool = False) -> str | Refused:
        """As the adapter."""
        self._trip("adopt")
        return adopting.done(self, self.cluster, adopting.Order(request, fingerprint, is_undo), self._now(), 0.0)

    def baseline(self, release: Release) -> Baseline:
        """As the adapter."""
        return baseline(self, release)

    def keepsakes(self, release: Release) -> Mapping[str, str]:
        """As the adapter."""
        self._trip("keepsakes")
        return keepsakes(self, self.cluster, release)

    def way_back(self, release: Release) -> str:
        """As the adapter; empty while the cluster is down."""
        return "" if self.reason_down else way_back(self, release)

    def last_lines(self, release: Release) -> Sequence[str]:
        """What the test wrote into the sidecars' logs."""
        return self.log_lines

    def retire(self, release: Release, is_wanted: Callable[[], bool]) -> str:
        """As the adapter."""
        self._trip("retire")
        return retire(Retiring(self, self.cluster, release, is_wanted))

    def warm(self, release: Release) -> str:
        """As the adapter."""
        self._trip("warm")
        return warm(self, self.cluster, release, self._now(), is_known=True)

    def troubles(self) -> Sequence[str]:
        """What the test set as `reason_down`."""
        return (self.reason_down,) if self.reason_down else ()

    # --- View -------------------------------------------------------------------------------------------------------

    def virtual_services(self) -> Sequence[Document]:
        return self._all("VirtualService")

    def virtual_service(self, name: str) -> Document | None:
        return self._objects.get(("VirtualService", name))

    def destination_rules(self) -> Sequence[Document]:
        return self._all("DestinationRule")

    def services(self) -> Sequence[Document]:
        return self._all("Service")

    def service(self, name: str) -> Document | None:
        return self._objects.get(("Service", name))

    def deployments(self, namespace: str) -> Sequence[Document]:
        return [each for each in self._all("Deployment") if namespace_of(each) == namespace]

    def autoscalers(self, namespace: str) -> Sequence[Document]:
        return [each for each in self._all("HorizontalPodAutoscaler") if namespace_of(each) == namespace]

    def quotas(self, namespace: str) -> Sequence[Document]:
        return [each for each in self._all("ResourceQuota") if namespace_of(each) == namespace]

    def pods(self, namespace: str, labels: Mapping[str, Any]) -> Sequence[Document]:
        own = [each for each in self._all("Pod") if namespace_of(each) == namespace]
        return [each for each in own if labels.items() <= labels_of(each).items()]

    def scope(self) -> str:
        return "all namespaces"

    # ----------------------------------------------------------------------------------------------------------------

    def find(self, kind: str, name: str) -> Document | None:
        """The object, whatever its kind."""
        return self._objects.get((kind, name))

    def _all(self, kind: str) -> list[Document]:
        return [each for (own, _), each in self._objects.items() if own == kind]

    def _store(self, document: Document) -> Document:
        self._counter += 1
        document["metadata"]["resourceVersion"] = str(self._counter)
        self._objects[document["kind"], full_name(document)] = document
        self._tell(document)
        return document

    def _tell(self, document: Document) -> None:
        for listener in self._listeners if document["kind"] == "VirtualService" else ():
            listener(full_name(document))
        for listener in self._rule_listeners if document["kind"] == "DestinationRule" else ():
            listener(rule_host(document))

    def _trip(self, method: str) -> None:
        if self.reason_down:
            raise Transient(self.reason_down)
        for index, (wanted, trouble) in enumerate(self._troubles):
            if wanted == method:
                del self._troubles[index]
                raise trouble

    def _without_subset(self, orders: Sequence[RouteOrder]) -> Drift | None:
        for order in orders:
            if order.force and lost_subset(self, [order], self._now()):
                refused = self._ensure_subset(order.target, order.release)
                if refused is not None:
                    raise Fault(refused.text)
        return lost_subset(self, orders, self._now())

    def _ensure_subset(self, target: Target, release: str) -> Refused | None:
        while True:
            change = missing_subset(self, target, release, self._now())
            if change is None or isinstance(change, Refused):
                return change
            self._store(change.after)

    def _await_subsets(self, orders: Sequence[RouteOrder]) -> None:
        for order in orders:
            left = wait_for_subset(self, order, self._now(), self._propagation)
            if left:
                raise Transient(f"Proxies learn of the new subset for another {left:.1f} s.", retry_after=left)
