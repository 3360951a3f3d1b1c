"""Everything that can happen to a release: requests of people and facts from outside, in the past tense.

Each event names its release and carries a key; the journal takes a key once, so a repeat is harmless.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from strategies.plan import Plan
from strategies.reasons import ReasonCode
from strategies.release import Actor, Drift, Rules, Target
from strategies.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class ReleaseRequested:
    """Somebody asked for a release; `starts_at` in the future makes it wait."""

    release: str
    key: str
    actor: Actor
    targets: tuple[Target, ...]
    plan: Plan
    rules: Rules
    channel: str
    starts_at: datetime | None = None
    overrides: tuple[ReasonCode, ...] = ()
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    """An approver said yes to the question of `revision` (None: the present one).

    `acknowledged` says that a confirm named what is missing; `override_reason` is set on the override path.
    """

    release: str
    key: str
    actor: Actor
    revision: int | None = None
    note: str = ""
    acknowledged: bool = False
    override_reason: str = ""


@dataclass(frozen=True, slots=True)
class GuardOverridden:
    """A person says that the release may begin although `rule` does not hold."""

    release: str
    key: str
    actor: Actor
    rule: ReasonCode
    reason: str


@dataclass(frozen=True, slots=True)
class PauseRequested:
    """A person wants the plan to wait."""

    release: str
    key: str
    actor: Actor
    reason: str = ""
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class ResumeRequested:
    """A person wants the plan to go on."""

    release: str
    key: str
    actor: Actor
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class RollbackRequested:
    """A person wants all traffic on the baseline, now. Carries no revision: it is right whatever changed.

    `makes_way` when an earlier release of the route goes back by the same click: one that moved nothing ends at once.
    """

    release: str
    key: str
    actor: Actor
    reason: str = ""
    makes_way: bool = False


@dataclass(frozen=True, slots=True)
class SuccessorRequested:
    """A person asked for the next release of the route; one that only waits to let its baseline go makes way."""

    release: str
    key: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class ScheduleRequested:
    """A person wants the start, or the next increase, not before `at`.

    `unattended` asks for a standing approval of `stages` (indexes) until `closes`; otherwise the question is asked
    at `at`.
    """

    release: str
    key: str
    actor: Actor
    at: datetime
    closes: datetime
    unattended: bool = True
    stages: tuple[int, ...] = ()


class DriftChoice(StrEnum):
    """The three answers to a hand edit of our fields."""

    ADOPT = "adopt"
    RESTORE = "restore"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class DriftResolved:
    """A person said what becomes of somebody else's edit."""

    release: str
    key: str
    actor: Actor
    choice: DriftChoice
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Profile and cluster are checked, subsets are there, the candidate is ready."""

    release: str
    key: str
    originals: Mapping[str, str]
    ready: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PreparationBlocked:
    """Preparing found a reason not to go on; `is_final` when waiting cannot cure it."""

    release: str
    key: str
    reason_code: ReasonCode
    text: str
    is_final: bool


@dataclass(frozen=True, slots=True)
class HistoryRead:
    """How the baseline behaved before the release, as the judge keeps it; `preflight` says it in a sentence."""

    release: str
    key: str
    history: str
    preflight: str


@dataclass(frozen=True, slots=True)
class RouteConfirmed:
    """The object carries the fields of `revision`: written and read back; or, in a rollback, it was deleted."""

    release: str
    key: str
    object: str
    revision: int
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class DriftFound:
    """The object carries neither what we wrote nor what we want, seen by who knew the release at `revision`."""

    release: str
    key: str
    drift: Drift
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class LookTaken:
    """One look's verdicts; `candidate_ready` and `baseline_ready` are numbers of ready pods, None when unknown."""

    release: str
    key: str
    at: datetime
    stage: int
    verdicts: tuple[Verdict, ...]
    memory: str = ""
    candidate_ready: int | None = None
    baseline_ready: int | None = None


@dataclass(frozen=True, slots=True)
class SmokeAnswered:
    """The smoke test of a stage said yes or no; `revision` is the split's that it was asked about."""

    release: str
    key: str
    stage: int
    revision: int
    is_passed: bool
    text: str


@dataclass(frozen=True, slots=True)
class WakeReached:
    """The time in `wake_at` has come; `due` is that time, so a late twin is recognised."""

    release: str
    key: str
    due: datetime


@dataclass(frozen=True, slots=True)
class ClusterChanged:
    """What the release waits for is not what it was told last: its pods have changed."""

    release: str
    key: str


@dataclass(frozen=True, slots=True)
class CapacityLacked:
    """The split of `revision` was not written: the candidate has too few ready pods for its share."""

    release: str
    key: str
    revision: int
    text: str


@dataclass(frozen=True, slots=True)
class BaselineWatched:
    """Whether anything still needs the baseline: `text` is the proof that nothing does, or what is in its way.

    `sizes`, `kept` and `warm_up` are what a rollback needs once the baseline is gone.
    """

    release: str
    key: str
    is_idle: bool
    text: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    warm_up: timedelta | None = None


@dataclass(frozen=True, slots=True)
class BaselineRetired:
    """The baseline is proven idle and was scaled down or deleted as the profile says."""

    release: str
    key: str
    proof: str


@dataclass(frozen=True, slots=True)
class BaselineAwaited:
    """The rollback's write waits: the baseline has too few ready pods to take the traffic back."""

    release: str
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class EffectFailed:
    """An effect cannot be done: retries used up, or a fault that no retry cures."""

    release: str
    key: str
    effect: str
    text: str


Event = (
    ReleaseRequested
    | ApprovalGiven
    | GuardOverridden
    | PauseRequested
    | ResumeRequested
    | RollbackRequested
    | SuccessorRequested
    | ScheduleRequested
    | DriftResolved
    | Prepared
    | PreparationBlocked
    | HistoryRead
    | RouteConfirmed
    | DriftFound
    | LookTaken
    | SmokeAnswered
    | WakeReached
    | ClusterChanged
    | CapacityLacked
    | BaselineWatched
    | BaselineRetired
    | BaselineAwaited
    | EffectFailed
)
