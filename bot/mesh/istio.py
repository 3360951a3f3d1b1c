"""The Mesh port on a real cluster: watch cache in front, one PUT per change behind."""

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from bot.errors import Fault, Transient
from bot.mesh import adopting, capacity
from bot.mesh.awaited import awaited, picks
from bot.mesh.cluster import Cluster
from bot.mesh.deploying import deploy
from bot.mesh.documents import Document, full_name
from bot.mesh.drift import find_drift, gone
from bot.mesh.granted import needed
from bot.mesh.keepsakes import keepsakes
from bot.mesh.kube_api import DESTINATION_RULE, VIRTUAL_SERVICE, Connection
from bot.mesh.kube_errors import Conflict, LostReply, Missing
from bot.mesh.quotas import room
from bot.mesh.readiness import originals, readiness, sizes_of, unwritable
from bot.mesh.retiring import Retiring, baseline, retire
from bot.mesh.served import served
from bot.mesh.sidecar_logs import last_lines
from bot.mesh.subsets import leftover, lost_subset, missing_subset, wait_for_subset
from bot.mesh.survey import survey
from bot.mesh.warming import warm, way_back
from bot.mesh.warnings import warned
from bot.mesh.watch_cache import WatchCache
from bot.mesh.workloads import flag, ready_by_version
from bot.mesh.writing import check_kept, fenced, needs_fence, next_document, without
from bot.ports import Adoption, Baseline, Clock, Preparation, RouteOrder, Written
from bot.surveys import SurveyRequest
from strategies.guards import Served
from strategies.plan import Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import Drift, Release, Target

log = logging.getLogger(__name__)

# Writers that meet on one object; each round reads it anew, so this many in a row means something is wrong.
ROUNDS = 8
PROPAGATION = timedelta(seconds=2)
FORGOTTEN_AFTER = timedelta(hours=1)


class IstioMesh:
    """Implements `bot.ports.Mesh`. `start` watches in threads; until the cache is filled everything says so."""

    def __init__(
        self,
        connection: Connection,
        clock: Clock,
        *,
        namespaces: Sequence[str] = (),
        propagation: timedelta = PROPAGATION,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._propagation = propagation
        self._cache = WatchCache(connection, namespaces)
        self._cluster = Cluster(connection, self._cache)
        self._tidying: dict[str, datetime] = {}

    def start(self) -> None:
        """Begin to watch; returns at once, `troubles` tells when the cache is filled."""
        self._cache.start()

    def stop(self) -> None:
        """End watches within two seconds."""
        self._cache.stop()
        self._connection.close()

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call with `namespace/name` when a watched VirtualService changes, from a watch's thread."""
        self._cache.on_change(callback)

    def on_rule_change(self, callback: Callable[[str], None]) -> None:
        """Call with the full host when a watched DestinationRule changes, from a watch's thread."""
        self._cache.on_rule_change(callback)

    def on_pods(self, callback: Callable[[str, Mapping[str, str]], None]) -> None:
        """Call with namespace and labels when pods, or what makes or picks them, changed; none: it may be any there."""
        self._cache.on_pods(callback)

    def on_listed(self, callback: Callable[[], None]) -> None:
        """Call once the cluster has been listed for the first time, from a watch's thread."""
        self._cache.on_listed(callback)

    def survey(self, request: SurveyRequest) -> Target | Refused:
        """Resolve a service to routes and versions, from the cache alone."""
        if not self._cache.is_synced:
            return Refused(ReasonCode.UNREACHABLE, " ".join(self.troubles()))
        return survey(self._cache, request)

    def unwritable(self, target: Target, plan: Plan) -> Refused | None:
        """Try every stage's matches, cookie and mirror on the routes in the cache."""
        return unwritable(self._cache, target, plan)

    def prepare(self, release: Release) -> Preparation | Refused:
        """Capture originals, count ready pods, then add the candidate's subset where it is missing.

        Raises Fault before the first write where a right lacks that the release's rules take later.
        """
        self._require_sync()
        captured: dict[str, str] = {}
        ready: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for target in release.targets:
            refused = deploy(self._cache, self._cluster, release.id, target)
            if refused is not None:
                return refused
            fields = originals(self._cache, release, target)
            if isinstance(fields, Refused):
                return fields
            counts = readiness(self._cache, target)
            if isinstance(counts, Refused):
                return warned(self._cluster, target, counts)
            captured |= fields
            ready |= counts
            sizes |= sizes_of(self._cache, target, counts)
        for target in release.targets:
            self._cluster.require(needed(self._cache, release, target), target.namespace)
        for target in release.targets:
            refusal = self._ensure_subset(target, release.id)
            if refusal is not None:
                return refusal
        return Preparation(captured, ready, sizes)

    def set_route(self, name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        """Write one VirtualService under the version that was read, until it carries what is wanted.

        A rollback needs this object alone: no list of pods or rules that does not come holds it up.
        """
        self._require_list(name)
        try:
            document, changed = self._current(name), False
        except Missing as problem:
            return without(tuple(orders()), problem)
        for _ in range(ROUNDS):
            wanted = tuple(orders())
            if not wanted:
                return Written(_version(document), changed)
            outcome = self._next(document, wanted)
            if isinstance(outcome, Drift):
                return outcome
            if outcome is None and not changed and needs_fence(wanted):
                outcome = fenced(document, wanted)
            if outcome is None:
                return Written(_version(document), changed)
            self._await_subsets(wanted)
            try:
                answer = self._cluster.put(VIRTUAL_SERVICE, outcome)
            except Conflict:
                document = self._cluster.get(VIRTUAL_SERVICE, name)
                continue
            except LostReply:
                # The write may have arrived: what stands there now decides whether another one is needed.
                document, changed = self._cluster.get(VIRTUAL_SERVICE, name), True
                continue
            check_kept(answer, wanted)
            # Asked again: a writer that stalled since it read the orders must not have the last word.
            document, changed = answer, True
        raise Conflict(f"VirtualService {name} was written by others {ROUNDS} times while Sluice wrote it.")

    def tidy(self, orders: Sequence[RouteOrder]) -> None:
        """Take our subset out again once proxies have forgotten the route to it; the rule comes last."""
        self._require_sync()
        for order in orders:
            rules, now = leftover(self._cache, order), self._clock.now()
            if not rules:
                self._tidying.pop(order.release, None)
                continue
            # What is due later than that was noted by a clock that was set back since.
            due = min(self._tidying.get(order.release) or now + self._propagation, now + self._propagation)
            self._tidying[order.release] = due
            self._forget_tidied(now)
            if now < due:
                left = (due - now).total_seconds()
                raise Transient(f"Proxies forget the route to the subset for another {left:.1f} s.", retry_after=left)
            for rule in rules:
                self._put_tidied(rule)
            self._tidying.pop(order.release, None)

    def _forget_tidied(self, now: datetime) -> None:
        """Of what another replica has tidied nobody tells us."""
        for release, due in list(self._tidying.items()):
            if now - due > FORGOTTEN_AFTER:
                self._tidying.pop(release, None)

    def _put_tidied(self, rule: Document) -> None:
        try:
            self._cluster.put(DESTINATION_RULE, rule)
        except Conflict:
            self._cluster.get(DESTINATION_RULE, full_name(rule))
            raise
        except Fault as problem:
            # A subset that nobody routes to is harmless; the next release of this version uses it again.
            log.warning("DestinationRule %s keeps a subset of ours: %s", full_name(rule), problem)

    def observe(self, name: str, orders: Sequence[RouteOrder]) -> Drift | None:
        """Compare the cached object with what we last wrote."""
        if not orders or not self._cache.is_synced:
            return None
        document = self._cache.virtual_service(name)
        if document is None:
            return gone(name)
        return find_drift(document, orders) or lost_subset(self._cache, orders, self._clock.now())

    def ready_pods(self, target: Target) -> Mapping[str, int] | None:
        """Ready pods by version; None while the cache is not filled or the watch has been down too long."""
        if not self._cache.is_synced or self._cache.is_stale:
            return None
        return ready_by_version(self._cache, target)

    def served(self, request: SurveyRequest) -> Served:
        """Which version of a service everybody gets now, from the cache alone."""
        if not self._cache.is_synced:
            return Served("", " ".join(self.troubles()))
        return served(self._cache, request)

    def flag(self, target: Target, name: str) -> str:
        """The annotation `sluice/<name>` of the candidate's Deployment, empty when it has none or says false."""
        return flag(self._cache, target, name)

    def manifest(self, name: str) -> Mapping[str, object] | None:
        """A copy of the VirtualService as the cache has it."""
        return copy.deepcopy(self._cache.virtual_service(name))

    def capacity(self, release: Release) -> str:
        """Empty when the candidates have the ready pods that their wanted shares take; scales where that is allowed."""
        self._require_sync()
        return capacity.missing(self._cache, self._cluster, release)

    def awaited(self, release: Release) -> str:
        """What `prepare` or `capacity` would say is missing, from the cache alone; empty when one has to be done."""
        return awaited(self._cache, release)

    def picks(self, target: Target, labels: Mapping[str, str]) -> bool:
        """True when pods with these labels may be the candidate's."""
        return picks(self._cache, target, labels)

    def set_sizes(self, release: Release) -> None:
        """Hold the baselines at their sizes while the release is active; give sizes back once it is over."""
        self._require_sync()
        capacity.set_sizes(self._cache, self._cluster, release)

    def room(self, target: Target, plan: Plan, share: Decimal) -> Refused | None:
        """Refused with CAPACITY when a quota leaves no room for the pods of the plan's largest stage."""
        return room(self._cache, target, plan, share) if self._cache.is_synced else None

    def adoption(self, request: SurveyRequest, *, is_undo: bool = False) -> Adoption | Refused:
        """What pins the service to its version, or takes that back; from the cache alone."""
        if not self._cache.is_synced:
            return Refused(ReasonCode.UNREACHABLE, " ".join(self.troubles()))
        return adopting.shown(self._cache, request, self._clock.now(), is_undo=is_undo)

    def adopt(self, request: SurveyRequest, fingerprint: str, *, is_undo: bool = False) -> str | Refused:
        """Make those changes; waits in between until proxies know."""
        self._require_sync()
        order = adopting.Order(request, fingerprint, is_undo)
        return adopting.done(self._cache, self._cluster, order, self._clock.now(), self._propagation.total_seconds())

    def baseline(self, release: Release) -> Baseline:
        """What stands in the way of retiring the baselines, from the cache alone."""
        self._require_sync()
        return baseline(self._cache, release)

    def keepsakes(self, release: Release) -> Mapping[str, str]:
        """What brings back all that the end of the baselines deletes."""
        return keepsakes(self._cache, self._cluster, release)

    def way_back(self, release: Release) -> str:
        """Why a completed release has nothing to go back to; empty while the cache cannot be trusted to say so."""
        return way_back(self._cache, release) if self._cache.is_synced and not self._cache.is_stale else ""

    def last_lines(self, release: Release) -> Sequence[str]:
        """The last access-log line of some of the baselines' sidecars; empty where they cannot be read."""
        return last_lines(self._cache, self._cluster, release)

    def retire(self, release: Release, is_wanted: Callable[[], bool]) -> str:
        """Scale the baseline's Deployment to zero, or delete it with its subset; says what was done."""
        self._require_sync()
        return retire(Retiring(self._cache, self._cluster, release, is_wanted, self._propagation.total_seconds()))

    def warm(self, release: Release) -> str:
        """Scale the baselines of a release that goes back up; empty once they can take their traffic."""
        is_known = self._cache.is_synced and not self._cache.is_stale
        return warm(self._cache, self._cluster, release, self._clock.now(), is_known=is_known)

    def troubles(self) -> Sequence[str]:
        """Why the cluster cannot be relied on now, one sentence each."""
        since = "has not answered yet" if not self._cache.is_synced else "does not answer"
        host = self._connection.host
        told = []
        for trouble, is_refused in self._cache.troubles():
            told.append(f"Kubernetes API at {host} {'refuses' if is_refused else since}: {trouble}.")
        return told

    def lacking(self) -> Sequence[str]:
        """The rights that the cluster refused lately, one sentence each; those of needed watches are `troubles`."""
        return self._connection.refusals.troubles()

    def _require_list(self, name: str) -> None:
        if not self._cache.has_listed(VIRTUAL_SERVICE, name):
            self._require_sync()

    def _require_sync(self) -> None:
        if not self._cache.is_synced:
            raise Transient(" ".join(self.troubles()) or "The watch cache is being filled.")

    def _current(self, name: str) -> Document:
        document = self._cache.virtual_service(name)
        # A watch that is down has missed what happened since: memory alone would provoke a conflict or a false drift.
        if document is None or self._cache.is_behind(VIRTUAL_SERVICE):
            return self._cluster.get(VIRTUAL_SERVICE, name)
        return document

    def _next(self, document: Document, wanted: Sequence[RouteOrder]) -> Document | Drift | None:
        """What to send, None when it stands there already, or the drift in the way."""
        if any(order.split is not None for order in wanted):
            self._require_sync()
        outcome = next_document(document, wanted)
        return outcome if isinstance(outcome, Drift) else self._without_subset(wanted) or outcome

    def _without_subset(self, orders: Sequence[RouteOrder]) -> Drift | None:
        """The drift of a subset that somebody took away; a person's choice to restore adds it again."""
        for order in orders:
            if order.force and lost_subset(self._cache, [order], self._clock.now()):
                refused = self._ensure_subset(order.target, order.release)
                if refused is not None:
                    raise Fault(f"{refused.text} ({refused.reason_code})")
        return lost_subset(self._cache, orders, self._clock.now())

    def _await_subsets(self, orders: Sequence[RouteOrder]) -> None:
        for order in orders:
            left = wait_for_subset(self._cache, order, self._clock.now(), self._propagation)
            if left:
                raise Transient(f"Proxies learn of the new subset for another {left:.1f} s.", retry_after=left)

    def _ensure_subset(self, target: Target, release: str) -> Refused | None:
        for _ in range(ROUNDS):
            change = missing_subset(self._cache, target, release, self._clock.now())
            if change is None or isinstance(change, Refused):
                return change
            try:
                self._cluster.put(DESTINATION_RULE, change.after)
            except (Conflict, LostReply):
                self._cluster.get(DESTINATION_RULE, full_name(change.before))
        raise Conflict(f"The DestinationRule of {target.host} was written by others {ROUNDS} times.")


def _version(document: Document) -> str:
    return str(document["metadata"].get("resourceVersion") or "")
