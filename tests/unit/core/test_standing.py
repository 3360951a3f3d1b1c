"""A yes given in advance: for these stages, inside this window, and void as soon as anything is not as it was."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from strategies.effects import PostStage, RefreshCard, Urgency
from strategies.events import (
    ApprovalGiven,
    DriftFound,
    EffectFailed,
    Event,
    LookTaken,
    PauseRequested,
    RouteConfirmed,
    ScheduleRequested,
    WakeReached,
)
from strategies.plan import ApprovalGate
from strategies.reasons import ReasonCode
from strategies.release import Drift, NoAnswer, OnHarm, Phase, Release, Rules, StandingApproval
from strategies.verdicts import Verdict
from tests.builders import NOW, a_plan, an_approver
from tests.unit.core.events_of import ALICE, BOB, FAILS, MALLORY, PASSES, WAITS, in_phase, moved, refused, said

OPENS = NOW + timedelta(hours=2)
CLOSES = NOW + timedelta(hours=9)
INSIDE = OPENS + timedelta(hours=1)
SECOND = timedelta(seconds=1)


def schedule(release: Release, **changes: object) -> ScheduleRequested:
    """The next increase at `OPENS`, unattended, until `CLOSES`."""
    request = ScheduleRequested(release.id, "at", BOB, OPENS, CLOSES, stages=(release.stage,))
    return replace(request, **changes)  # type: ignore[arg-type]


def scheduled(release: Release | None = None, **changes: object) -> Release:
    """A release whose next increase was approved in advance."""
    asked = release or in_phase(Phase.AWAITING_APPROVAL)
    return moved(asked, schedule(asked, **changes)).release


def look(release: Release, at: datetime, verdicts: tuple[Verdict, ...] = PASSES) -> LookTaken:
    """A look at that time."""
    return LookTaken(release.id, f"look:{at}", at, release.stage, verdicts, "{}", 2)


def wake(release: Release) -> WakeReached:
    """The wake that the release asked for."""
    assert release.wake_at is not None
    return WakeReached(release.id, "wake", release.wake_at)


def test_it_is_given_by_a_permitted_approver_only() -> None:
    release = in_phase(Phase.AWAITING_APPROVAL)
    assert refused(release, schedule(release, actor=ALICE)) is ReasonCode.NOT_APPROVER
    assert refused(release, schedule(release, actor=MALLORY)) is ReasonCode.NOT_ALLOWED
    own = replace(release, rules=Rules(approvers=frozenset({"U1"})))
    assert refused(own, schedule(own, actor=ALICE)) is ReasonCode.SELF_APPROVAL


@pytest.mark.parametrize("times", [{"at": NOW}, {"closes": OPENS}])
def test_its_window_lies_ahead_and_has_a_length(times: dict[str, datetime]) -> None:
    release = in_phase(Phase.AWAITING_APPROVAL)
    assert refused(release, schedule(release, **times)) is ReasonCode.BAD_INPUT


def test_it_promotes_inside_its_window_when_every_gate_passes() -> None:
    release = scheduled()
    decision = moved(release, look(release, INSIDE), INSIDE)
    assert (decision.release.phase, decision.release.stage) == (Phase.SHIFTING, 1)
    assert decision.why == "approved in advance by Person U2"


def test_it_does_nothing_before_its_window_opens() -> None:
    release = scheduled()
    early = OPENS - SECOND
    assert moved(release, look(release, early), early).release.stage == 0


def test_it_speaks_of_its_window_also_when_a_person_approved_the_stage_before() -> None:
    release = scheduled(stages=(0, 1, 2))
    by_hand = moved(release, ApprovalGiven(release.id, "yes", BOB, release.revision)).release
    early = NOW + timedelta(minutes=30)
    written = moved(by_hand, RouteConfirmed(by_hand.id, "c", "shop/reviews", by_hand.revision), early).release
    observed = moved(written, look(written, early), early).release
    after_hold = early + timedelta(minutes=11)
    asked = moved(observed, look(observed, after_hold), after_hold).release
    assert (asked.phase, asked.stage) == (Phase.AWAITING_APPROVAL, 1)
    assert asked.wake_at == OPENS
    fresh = replace(asked, last_look_at=OPENS)
    assert moved(fresh, wake(fresh), OPENS).release.stage == 2


def test_at_its_time_the_wake_promotes_on_a_fresh_look() -> None:
    release = replace(scheduled(), last_look_at=OPENS - 5 * SECOND)
    assert release.wake_at == OPENS
    assert moved(release, wake(release), OPENS).release.stage == 1


def test_it_waits_for_gates_that_wait() -> None:
    release = scheduled()
    assert moved(release, look(release, INSIDE, WAITS), INSIDE).release.stage == 0


def test_a_missed_window_is_not_caught_up_but_asked_again_and_told() -> None:
    release = scheduled()
    decision = moved(release, look(release, CLOSES), CLOSES)
    assert (decision.release.phase, decision.release.stage) == (Phase.AWAITING_APPROVAL, 0)
    assert decision.release.standing is None
    assert "the window of the standing approval closed" in said(decision)[0].text


def test_its_end_wakes_the_release_and_the_question_is_put() -> None:
    release = replace(scheduled(), verdicts=WAITS)
    at_opening = moved(release, wake(release), OPENS).release
    assert at_opening.wake_at == CLOSES
    asked = moved(at_opening, wake(at_opening), CLOSES).release
    assert (asked.standing, asked.asked_at, asked.stage) == (None, CLOSES, 0)


def test_while_it_lasts_nobody_is_reminded_and_no_silence_rolls_back() -> None:
    rules = Rules(approvers=frozenset({"U2"}), no_answer_then=NoAnswer.ROLL_BACK)
    release = scheduled(replace(in_phase(Phase.AWAITING_APPROVAL), rules=rules))
    release = moved(replace(release, verdicts=WAITS), wake(release), OPENS).release
    assert release.wake_at == CLOSES


def test_the_last_stage_ends_in_the_soak_under_a_standing_approval_of_all_stages() -> None:
    release = scheduled(stages=(0, 1, 2, 3))
    last = replace(release, stage=3, phase=Phase.OBSERVING, not_before=None, hold_until=None)
    decision = moved(last, look(last, INSIDE), INSIDE)
    assert decision.release.phase is Phase.SOAKING


@pytest.mark.parametrize("kind", ["fail", "drift", "pause", "stuck"])
def test_fail_drift_pause_and_fault_void_it(kind: str) -> None:
    release = scheduled()
    release = replace(release, rules=replace(release.rules, on_harm=OnHarm.PAUSE))
    drift = Drift("shop/reviews", "5 -> 40", "somebody", None)
    events: dict[str, Event] = {
        "fail": look(release, INSIDE, FAILS),
        "drift": DriftFound(release.id, "d", drift),
        "pause": PauseRequested(release.id, "p", ALICE),
        "stuck": EffectFailed(release.id, "f", "SetRoute", "forbidden"),
    }
    assert moved(release, events[kind], INSIDE).release.standing is None


def test_it_covers_only_the_stages_that_it_names() -> None:
    release = replace(scheduled(stages=(1,)), not_before=OPENS)
    assert moved(release, look(release, INSIDE), INSIDE).release.stage == 0


def test_a_second_person_completes_the_quorum_of_a_standing_approval() -> None:
    plan = a_plan()
    first = replace(plan.stages[0], gates=(*plan.stages[0].metric_gates, ApprovalGate(2)))
    rules = Rules(approvers=frozenset({"U2", "U4"}))
    asked = in_phase(Phase.AWAITING_APPROVAL, replace(plan, stages=(first, *plan.stages[1:])))
    release = scheduled(replace(asked, rules=rules))
    assert moved(release, look(release, INSIDE), INSIDE).release.stage == 0
    second = moved(release, ApprovalGiven(release.id, "y", an_approver("U4"), release.revision))
    assert second.reply == "Person U4 approved; the next increase goes on at its time."
    assert moved(second.release, look(release, INSIDE), INSIDE).release.stage == 1


def test_an_incomplete_one_ends_quietly_and_the_question_goes_on_waiting() -> None:
    release = scheduled(stages=(1,))
    at_end = replace(release, wake_at=CLOSES, asked_at=CLOSES - timedelta(minutes=1))
    after = moved(at_end, wake(at_end), CLOSES).release
    assert after.standing is None
    assert after.wake_at == CLOSES + timedelta(minutes=59)


def test_an_attended_time_asks_for_no_approval_in_advance() -> None:
    release = scheduled(unattended=False, actor=ALICE)
    assert release.standing is None
    assert release.not_before == OPENS
    assert moved(release, look(release, INSIDE), INSIDE).release.stage == 0


def test_an_unattended_increase_that_nobody_is_asked_about_keeps_to_its_window_too() -> None:
    release = replace(in_phase(Phase.OBSERVING, a_plan(approve=False)), hold_until=None)
    release = scheduled(release, actor=ALICE)
    assert moved(release, look(release, OPENS - SECOND), OPENS - SECOND).release.stage == 0
    assert moved(release, look(release, INSIDE), INSIDE).release.stage == 1
    late = moved(release, look(release, CLOSES), CLOSES).release
    assert (late.phase, late.stage) == (Phase.AWAITING_APPROVAL, 0)


def test_the_same_schedule_again_is_refused_by_name_and_another_replaces_it() -> None:
    release = scheduled()
    assert refused(release, schedule(release)) is ReasonCode.ALREADY_DECIDED
    assert scheduled(release, at=INSIDE).not_before == INSIDE
    attended = scheduled(unattended=False)
    assert refused(attended, schedule(attended, unattended=False)) is ReasonCode.ALREADY_DECIDED


def test_the_last_stage_has_no_increase_to_schedule() -> None:
    release = replace(in_phase(Phase.OBSERVING), stage=3)
    assert refused(release, schedule(release)) is ReasonCode.WRONG_PHASE


def test_a_scheduled_start_moves_to_its_new_time() -> None:
    release = in_phase(Phase.SCHEDULED)
    decision = moved(release, schedule(release, actor=ALICE))
    assert decision.release.wake_at == OPENS
    assert decision.reply == "reviews-1 starts at its new time."


def test_a_new_time_is_a_new_question_whose_old_buttons_are_stale() -> None:
    release = replace(in_phase(Phase.AWAITING_APPROVAL), reminded=True)
    decision = moved(release, schedule(release))
    after = decision.release
    assert after.revision == release.revision + 1
    assert after.standing == StandingApproval(BOB, (0,), OPENS, CLOSES, NOW, after.revision)
    assert (after.not_before, after.reminded) == (OPENS, False)
    assert after.note == "the next increase waits for its time, set by Person U2"
    told = (PostStage(release.id, 0, Urgency.DECISION), RefreshCard(release.id, Urgency.DECISION))
    assert decision.effects == told
    assert refused(after, ApprovalGiven(release.id, "yes", BOB, release.revision)) is ReasonCode.STALE_REVISION


def test_the_same_time_attended_is_another_answer_than_unattended() -> None:
    release = scheduled()
    decision = moved(release, schedule(release, key="ask", unattended=False))
    assert (decision.release.standing, decision.release.not_before) == (None, OPENS)


def test_a_yes_in_advance_to_stages_of_which_one_asks_needs_an_approver() -> None:
    release = in_phase(Phase.AWAITING_APPROVAL)
    every = tuple(range(len(release.plan.stages)))
    assert refused(release, schedule(release, actor=ALICE, stages=every)) is ReasonCode.NOT_APPROVER
    beyond = (len(release.plan.stages), *every)
    assert refused(release, schedule(release, actor=ALICE, stages=beyond)) is ReasonCode.NOT_APPROVER
