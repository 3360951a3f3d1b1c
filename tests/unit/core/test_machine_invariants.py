"""What holds after every step of every walk: nothing hangs, nothing is lost, nothing rises by itself."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import approvals, moves, timers
from strategies.decision import Decision
from strategies.effects import Effect, Prepare, RetireBaseline, SetRoute
from strategies.events import (
    ApprovalGiven,
    DriftResolved,
    Event,
    LookTaken,
    RouteConfirmed,
    ScheduleRequested,
    WakeReached,
)
from strategies.machine import decide
from strategies.release import Phase, Release
from strategies.routing import HUNDRED
from strategies.verdicts import Outcome
from tests.builders import NOW
from tests.unit.core.events_of import BOB
from tests.unit.core.test_machine_properties import NAMES, RULES, Step, begun, event

WORKING = (Prepare, SetRoute, RetireBaseline)
# A walk begins anywhere on the good way, and what goes on comes more often than what goes wrong.
GOOD_WAY = st.integers(0, 18).map(lambda strides: [("onward", 1)] * strides)
DETOURS = st.lists(
    st.tuples(st.sampled_from(NAMES + ("onward",) * 12), st.sampled_from([0, 1, 5, 60, 700, 8000])), max_size=15
)
STEPS = st.builds(lambda way, detours: [*way, *detours], GOOD_WAY, DETOURS)
WALKS = st.tuples(STEPS, RULES, st.booleans(), st.booleans())
Walk = tuple[list[Step], object, bool, bool]


@dataclass(frozen=True)
class Taken:
    """One step: what stood before, what happened when, and what followed."""

    before: Release
    event: Event
    now: datetime
    after: Release
    effects: tuple[Effect, ...]


def onward(release: Release, now: datetime) -> tuple[str, datetime]:
    """What comes next, and when, if all goes well."""
    match release.phase:
        case Phase.PREPARING:
            return "prepared", now
        case Phase.SHIFTING | Phase.ROLLING_BACK if not release.is_confirmed:
            return "confirmed", now
        case Phase.OBSERVING if release.hold_until:
            return "passes", max(now, release.hold_until)
        case Phase.AWAITING_APPROVAL:
            return "acknowledge", now
        case Phase.PAUSED | Phase.STUCK:
            return "resume", now
        case Phase.SOAKING | Phase.SCHEDULED if release.wake_at:
            return "wake", max(now, release.wake_at)
        case _:
            return "passes", now


def steps_of(walk: Walk) -> Iterator[Taken]:
    """The steps of a walk."""
    steps, rules, approve, ahead = walk
    release, now = begun(rules, approve), NOW  # type: ignore[arg-type]
    for n, (step, seconds) in enumerate(steps):
        now += timedelta(seconds=seconds)
        name, now = onward(release, now) if step == "onward" else (step, now)
        happened = event(name, release, n, now)
        if isinstance(happened, ScheduleRequested) and ahead and release.stage >= 0:
            happened = replace(happened, stages=tuple(range(release.stage, len(release.plan.stages))))
        outcome = decide(release, happened, now)
        if isinstance(outcome, Decision):
            yield Taken(release, happened, now, outcome.release, outcome.effects)
            release = outcome.release


def looked(step: Taken) -> Release:
    """What stood before the step, with the look that the step may be."""
    if not isinstance(step.event, LookTaken):
        return step.before
    unready = 0 if step.event.candidate_ready else step.before.unready_looks + 1
    return replace(step.before, verdicts=step.event.verdicts, last_look_at=step.event.at, unready_looks=unready)


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_traffic_rises_only_by_a_person_or_by_fresh_passes_of_a_written_split(walk: Walk) -> None:
    for step in steps_of(walk):
        if step.after.stage > step.before.stage >= 0 and not isinstance(step.event, ApprovalGiven | DriftResolved):
            assert moves.passes(looked(step), step.now)
            stage = step.before.current
            assert stage is not None
            if stage.approval:
                standing = step.before.standing
                assert standing is not None
                assert approvals.standing_is_complete(step.before)
                assert standing.opens <= step.now < standing.closes


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_a_stage_is_never_skipped_and_never_left_with_a_write_open(walk: Walk) -> None:
    for step in steps_of(walk):
        if step.after.stage != step.before.stage:
            assert step.after.stage == step.before.stage + 1
            assert step.before.stage < 0 or step.before.is_confirmed


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_a_release_that_waits_for_the_mesh_has_asked_it(walk: Walk) -> None:
    asked: tuple[Effect, ...] = (Prepare("r-1"),)
    for step in steps_of(walk):
        release = step.after
        asked = (*asked, *(effect for effect in step.effects if isinstance(effect, WORKING)))
        if isinstance(step.event, RouteConfirmed) and release.is_confirmed:
            asked = ()
        if release.phase in {Phase.SHIFTING, Phase.ROLLING_BACK} and not release.is_confirmed:
            assert any(isinstance(effect, SetRoute) for effect in asked)


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_a_split_that_is_written_again_is_asked_for_in_the_same_step(walk: Walk) -> None:
    for step in steps_of(walk):
        if step.after.split_revision > step.before.split_revision:
            assert step.after.confirmed == frozenset()
            assert step.after.split_revision == step.after.revision
            assert SetRoute("r-1", "shop/reviews") in step.effects or step.after.is_going_back


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_a_time_that_has_come_is_kept_until_its_own_wake(walk: Walk) -> None:
    for step in steps_of(walk):
        due = step.before.wake_at
        is_its_wake = isinstance(step.event, WakeReached) and step.event.due == due
        if due is None or due > step.now or is_its_wake:
            continue
        assert step.after.wake_at == due or due != timers.next_wake(step.after, due - timedelta(microseconds=1))


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_nothing_waits_without_a_time_or_somebody_who_knows(walk: Walk) -> None:
    told = False
    for step in steps_of(walk):
        told = bool(step.effects) if step.after.phase is not step.before.phase else told or bool(step.effects)
        match step.after.phase:
            case Phase.SCHEDULED | Phase.SOAKING:
                assert step.after.wake_at is not None
            case Phase.ROLLING_BACK:
                assert step.after.wake_at is not None or step.after.called_at is not None
            case Phase.PAUSED | Phase.STUCK | Phase.AWAITING_APPROVAL:
                assert step.after.wake_at is not None or told
            case Phase.SHIFTING | Phase.OBSERVING:
                held = step.after.note.startswith("held at the deadline") or told
                assert step.after.wake_at is not None or held
            case _:
                assert step.after.stage >= -1


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_a_release_is_completed_only_with_everything_written_on_the_candidate(walk: Walk) -> None:
    for step in steps_of(walk):
        if step.after.phase in {Phase.SOAKING, Phase.DECOMMISSIONING, Phase.COMPLETED}:
            stage = step.after.current
            assert stage is not None
            assert stage.splits["reviews"].share("v2") == HUNDRED
            assert step.after.is_confirmed


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_nothing_takes_a_release_out_of_going_back_but_success(walk: Walk) -> None:
    for step in steps_of(walk):
        if step.before.is_going_back:
            assert step.after.is_going_back
            assert step.after.wanted("reviews") is None
        if step.before.is_over:
            assert step.after == step.before


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_no_failing_gate_is_passed_without_an_override(walk: Walk) -> None:
    for step in steps_of(walk):
        rose = step.after.stage > step.before.stage
        if rose and any(verdict.outcome is Outcome.FAIL for verdict in step.before.verdicts):
            assert isinstance(step.event, ApprovalGiven)
            assert step.event.override_reason
            assert step.event.actor is BOB


@given(WALKS)
@settings(max_examples=30, deadline=None)
def test_the_revision_never_falls_and_the_splits_is_never_ahead_of_it(walk: Walk) -> None:
    for step in steps_of(walk):
        assert step.after.revision >= step.before.revision
        assert step.before.split_revision <= step.after.split_revision <= step.after.revision
