"""What will happen, in order: plan, stages, gates."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from strategies.routing import HUNDRED, Match, Split

GAUGES = frozenset({"cpu", "memory"})  # of those that need no query


class StrategyName(StrEnum):
    """The ways of releasing that end in a plan."""

    CANARY = "canary"
    PHASED = "phased"
    BLUE_GREEN = "blue-green"
    SHADOW = "shadow"
    AB = "ab"


class Approve(StrEnum):
    """Where people are asked: before every increase, before the last one, or nowhere."""

    EVERY = "every"
    FINAL = "final"
    NONE = "none"


class SideEffects(StrEnum):
    """What mirrored requests do to data stores and external APIs, as the service's owner says."""

    NONE = "none"
    ISOLATED = "isolated"


class Better(StrEnum):
    """Which direction of a metric is good."""

    LOWER = "lower"
    HIGHER = "higher"


class Kind(StrEnum):
    """How a metric is measured: events out of requests, a histogram of durations, or a level."""

    COUNTS = "counts"
    LATENCY = "latency"
    GAUGE = "gauge"


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse is still allowed: absolute in the metric's unit, or relative to the baseline (0.1 = 10 %)."""

    value: float
    relative: bool = False

    def beyond(self, baseline: float, better: Better) -> float:
        """The bound that `baseline` sets under this margin; above it (below, if higher is better) is worse."""
        size = abs(baseline) * abs(self.value) if self.relative else abs(self.value)
        return baseline + size if better is Better.LOWER else baseline - size


@dataclass(frozen=True, slots=True)
class MetricGate:
    """A question asked of Prometheus.

    `limit` is an absolute bound in the metric's unit (`unit`: "ratio", "ms", "cores", "bytes", "1" or an owner's word),
    `allowed` a worsening against the baseline in the same window that is no harm; `tolerated` one that must be ruled
    out before promotion. `query` and `per` are the owner's templates: what is read, and for counts what it is out of
    (None: the version's requests).
    """

    metric: str
    unit: str
    better: Better = Better.LOWER
    limit: float | None = None
    allowed: Margin | None = None
    tolerated: Margin | None = None
    query: str | None = None
    per: str | None = None
    kind: Kind | None = None

    @property
    def measured(self) -> Kind:
        """The kind; gates that were stored before kinds had names tell it by their metric."""
        if self.kind is not None:
            return self.kind
        if self.metric.startswith("latency_"):
            return Kind.LATENCY
        return Kind.GAUGE if self.query is not None or self.metric in GAUGES else Kind.COUNTS


@dataclass(frozen=True, slots=True)
class ApprovalGate:
    """A question asked of people: `quorum` different approvers."""

    quorum: int = 1

    def __post_init__(self) -> None:
        """Refuse a quorum that nobody can miss."""
        if self.quorum < 1:
            raise ValueError(f"quorum must be at least 1, got {self.quorum}")


@dataclass(frozen=True, slots=True)
class SmokeGate:
    """A question asked of a smoke test over HTTP, once the stage's split is written; its answer decides the stage."""

    url: str


Gate = MetricGate | ApprovalGate | SmokeGate


@dataclass(frozen=True, slots=True)
class Stage:
    """One split per service, how long it is held, and what is asked before the next stage.

    `part` is the strategy that the stage belongs to in a pipeline, None in a plan of one strategy.
    """

    splits: Mapping[str, Split]
    hold: timedelta
    gates: tuple[Gate, ...] = ()
    min_requests: int = 0
    part: StrategyName | None = None

    def __post_init__(self) -> None:
        """Refuse a stage without a split or with a hold that runs backwards."""
        if not self.splits:
            raise ValueError("a stage needs a split")
        if self.hold < timedelta(0):
            raise ValueError(f"hold must not be negative, got {self.hold}")
        if self.min_requests < 0:
            raise ValueError(f"min_requests must not be negative, got {self.min_requests}")

    @property
    def metric_gates(self) -> tuple[MetricGate, ...]:
        """The gates that a look answers."""
        return tuple(gate for gate in self.gates if isinstance(gate, MetricGate))

    @property
    def smoke(self) -> SmokeGate | None:
        """The smoke test that decides the stage, if any; metrics can still prove harm, but need not say anything."""
        return next((gate for gate in self.gates if isinstance(gate, SmokeGate)), None)

    @property
    def approval(self) -> ApprovalGate | None:
        """The question asked of people before the stage is left, if any."""
        return next((gate for gate in self.gates if isinstance(gate, ApprovalGate)), None)


@dataclass(frozen=True, slots=True)
class Plan:
    """Stages in order; the last one gives the candidate everything (a shadow's last one takes the mirror away)."""

    strategy: StrategyName
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        """Refuse a plan with nothing to do."""
        if not self.stages:
            raise ValueError("a plan needs at least one stage")

    @property
    def parts(self) -> tuple[StrategyName, ...]:
        """The strategies of a pipeline in order, or the one there is."""
        return tuple(dict.fromkeys(stage.part or self.strategy for stage in self.stages))

    @property
    def ways(self) -> frozenset[StrategyName]:
        """The strategies that the plan is made of."""
        return frozenset({self.strategy, *(stage.part for stage in self.stages if stage.part)})

    def opening(self, service: str, candidate: str) -> Stage:
        """The first stage that sends anything to the candidate; the first of all where none does."""
        sending = (stage for stage in self.stages if stage.splits[service].reaches(candidate))
        return next(sending, self.stages[0])

    def shares(self, service: str, candidate: str) -> tuple[Decimal, ...]:
        """The candidate's percent in each stage."""
        return tuple(stage.splits[service].share(candidate) for stage in self.stages)


@dataclass(frozen=True, slots=True)
class Spec:
    """What was asked for, complete: profile, command and defaults already merged.

    `steps` are the candidate's percents: of everybody's requests, or (shadow) of the mirrored ones; `inside` are those
    of the matched requests in an ab test. `holds` are the steps' own times, empty when `hold` speaks for all. `matches`
    and `mirror` (percent) stand beside the weights until the last stage. `is_sticky` keeps each person by a cookie at
    the version that answered first. `smoke` is the address of the smoke test that decides a preview; `previews` is
    False where no route can carry one.
    """

    strategy: StrategyName
    service: str
    baseline: str
    candidate: str
    steps: tuple[Decimal, ...]
    hold: timedelta
    approve: Approve = Approve.EVERY
    quorum: int = 1
    gates: tuple[MetricGate, ...] = ()
    min_requests: int = 0
    holds: tuple[timedelta, ...] = ()
    matches: tuple[Match, ...] = ()
    mirror: Decimal | None = None
    inside: tuple[Decimal, ...] = (HUNDRED,)
    side_effects: SideEffects | None = None
    is_sticky: bool = False
    smoke: str = ""
    previews: bool = True
