"""The one machine: every phase, every event, and what follows.

All transitions are in `TRANSITIONS`; nothing else decides whether an event may move a release in its phase. What a
move does is in `people` (requests), `approvals` (yes and no) and `facts` (what the world reports); they end in the
few moves of `moves`. The machine knows no clock, no cluster and no chat: it takes a release, an event and the time,
and answers with the next release and the effects to be done.

Theory of operation. A plan is a row of stages. A stage is *shifting* until its split is written, read back and seen in
traffic; then it is *observed* until its hold is over and every gate passes; then people are *asked* if the stage says
so; then the next stage begins. After the last stage both versions stay warm (*soaking*), then the baseline is proven
idle and removed (*decommissioning*) and the release is *completed*. At any time it can be *paused*, which stops its
clocks but not its looks; it can get *stuck*, which needs a person; and it can go back: *rolling_back* ends only in
*rolled_back*, when the original fields were read back.

Three answers. An event moves the release; or it is ignored, because it says nothing new there (a late twin, a look at
a release that goes back); or it is refused by name, because a person should know. Facts are never refused. A rollback
is never refused while there is something to take back, and nothing takes a release out of *rolling_back* but success
or *stuck*, which keeps the write going.

The revision counts what a button speaks of: it grows with each change of plan, split or question, and a look grows it
only when a verdict turns to or from fail. `split_revision` remembers when the split last changed, so that a write that
was under way while somebody paused still confirms it.

Timers are data: whatever moved, `wake_at` is set to the earliest timer that lies ahead, here and nowhere else. A time
that has come stays in `wake_at` until its own wake is handled, so a look that is first does not make it forgotten.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import assert_never

from strategies import approvals, capacity, facts, overrides, people, retirement, timers
from strategies.decision import Decision, ignored
from strategies.events import (
    ApprovalGiven,
    BaselineAwaited,
    BaselineRetired,
    BaselineWatched,
    CapacityLacked,
    ClusterChanged,
    DriftFound,
    DriftResolved,
    EffectFailed,
    Event,
    GuardOverridden,
    HistoryRead,
    LookTaken,
    PauseRequested,
    PreparationBlocked,
    Prepared,
    ReleaseRequested,
    ResumeRequested,
    RollbackRequested,
    RouteConfirmed,
    ScheduleRequested,
    SmokeAnswered,
    SuccessorRequested,
    WakeReached,
)
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Release


class Course(Enum):
    """What an event does in a phase, unless it is refused."""

    MOVES = "moves"
    IGNORED = "ignored"


MOVES, IGNORED, WRONG = Course.MOVES, Course.IGNORED, ReasonCode.WRONG_PHASE
Row = Mapping[Phase, Course | ReasonCode]


def _row(otherwise: Course | ReasonCode, *moving: Phase, ignored_in: frozenset[Phase] = frozenset()) -> Row:
    return {phase: MOVES if phase in moving else IGNORED if phase in ignored_in else otherwise for phase in Phase}


TRANSITIONS: Mapping[type[Event], Row] = {
    ReleaseRequested: _row(ReasonCode.ALREADY_RELEASING),
    ApprovalGiven: _row(
        WRONG, Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.DECOMMISSIONING
    ),
    GuardOverridden: _row(WRONG, Phase.SCHEDULED, Phase.PREPARING),
    PauseRequested: _row(
        WRONG,
        Phase.SCHEDULED,
        Phase.PREPARING,
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.SOAKING,
        Phase.DECOMMISSIONING,
        ignored_in=frozenset({Phase.PAUSED}),
    ),
    ResumeRequested: _row(WRONG, Phase.PAUSED, Phase.STUCK),
    RollbackRequested: _row(WRONG, *Phase),
    SuccessorRequested: _row(ReasonCode.ALREADY_RELEASING, Phase.DECOMMISSIONING, Phase.PAUSED, Phase.STUCK),
    ScheduleRequested: _row(WRONG, Phase.SCHEDULED, Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL),
    DriftResolved: _row(WRONG, Phase.PAUSED, Phase.STUCK),
    Prepared: _row(IGNORED, Phase.PREPARING),
    PreparationBlocked: _row(IGNORED, Phase.PREPARING),
    HistoryRead: _row(
        IGNORED,
        Phase.PREPARING,
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.PAUSED,
        Phase.SOAKING,
        Phase.STUCK,
    ),
    RouteConfirmed: _row(
        IGNORED,
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.PAUSED,
        Phase.SOAKING,
        Phase.ROLLING_BACK,
        Phase.STUCK,
    ),
    DriftFound: _row(
        IGNORED, Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.SOAKING
    ),
    LookTaken: _row(
        IGNORED,
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.PAUSED,
        Phase.SOAKING,
        Phase.STUCK,
    ),
    SmokeAnswered: _row(
        IGNORED, Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.STUCK
    ),
    WakeReached: _row(
        IGNORED,
        Phase.SCHEDULED,
        Phase.PREPARING,
        Phase.SHIFTING,
        Phase.OBSERVING,
        Phase.AWAITING_APPROVAL,
        Phase.SOAKING,
        Phase.DECOMMISSIONING,
        Phase.ROLLING_BACK,
        Phase.PAUSED,
        Phase.STUCK,
    ),
    ClusterChanged: _row(IGNORED, Phase.PREPARING, Phase.SHIFTING),
    CapacityLacked: _row(IGNORED, Phase.SHIFTING),
    BaselineWatched: _row(IGNORED, Phase.DECOMMISSIONING),
    BaselineRetired: _row(IGNORED, Phase.DECOMMISSIONING),
    BaselineAwaited: _row(IGNORED, Phase.ROLLING_BACK, Phase.STUCK),
    EffectFailed: _row(
        IGNORED, Phase.PREPARING, Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED,
        Phase.SOAKING, Phase.DECOMMISSIONING, Phase.ROLLING_BACK,
    ),
}  # fmt: skip


def decide(release: Release | None, event: Event, now: datetime) -> Decision | Refused:
    """What follows from `event` at `now` (aware UTC). `release` is None only for a new one.

    Refused with the table's reason code where the phase does not allow the request, and with the rule's own code
    where the person, the revision or the evidence does not.
    """
    if release is None:
        if isinstance(event, ReleaseRequested):
            return _timed(people.begin(event, now), now, None)
        return Refused(ReasonCode.UNKNOWN_RELEASE, f"There is no release {event.release}.")
    course = TRANSITIONS[type(event)][release.phase]
    if course is Course.IGNORED:
        return ignored(release)
    if isinstance(course, ReasonCode):
        return Refused(course, _wrong_phase(release, event))
    return _timed(_move(release, event, now), now, _unhandled(release, event, now))


def _move(release: Release, event: Event, now: datetime) -> Decision | Refused:  # noqa: C901, PLR0911, PLR0912 - one line per event
    match event:
        case ApprovalGiven() if release.phase is Phase.DECOMMISSIONING:
            return retirement.approve(release, event, now)
        case ApprovalGiven():
            return approvals.approve(release, event, now)
        case GuardOverridden():
            return overrides.override(release, event, now)
        case PauseRequested():
            return people.pause(release, event, now)
        case ResumeRequested():
            return people.resume(release, event, now)
        case RollbackRequested():
            return people.roll_back(release, event, now)
        case SuccessorRequested():
            return retirement.make_way(release, event, now)
        case ScheduleRequested():
            return people.schedule(release, event, now)
        case DriftResolved():
            return people.resolve_drift(release, event, now)
        case Prepared():
            return facts.prepared(release, event, now)
        case PreparationBlocked():
            return facts.blocked(release, event, now)
        case HistoryRead():
            return facts.history_read(release, event)
        case RouteConfirmed():
            return facts.confirmed(release, event, now)
        case DriftFound():
            return facts.drifted(release, event, now)
        case LookTaken():
            return capacity.seen(release, facts.looked(release, event, now))
        case SmokeAnswered():
            return facts.smoked(release, event, now)
        case WakeReached():
            return facts.woken(release, event, now)
        case ClusterChanged():
            return facts.cluster_changed(release, now)
        case CapacityLacked():
            return capacity.lacked(release, event, now)
        case BaselineWatched():
            return retirement.watched(release, event, now)
        case BaselineRetired():
            return retirement.retired(release, event, now)
        case BaselineAwaited():
            return retirement.awaited(release, event)
        case EffectFailed():
            return facts.failed(release, event, now)
        case ReleaseRequested():  # pragma: no cover - the table refuses it in every phase
            return Refused(ReasonCode.ALREADY_RELEASING, _wrong_phase(release, event))
        case _:  # pragma: no cover
            assert_never(event)


def _timed(decision: Decision | Refused, now: datetime, overdue: datetime | None) -> Decision | Refused:
    if isinstance(decision, Refused):
        return decision
    wake = timers.next_wake(decision.release, now, overdue)
    return replace(decision, release=replace(decision.release, wake_at=wake))


def _unhandled(release: Release, event: Event, now: datetime) -> datetime | None:
    """The wake that is due, unless this event is that wake."""
    due = release.wake_at
    if due is None or due > now or (isinstance(event, WakeReached) and event.due == due):
        return None
    return due


def _wrong_phase(release: Release, event: Event) -> str:
    phase = release.phase.replace("_", " ")
    match event:
        case ReleaseRequested() | SuccessorRequested():
            return f"{release.target.service} is being released already: {release.id} is {phase}."
        case _:
            return f"{release.id} is {phase}: {_VERBS[type(event)]} is not possible there."


_VERBS: Mapping[type[Event], str] = {
    ApprovalGiven: "approving",
    GuardOverridden: "overriding a guard",
    PauseRequested: "pausing",
    ResumeRequested: "resuming",
    ScheduleRequested: "scheduling",
    DriftResolved: "resolving a drift",
}
