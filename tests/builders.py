"""Ready-made values of the core for tests; each takes what the test cares about and fills in the rest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from strategies.plan import ApprovalGate, Better, Gate, Margin, MetricGate, Plan, Stage, StrategyName
from strategies.release import Actor, Phase, Release, Role, Rules, Target
from strategies.routing import Protocol, Route, Split
from strategies.verdicts import Arm, Outcome, Reading, Verdict

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def a_route(**changes: object) -> Route:
    """The main http route of reviews in shop."""
    return replace(Route("shop", "reviews", Protocol.HTTP, "main"), **changes)  # type: ignore[arg-type]


def a_target(service: str = "reviews", **changes: object) -> Target:
    """One service from v1 to v2 on one route."""
    target = Target(
        service=service,
        host=f"{service}.shop.svc.cluster.local",
        namespace="shop",
        baseline="v1",
        candidate="v2",
        routes=(Route("shop", service, Protocol.HTTP, "main"),),
        subsets={"v1": "v1", "v2": "v2"},
        workloads={"v1": f"{service}-v1", "v2": f"{service}-v2"},
    )
    return replace(target, **changes)  # type: ignore[arg-type]


def an_actor(id: str = "U1", *roles: Role, **changes: object) -> Actor:
    """A person; a releaser when no role is named."""
    actor = Actor(id, f"Person {id}", frozenset(roles or (Role.RELEASER,)))
    return replace(actor, **changes)  # type: ignore[arg-type]


def an_approver(id: str = "U2") -> Actor:
    """A person who may approve, and is not the requester of `a_release`."""
    return an_actor(id, Role.APPROVER)


def the_gates() -> tuple[MetricGate, ...]:
    """Errors and p99 latency with usual margins."""
    errors = MetricGate("errors", "ratio", limit=0.01, allowed=Margin(0.001), tolerated=Margin(0.005))
    latency = MetricGate("latency_p99", "ms", Better.LOWER, allowed=Margin(0.1, relative=True))
    return errors, latency


def a_stage(share: str = "5", service: str = "reviews", **changes: object) -> Stage:
    """`share` percent for v2, ten minutes, two metric gates."""
    stage = Stage({service: Split.between("v1", "v2", Decimal(share))}, timedelta(minutes=10), the_gates(), 500)
    return replace(stage, **changes)  # type: ignore[arg-type]


def a_plan(*shares: str, service: str = "reviews", approve: bool = True) -> Plan:
    """A canary by `shares` (5, 25, 50, 100), approved before each increase."""
    steps = shares or ("5", "25", "50", "100")
    asked: tuple[Gate, ...] = (*the_gates(), ApprovalGate()) if approve else the_gates()
    stages = [a_stage(share, service, gates=asked if share != steps[-1] else the_gates()) for share in steps]
    return Plan(StrategyName.CANARY, tuple(stages))


def a_verdict(outcome: Outcome = Outcome.PASS, gate: str = "errors", **changes: object) -> Verdict:
    """A verdict on errors with evidence."""
    verdict = Verdict(
        gate, outcome, f"{gate} say {outcome}", baseline=0.001, candidate=0.002, bound=0.006, unit="ratio"
    )
    return replace(verdict, **changes)  # type: ignore[arg-type]


def a_reading(at: datetime = NOW, **changes: object) -> Reading:
    """A healthy look of fifteen seconds at 5 % share."""
    buckets = {10.0: 700.0, 50.0: 940.0, float("inf"): 950.0}
    reading = Reading(
        at=at,
        since=at - timedelta(seconds=15),
        baseline=Arm(950.0, 1.0, buckets),
        candidate=Arm(50.0, 0.0, {10.0: 30.0, 50.0: 50.0, float("inf"): 50.0}),
        unattributed=0.0,
        ready={"v1": 3, "v2": 2},
    )
    return replace(reading, **changes)  # type: ignore[arg-type]


def a_release(id: str = "reviews-1", **changes: object) -> Release:
    """A scheduled canary of reviews, asked for by U1 at `NOW`."""
    release = Release(
        id=id,
        targets=(a_target(),),
        plan=a_plan(),
        rules=Rules(approvers=frozenset({"U2", "S2"})),
        requester=an_actor("U1"),
        channel="C1",
        created_at=NOW,
        phase=Phase.SCHEDULED,
        entered_at=NOW,
    )
    return replace(release, **changes)  # type: ignore[arg-type]
