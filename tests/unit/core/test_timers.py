"""Time: holds, deadlines, unanswered questions, soaks; a time that has come is not forgotten before it is handled."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from strategies import timers
from strategies.effects import Audience, CallOnCall
from strategies.events import EffectFailed, PauseRequested, ResumeRequested, WakeReached
from strategies.release import AtDeadline, NoAnswer, Phase, Release, Rules
from strategies.verdicts import Outcome
from tests.builders import NOW, a_verdict
from tests.unit.core.events_of import ALICE, LATER, PASSES, WAITS, a_look, in_phase, kinds, moved, said

MINUTE = timedelta(minutes=1)
APPROVERS = frozenset({"U2"})


def due(phase: Phase, at: datetime, **changes: object) -> Release:
    """A release in this phase that wants to be woken at that time."""
    return replace(in_phase(phase), wake_at=at, **changes)  # type: ignore[arg-type]


def wake(release: Release, at: datetime | None = None) -> WakeReached:
    """The wake that the release asked for."""
    assert release.wake_at is not None
    return WakeReached(release.id, "wake", at or release.wake_at)


def test_a_scheduled_release_is_prepared_at_its_time() -> None:
    decision = moved(in_phase(Phase.SCHEDULED), wake(in_phase(Phase.SCHEDULED)), LATER)
    assert decision.release.phase is Phase.PREPARING
    assert kinds(decision)[0] == "Prepare"


@pytest.mark.parametrize("twin", [LATER - MINUTE, LATER + MINUTE])
def test_a_wake_for_another_time_than_the_wanted_one_does_nothing(twin: datetime) -> None:
    release = in_phase(Phase.SCHEDULED)
    assert moved(release, wake(release, twin), LATER + MINUTE).release == release


def test_a_wake_that_comes_early_does_nothing() -> None:
    release = in_phase(Phase.SCHEDULED)
    assert moved(release, wake(release), LATER - MINUTE).release == release


def test_after_the_hold_a_stage_goes_on_at_the_wake_when_its_gates_pass() -> None:
    end = NOW + 10 * MINUTE
    release = due(Phase.OBSERVING, end, last_look_at=end - MINUTE / 4)
    assert moved(release, wake(release), end).release.phase is Phase.AWAITING_APPROVAL


def test_before_the_hold_is_over_passing_gates_do_not_promote() -> None:
    release = in_phase(Phase.OBSERVING)
    decision = moved(release, a_look(release, PASSES, NOW + 9 * MINUTE), NOW + 9 * MINUTE)
    assert decision.release.phase is Phase.OBSERVING
    assert decision.release.wake_at == NOW + 10 * MINUTE


def test_a_wake_never_promotes_on_the_verdicts_of_an_old_look() -> None:
    end = NOW + 10 * MINUTE
    release = due(Phase.OBSERVING, end, last_look_at=NOW)
    after = moved(release, wake(release), end + 3 * MINUTE).release
    assert after.phase is Phase.OBSERVING
    assert moved(after, a_look(after, PASSES, end + 4 * MINUTE), end + 4 * MINUTE).release.phase is not Phase.OBSERVING


def test_the_deadline_is_never_before_the_hold_can_be_over() -> None:
    release = replace(in_phase(Phase.OBSERVING), rules=Rules(deadline=MINUTE))
    assert timers.deadline(release) == NOW + 10 * MINUTE


def test_a_release_without_a_stage_has_no_deadline() -> None:
    assert timers.deadline(in_phase(Phase.PREPARING)) is None


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.OBSERVING])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [(AtDeadline.ASK, Phase.AWAITING_APPROVAL), (AtDeadline.ROLL_BACK, Phase.ROLLING_BACK), (AtDeadline.HOLD, None)],
)
def test_at_its_deadline_a_stage_does_what_the_profile_says(
    phase: Phase, rule: AtDeadline, expected: Phase | None
) -> None:
    end = NOW + 30 * MINUTE
    unseen = (a_verdict(Outcome.WAIT, "split", missing="900 more requests"),)
    release = due(phase, end, verdicts=unseen, rules=Rules(at_deadline=rule))
    decision = moved(release, wake(release), end)
    assert decision.release.phase is (expected or phase)
    assert "900 more requests" in decision.release.note
    assert "RefreshCard" in kinds(decision)


def test_a_stage_held_at_its_deadline_still_goes_on_when_its_gates_pass() -> None:
    end = NOW + 30 * MINUTE
    release = due(Phase.OBSERVING, end, verdicts=WAITS, rules=Rules(at_deadline=AtDeadline.HOLD))
    held = moved(release, wake(release), end).release
    later = end + MINUTE
    assert moved(held, a_look(held, PASSES, later), later).release.phase is Phase.AWAITING_APPROVAL


def test_before_the_deadline_a_wake_changes_nothing_but_the_next_wake() -> None:
    release = due(Phase.OBSERVING, NOW + 10 * MINUTE, verdicts=WAITS)
    decision = moved(release, wake(release), NOW + 10 * MINUTE)
    assert not decision.is_notable
    assert decision.release.wake_at == NOW + 30 * MINUTE


def test_half_way_to_the_end_of_patience_people_are_reminded_once() -> None:
    release = due(Phase.AWAITING_APPROVAL, LATER)
    decision = moved(release, wake(release), LATER)
    assert said(decision)[0].audience is Audience.ON_CALL
    assert decision.release.reminded
    assert decision.release.wake_at == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("rule", "phase"), [(NoAnswer.HOLD, Phase.AWAITING_APPROVAL), (NoAnswer.ROLL_BACK, Phase.ROLLING_BACK)]
)
def test_an_unanswered_question_holds_or_goes_back_and_never_approves(rule: NoAnswer, phase: Phase) -> None:
    end = NOW + timedelta(hours=2)
    release = due(Phase.AWAITING_APPROVAL, end, reminded=True, rules=Rules(no_answer_then=rule))
    decision = moved(release, wake(release), end)
    assert (decision.release.phase, decision.release.stage) == (phase, 0)
    assert "answered" in decision.release.note


def test_patience_begins_when_the_question_may_be_answered_by_its_own_time() -> None:
    release = replace(in_phase(Phase.AWAITING_APPROVAL), not_before=LATER)
    assert timers.reminder(release) == LATER + timedelta(hours=1)
    assert timers.no_answer(release) == LATER + timedelta(hours=2)


def test_a_question_that_nobody_was_asked_has_no_end() -> None:
    assert timers.no_answer(in_phase(Phase.OBSERVING)) is None
    assert timers.reminder(replace(in_phase(Phase.AWAITING_APPROVAL), reminded=True)) is None


def test_a_wake_between_reminder_and_end_only_sets_the_next_one() -> None:
    release = due(Phase.AWAITING_APPROVAL, LATER + MINUTE, reminded=True)
    decision = moved(release, wake(release), LATER + MINUTE)
    assert not decision.is_notable
    assert decision.release.wake_at == NOW + timedelta(hours=2)


def test_a_soak_ends_at_its_second() -> None:
    release = in_phase(Phase.SOAKING)
    assert moved(release, wake(release), LATER).release.phase is Phase.COMPLETED


def test_a_rollback_that_is_not_confirmed_after_a_minute_calls_on_call_and_again_while_it_is_not() -> None:
    release = due(Phase.ROLLING_BACK, NOW + MINUTE)
    decision = moved(release, wake(release), NOW + MINUTE)
    assert kinds(decision) == ["CallOnCall"]
    assert decision.release.phase is Phase.ROLLING_BACK
    assert decision.release.wake_at == NOW + 16 * MINUTE
    again = moved(decision.release, wake(decision.release), NOW + 16 * MINUTE)
    assert kinds(again) == ["CallOnCall"]


def test_what_is_stuck_is_said_again_until_somebody_acts() -> None:
    stuck = moved(in_phase(Phase.OBSERVING), EffectFailed("reviews-1", "f", "SetRoute", "forbidden.")).release
    first = moved(stuck, wake(stuck), NOW + 15 * MINUTE)
    assert isinstance(first.effects[0], CallOnCall)
    assert "forbidden. This is said again every 15 min" in first.effects[0].text
    second = moved(first.release, wake(first.release), NOW + 30 * MINUTE)
    assert second.effects != first.effects
    resumed = moved(second.release, ResumeRequested("reviews-1", "r", ALICE), NOW + 31 * MINUTE).release
    assert resumed.wake_at != NOW + 45 * MINUTE


def test_whoever_asked_hears_once_that_a_release_was_left_paused() -> None:
    paused = moved(in_phase(Phase.OBSERVING), PauseRequested("reviews-1", "p", ALICE, "lunch")).release
    assert paused.wake_at == NOW + 120 * MINUTE
    told = moved(paused, wake(paused), NOW + 120 * MINUTE)
    assert said(told)[0].audience is Audience.REQUESTER
    assert "paused for 120 min (paused by Person U1: lunch)" in said(told)[0].text
    assert (told.release.phase, told.release.wake_at) == (Phase.PAUSED, None)


@pytest.mark.parametrize(
    ("phase", "expected"),
    [(Phase.SOAKING, Phase.COMPLETED), (Phase.OBSERVING, Phase.AWAITING_APPROVAL)],
)
def test_a_look_after_a_standstill_does_not_make_a_time_forgotten(phase: Phase, expected: Phase) -> None:
    due_at = LATER if phase is Phase.SOAKING else NOW + 30 * MINUTE
    release = due(phase, due_at, soak_until=due_at if phase is Phase.SOAKING else None)
    back = due_at + 20 * MINUTE
    looked = moved(release, a_look(release, WAITS, back), back).release
    assert looked.wake_at == due_at
    assert moved(looked, wake(looked), back).release.phase is expected


def test_a_late_twin_of_an_earlier_wake_does_not_make_a_time_forgotten() -> None:
    release = in_phase(Phase.SOAKING)
    assert moved(release, wake(release, NOW), LATER + MINUTE).release.wake_at == LATER


def test_a_time_that_no_longer_counts_is_dropped_when_the_release_moves_on() -> None:
    release = due(Phase.OBSERVING, NOW + 10 * MINUTE)
    after = moved(release, a_look(release, PASSES, NOW + 11 * MINUTE), NOW + 11 * MINUTE).release
    assert after.phase is Phase.AWAITING_APPROVAL
    assert after.wake_at == NOW + 71 * MINUTE


@pytest.mark.parametrize("phase", [Phase.DECOMMISSIONING, Phase.COMPLETED, Phase.ROLLED_BACK])
def test_a_release_that_waits_for_no_time_is_not_woken(phase: Phase) -> None:
    assert timers.next_wake(in_phase(phase), NOW) is None


def test_a_time_that_has_come_is_not_forgotten_when_something_else_comes_first() -> None:
    release = due(Phase.AWAITING_APPROVAL, LATER)
    decision = moved(release, a_look(release, WAITS, LATER + MINUTE), LATER + MINUTE)
    assert decision.release.wake_at == LATER
    assert moved(decision.release, wake(decision.release), LATER + MINUTE).release.reminded
