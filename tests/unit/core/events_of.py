"""One event of each kind for a release, so that tests can walk all phases with all events."""

from dataclasses import replace
from datetime import datetime, timedelta

from strategies.decision import Decision
from strategies.effects import Say
from strategies.events import (
    ApprovalGiven,
    BaselineAwaited,
    BaselineRetired,
    BaselineWatched,
    CapacityLacked,
    ClusterChanged,
    DriftChoice,
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
from strategies.machine import decide
from strategies.plan import Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import ENDED, Actor, Drift, Phase, Release, Role
from strategies.verdicts import Outcome, Verdict
from tests.builders import NOW, a_release, a_verdict, an_actor

BOB = an_actor("U2", Role.APPROVER, Role.OVERRIDE)
ALICE = an_actor("U1", Role.RELEASER)
CAROL = an_actor("U3", Role.ON_CALL)
MALLORY = Actor("U9", "Mallory")
LATER = NOW + timedelta(hours=1)
PASSES = (a_verdict(gate="split"), a_verdict())
FAILS = (a_verdict(gate="split"), a_verdict(Outcome.FAIL))
WAITS = (a_verdict(gate="split"), a_verdict(Outcome.WAIT, missing="900 more requests"))


def in_phase(phase: Phase, plan: Plan | None = None) -> Release:
    """A release that could stand in this phase: the first split is written wherever one would be."""
    early = phase in {Phase.SCHEDULED, Phase.PREPARING}
    release = a_release(phase=phase, stage=-1 if early else 0, starts_at=LATER if phase is Phase.SCHEDULED else None)
    if plan is not None:
        release = replace(release, plan=plan)
    if early:
        return replace(release, wake_at=LATER)
    return replace(
        release,
        originals={"shop/reviews/http/main": "{}"},
        confirmed=frozenset({"shop/reviews"}),
        written=0,
        stage_began_at=NOW,
        hold_until=NOW + timedelta(minutes=10) if phase is Phase.OBSERVING else None,
        asked_at=NOW if phase is Phase.AWAITING_APPROVAL else None,
        soak_until=LATER if phase is Phase.SOAKING else None,
        resume_to=Phase.OBSERVING if phase in {Phase.PAUSED, Phase.STUCK} else None,
        verdicts=() if phase in ENDED else PASSES,
        wake_at=None if phase in ENDED else LATER,
    )


def a_look(release: Release, verdicts: tuple[Verdict, ...], at: datetime = NOW, ready: int | None = 2) -> LookTaken:
    """A look at the present stage."""
    return LookTaken(release.id, f"look:{at.isoformat()}", at, release.stage, verdicts, "{}", ready)


def one_of_each(release: Release) -> tuple[Event, ...]:
    """Every kind of event, addressed to this release by somebody who may."""
    id, revision = release.id, release.revision
    drift = Drift("shop/reviews", "weight 5 -> 40", "kubectl-edit", release.wanted("reviews"))
    closes = LATER + timedelta(hours=8)
    return (
        ReleaseRequested(id, "k1", ALICE, release.targets, release.plan, release.rules, "C1"),
        ApprovalGiven(id, "k2", BOB, revision, acknowledged=True),
        GuardOverridden(id, "k16", BOB, ReasonCode.NOT_STAGED, "tested by hand"),
        PauseRequested(id, "k3", ALICE),
        ResumeRequested(id, "k4", ALICE, revision),
        RollbackRequested(id, "k5", CAROL),
        ScheduleRequested(id, "k6", BOB, LATER, closes),
        DriftResolved(id, "k7", BOB, DriftChoice.RESTORE, revision),
        SuccessorRequested(id, "k19", ALICE),
        Prepared(id, "k8", {"shop/reviews/http/main": "{}"}, {"v2": 2}),
        PreparationBlocked(id, "k9", ReasonCode.NOT_READY, "v2 has no ready pod.", is_final=False),
        HistoryRead(id, "k16", '{"v":1}', "Every stage can be answered."),
        RouteConfirmed(id, "k10", "shop/reviews", revision),
        DriftFound(id, "k11", drift),
        a_look(release, PASSES),
        WakeReached(id, "k13", release.wake_at or LATER),
        SmokeAnswered(id, "k18", release.stage, revision, is_passed=True, text="The smoke test passed."),
        BaselineRetired(id, "k14", "no request in 5 min"),
        BaselineWatched(id, "k16", is_idle=True, text="no request in 5 min"),
        ClusterChanged(id, "k20"),
        CapacityLacked(id, "k18", release.split_revision, "v2 has 1 of 2 ready pods."),
        BaselineAwaited(id, "k17", "v1 is scaled up first: 0 of 3 pods are ready."),
        EffectFailed(id, "k15", "SetRoute", "forbidden"),
    )


def moved(release: Release, event: Event, now: datetime = NOW) -> Decision:
    """What the machine decides on an event that it must not refuse."""
    outcome = decide(release, event, now)
    assert isinstance(outcome, Decision), outcome
    return outcome


def refused(release: Release, event: Event, now: datetime = NOW) -> ReasonCode:
    """Why the machine refuses an event; the sentence for the person is never empty."""
    outcome = decide(release, event, now)
    assert isinstance(outcome, Refused), outcome
    assert outcome.text.endswith(".")
    return outcome.reason_code


def kinds(decision: Decision) -> list[str]:
    """The names of a decision's effects, in their order."""
    return [type(effect).__name__ for effect in decision.effects]


def said(decision: Decision) -> list[Say]:
    """The lines of a decision."""
    return [effect for effect in decision.effects if isinstance(effect, Say)]
