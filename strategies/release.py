"""A release: what moves, by which rules, and where it stands now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from strategies.plan import Plan, Stage
from strategies.reasons import ReasonCode
from strategies.routing import Protocol, Route, Split
from strategies.terms import Terms
from strategies.verdicts import Outcome, Verdict


class Phase(StrEnum):
    """Where a release stands."""

    SCHEDULED = "scheduled"
    PREPARING = "preparing"
    SHIFTING = "shifting"
    OBSERVING = "observing"
    AWAITING_APPROVAL = "awaiting_approval"
    PAUSED = "paused"
    SOAKING = "soaking"
    DECOMMISSIONING = "decommissioning"
    ROLLING_BACK = "rolling_back"
    STUCK = "stuck"
    COMPLETED = "completed"
    ROLLED_BACK = "rolled_back"


ENDED = frozenset({Phase.COMPLETED, Phase.ROLLED_BACK})
# Stuck is looked at too: a candidate that was left with a share must still be taken back when it hurts.
LOOKING = frozenset(
    {Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.SOAKING, Phase.STUCK}
)


class Role(StrEnum):
    """What a person may do; given by user or group id, never by membership of a channel."""

    VIEWER = "viewer"
    RELEASER = "releaser"
    APPROVER = "approver"
    OVERRIDE = "override"
    ON_CALL = "on_call"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks: a person with roles and group ids resolved at the moment of the click, or Sluice itself."""

    id: str
    name: str
    roles: frozenset[Role] = frozenset()
    groups: frozenset[str] = frozenset()


SLUICE = Actor("sluice", "Sluice")


class OnHarm(StrEnum):
    """What proven harm does."""

    ROLL_BACK = "roll_back"
    PAUSE = "pause"


class AtDeadline(StrEnum):
    """What a stage does that still lacks evidence at its deadline."""

    ASK = "ask"
    HOLD = "hold"
    ROLL_BACK = "roll_back"


class NoAnswer(StrEnum):
    """What an unanswered question does; approving is not among the values."""

    HOLD = "hold"
    ROLL_BACK = "roll_back"


class Decommission(StrEnum):
    """What becomes of the baseline after the soak."""

    KEEP = "keep"
    SCALE_TO_ZERO = "scale_to_zero"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Rules:
    """The part of a profile that the machine obeys, as it was when the release was asked for."""

    approvers: frozenset[str] = frozenset()  # user or group ids; empty: everybody with the approver role
    requester_may_approve: bool = False
    no_answer_after: timedelta = timedelta(hours=2)
    no_answer_then: NoAnswer = NoAnswer.HOLD
    on_harm: OnHarm = OnHarm.ROLL_BACK
    deadline: timedelta = timedelta(minutes=30)
    at_deadline: AtDeadline = AtDeadline.ASK
    soak: timedelta = timedelta(minutes=30)
    decommission: Decommission = Decommission.KEEP
    decommission_approval: bool = False
    scale: bool = False  # whether Sluice may scale the versions of a release
    capacity: Decimal = Decimal(100)  # percent of the baseline's pods that a share of the requests takes
    idle: timedelta = timedelta(minutes=5)  # without a request before the baseline counts as called by nobody
    drain: timedelta = timedelta(seconds=60)  # for requests under way that no counter tells of yet
    look: timedelta = timedelta(seconds=15)
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True, slots=True)
class Target:
    """One service that moves: its host, its two versions and the routes that share its traffic.

    `subsets` and `workloads` name the DestinationRule subset and the Deployment of each version; `image` is what the
    candidate's Deployment is made with, empty where it is there already. `elsewhere` are the positions of other routes
    to the service, which stay as they are.
    """

    service: str
    host: str
    namespace: str
    baseline: str
    candidate: str
    routes: tuple[Route, ...]
    subsets: Mapping[str, str] = field(default_factory=dict)
    workloads: Mapping[str, str] = field(default_factory=dict)
    version_label: str = "version"
    image: str = ""
    elsewhere: tuple[str, ...] = ()

    @property
    def carries_requests(self) -> bool:
        """False where tcp and tls routes alone move: their proxies count connections, and know no answers."""
        return not self.routes or any(route.protocol is Protocol.HTTP for route in self.routes)

    @property
    def counted(self) -> str:
        """What the candidate's share is measured in: `request` or `connection`."""
        return "request" if self.carries_requests else "connection"

    @property
    def objects(self) -> tuple[str, ...]:
        """The VirtualServices to write, as `namespace/name`, each once."""
        return tuple(dict.fromkeys(f"{route.namespace}/{route.virtual_service}" for route in self.routes))


@dataclass(frozen=True, slots=True)
class Approval:
    """A person's yes to one question."""

    actor: Actor
    stage: int
    revision: int
    at: datetime
    note: str = ""
    overrides: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """A person's word that one guard need not hold for this release."""

    rule: ReasonCode
    actor: Actor
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StandingApproval:
    """A yes given in advance: these stages, inside this window, while nothing fails, drifts or changes."""

    actor: Actor
    stages: tuple[int, ...]
    opens: datetime
    closes: datetime
    given_at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Somebody else changed our fields: what stands there, what we wrote, who did it."""

    object: str
    difference: str
    by: str
    split: Split | None


@dataclass(frozen=True, slots=True)
class Release:
    """One service on its way from the baseline to the candidate.

    `stage` is the index into the plan (-1 before the first). `note` is the sentence that says why it stands where it
    stands. `originals` holds each targeted route's fields before the first write, as canonical JSON by route key.
    `confirmed` are the objects whose present split was read back; `split_revision` is the revision that wanted it;
    `written` is the stage whose split was read back everywhere (-1: the originals), `written_at` when. `overwrites`
    lets the next write replace somebody else's edit. `replaced` are the splits that an adopted edit took the place of,
    until the new one is read back everywhere. `blocked_by` is the guard that people were told of. `memory` and
    `history` (what was known before the release) belong to the judge and are opaque here; `preflight` says in a
    sentence what the gates need at the service's traffic. `smoke` is what the stage's smoke test said.
    `sizes` are the baselines' pods by Deployment (`namespace/name`) at the start, `warm_up` the time they took to be
    ready. `proof` says why the baseline counted as idle at `proven_at`; from `is_cold` on it may have been scaled down,
    and `kept` is what brings back the rest.
    """

    id: str
    targets: tuple[Target, ...]
    plan: Plan
    rules: Rules
    requester: Actor
    channel: str
    created_at: datetime
    phase: Phase
    entered_at: datetime
    stage: int = -1
    revision: int = 1
    split_revision: int = 1
    note: str = ""
    wake_at: datetime | None = None
    starts_at: datetime | None = None
    not_before: datetime | None = None
    stage_began_at: datetime | None = None
    hold_until: datetime | None = None
    hold_left: timedelta | None = None
    soak_until: datetime | None = None
    asked_at: datetime | None = None
    reminded: bool = False
    called_at: datetime | None = None
    retry_at: datetime | None = None
    confirmed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    written: int = -1
    written_at: datetime | None = None
    overwrites: bool = False
    replaced: tuple[Mapping[str, Split], ...] = ()
    originals: Mapping[str, str] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    blocked_by: ReasonCode | None = None
    standing: StandingApproval | None = None
    verdicts: tuple[Verdict, ...] = ()
    memory: str = ""
    history: str = ""
    preflight: str = ""
    smoke: Verdict | None = None
    last_look_at: datetime | None = None
    unready_looks: int = 0
    baseline_ready: int | None = None  # pods at the last look, None when unknown
    baseline_told: int | None = None  # the fewest pods that people were told of, None while it never shrank
    resume_to: Phase | None = None
    drift: Drift | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    kept: Mapping[str, str] = field(default_factory=dict)
    warm_up: timedelta | None = None
    proof: str = ""
    proven_at: datetime | None = None
    may_retire: bool = False
    is_retiring: bool = False
    is_cold: bool = False
    waits_for: str = ""  # what a rollback brings back before it writes

    @property
    def target(self) -> Target:
        """The first service of the release, the one it is named after."""
        return self.targets[0]

    @property
    def current(self) -> Stage | None:
        """The stage whose split is wanted now, None before the first."""
        return self.plan.stages[self.stage] if self.stage >= 0 else None

    @property
    def following(self) -> Stage | None:
        """The stage after this one, None at the last."""
        after = self.stage + 1
        return self.plan.stages[after] if after < len(self.plan.stages) else None

    @property
    def waived(self) -> frozenset[ReasonCode]:
        """The guards that somebody overrode."""
        return frozenset(waiver.rule for waiver in self.waivers)

    @property
    def is_over(self) -> bool:
        """True when nothing will happen any more."""
        return self.phase in ENDED

    @property
    def is_going_back(self) -> bool:
        """True when the baseline's original fields are wanted, also while stuck on the way."""
        return self.phase in {Phase.ROLLING_BACK, Phase.ROLLED_BACK} or (
            self.phase is Phase.STUCK and self.resume_to is Phase.ROLLING_BACK
        )

    @property
    def objects(self) -> tuple[str, ...]:
        """Every VirtualService of the release, as `namespace/name`."""
        return tuple(dict.fromkeys(name for target in self.targets for name in target.objects))

    def wanted(self, service: str) -> Split | None:
        """The split that the mesh should serve now; None means the original fields."""
        if self.is_going_back or self.current is None or self.is_leaving:
            return None
        return self.current.splits[service]

    @property
    def is_leaving(self) -> bool:
        """True in a last stage that sends nothing to a candidate: a shadow ends as it began, by the original fields."""
        return self.stage >= 0 and self.following is None and self._sends_nothing(self.stage)

    @property
    def asks_first(self) -> bool:
        """True in a stage of which only the question counts."""
        return self.stage >= 0 and self.only_asks(self.stage)

    def only_asks(self, stage: int) -> bool:
        """True of a stage that sends nothing to a candidate, before one that does."""
        return stage < len(self.plan.stages) - 1 and self._sends_nothing(stage)

    def _sends_nothing(self, stage: int) -> bool:
        splits = self.plan.stages[stage].splits
        return not any(splits[t.service].reaches(t.candidate) for t in self.targets)

    @property
    def in_force(self) -> int:
        """The stage whose split the mesh serves, as far as was read back.

        Until something of an increase was, which may wait for pods, that is the split before; of the first stage one
        cannot know, for its write may have been carried out and its answer lost.
        """
        return self.stage if self.confirmed or self.is_confirmed or self.written < 0 else self.written

    @property
    def is_confirmed(self) -> bool:
        """True when every object carries the wanted split."""
        return self.confirmed >= set(self.objects)

    def failing(self) -> tuple[Verdict, ...]:
        """Verdicts that prove harm."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.FAIL)

    def waiting(self) -> tuple[Verdict, ...]:
        """Verdicts that still lack something."""
        return tuple(verdict for verdict in self.verdicts if verdict.outcome is Outcome.WAIT)
