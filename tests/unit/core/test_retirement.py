"""The end of the baseline: looked at until nothing needs it, asked about, then gone, and back on a click."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from strategies import retirement
from strategies.effects import Audience, RetireBaseline
from strategies.events import (
    ApprovalGiven,
    BaselineAwaited,
    BaselineRetired,
    BaselineWatched,
    PauseRequested,
    ResumeRequested,
    RollbackRequested,
    RouteConfirmed,
    SuccessorRequested,
    WakeReached,
)
from strategies.plan import ApprovalGate
from strategies.reasons import ReasonCode
from strategies.release import Decommission, Phase, Release, Rules
from tests.builders import NOW, an_actor
from tests.unit.core.events_of import ALICE, BOB, CAROL, MALLORY, in_phase, kinds, moved, refused, said

ASKS = Rules(approvers=frozenset({"U2"}), decommission=Decommission.DELETE, decommission_approval=True)


def retiring(rules: Rules = Rules(decommission=Decommission.SCALE_TO_ZERO)) -> Release:  # noqa: B008 - frozen
    """A release whose baseline is looked at."""
    return replace(in_phase(Phase.DECOMMISSIONING), rules=rules, stage=3, wake_at=None)


def watched(release: Release, text: str, at: datetime = NOW, is_idle: bool = False) -> Release:
    """The release after one look at its baseline."""
    event = BaselineWatched(release.id, f"w:{at}", is_idle, text, {"shop/reviews-v1": 3}, {}, timedelta(seconds=40))
    return moved(release, event, at).release


def test_a_baseline_that_is_still_called_is_looked_at_again_and_the_card_says_by_whom() -> None:
    release = watched(retiring(), "v1 is still called by cart in shop.")
    assert (release.phase, release.note) == (Phase.DECOMMISSIONING, "v1 is still called by cart in shop.")
    assert release.wake_at == NOW + release.rules.look
    again = moved(release, WakeReached(release.id, "w", release.wake_at), release.wake_at)
    assert again.effects == (RetireBaseline(release.id),)


@pytest.mark.parametrize(("minutes", "again"), [(0, 15), (2, 15), (5, 30), (60, 360), (300, 600)])
def test_a_baseline_that_stays_in_use_is_looked_at_after_a_tenth_of_the_time_at_most(minutes: int, again: int) -> None:
    at = NOW + timedelta(minutes=minutes)
    release = watched(retiring(), "v1 is still called by cart in shop.", at)
    assert release.wake_at == at + timedelta(seconds=again)


def test_a_look_that_is_wanted_less_often_is_not_taken_more_often_with_time() -> None:
    release = watched(retiring(Rules(look=timedelta(minutes=20))), "called", NOW + timedelta(hours=5))
    assert release.wake_at == NOW + timedelta(hours=5, minutes=20)


def test_a_chatty_caller_is_told_to_people_once_and_stops_nothing() -> None:
    release, late = retiring(), NOW + timedelta(minutes=31)
    told = moved(release, BaselineWatched(release.id, "w", is_idle=False, text="v1 is still called by cart."), late)
    assert said(told)[0].text == (
        "reviews-1 cannot let v1 go: v1 is still called by cart. It goes on looking. The next release of reviews may "
        "begin all the same: v1 is kept then."
    )
    assert said(told)[0].audience is Audience.REQUESTER_AND_ON_CALL
    again = BaselineWatched(release.id, "w2", is_idle=False, text="v1 is still called by cart.")
    assert said(moved(told.release, again, late + timedelta(hours=1))) == []


def test_what_it_takes_to_come_back_is_kept_before_the_first_pod_goes() -> None:
    release = watched(retiring(), "no request in 5 min", is_idle=True)
    assert (release.is_retiring, release.is_cold, release.proof) == (True, True, "no request in 5 min")
    assert (release.sizes, release.warm_up) == ({"shop/reviews-v1": 3}, timedelta(seconds=40))


def test_the_size_at_the_start_wins_over_what_is_left_at_the_end() -> None:
    release = replace(retiring(), sizes={"shop/reviews-v1": 5})
    assert watched(release, "idle", is_idle=True).sizes == {"shop/reviews-v1": 5}


def test_where_the_profile_asks_nothing_goes_before_somebody_said_yes() -> None:
    asked = watched(retiring(ASKS), "no request in 5 min", is_idle=True)
    assert (asked.is_retiring, asked.asked_at, asked.proof) == (False, NOW, "no request in 5 min")
    yes = moved(asked, ApprovalGiven(asked.id, "a", BOB, asked.revision))
    assert (yes.release.may_retire, yes.release.asked_at, kinds(yes)[0]) == (True, None, "RetireBaseline")
    proven = watched(yes.release, "no request in 5 min", is_idle=True)
    assert proven.is_retiring
    done = moved(proven, BaselineRetired(proven.id, "r", "gone"))
    assert done.release.phase is Phase.COMPLETED


def test_a_yes_to_the_end_of_the_baseline_is_checked_as_any_other() -> None:
    asked = watched(retiring(ASKS), "idle", is_idle=True)
    assert refused(asked, ApprovalGiven(asked.id, "a", MALLORY, asked.revision)) is ReasonCode.NOT_APPROVER
    assert refused(asked, ApprovalGiven(asked.id, "a", BOB, asked.revision - 1)) is ReasonCode.STALE_REVISION
    own = replace(asked, requester=BOB)
    assert refused(own, ApprovalGiven(own.id, "a", BOB, own.revision)) is ReasonCode.SELF_APPROVAL
    assert refused(retiring(ASKS), ApprovalGiven(asked.id, "a", BOB)) is ReasonCode.WRONG_PHASE


def test_a_quorum_of_the_plan_holds_for_the_end_of_the_baseline_too() -> None:
    asked = watched(retiring(replace(ASKS, approvers=frozenset({"U2", "U4"}))), "idle", is_idle=True)
    stages = (replace(asked.plan.stages[0], gates=(ApprovalGate(2),)), *asked.plan.stages[1:])
    asked = replace(asked, plan=replace(asked.plan, stages=stages))
    first = moved(asked, ApprovalGiven(asked.id, "a", BOB, asked.revision))
    assert (first.reply, first.release.asked_at) == ("Person U2 approved (1 of 2).", NOW)
    assert refused(first.release, ApprovalGiven(asked.id, "b", BOB, asked.revision)) is ReasonCode.ALREADY_DECIDED
    second = moved(first.release, ApprovalGiven(asked.id, "c", an_actor("U4"), asked.revision))
    assert second.release.may_retire


def test_silence_keeps_the_baseline_and_reminds_once() -> None:
    asked = watched(retiring(ASKS), "idle", is_idle=True)
    assert asked.wake_at == NOW + timedelta(hours=1)
    reminded = moved(asked, WakeReached(asked.id, "w", asked.wake_at), asked.wake_at)
    assert (kinds(reminded), reminded.release.wake_at) == (["Say"], None)
    assert reminded.release.phase is Phase.DECOMMISSIONING


def test_a_pause_takes_the_question_back_and_the_proof_is_given_anew() -> None:
    asked = watched(retiring(ASKS), "idle", is_idle=True)
    paused = moved(asked, PauseRequested(asked.id, "p", ALICE)).release
    resumed = moved(paused, ResumeRequested(asked.id, "r", ALICE))
    assert (resumed.release.asked_at, kinds(resumed)[0]) == (None, "RetireBaseline")


@pytest.mark.parametrize("is_done", [False, True])
def test_a_click_takes_it_back_while_the_baseline_goes_and_when_it_is_gone(is_done: bool) -> None:
    release = watched(retiring(), "idle", is_idle=True)
    if is_done:
        release = moved(release, BaselineRetired(release.id, "r", "gone")).release
    back = moved(release, RollbackRequested(release.id, "rb", CAROL))
    assert (back.release.phase, back.release.is_cold, kinds(back)[0]) == (Phase.ROLLING_BACK, True, "SetRoute")
    done = moved(back.release, RouteConfirmed(release.id, "c", "shop/reviews", back.release.revision)).release
    assert (done.phase, done.is_cold) == (Phase.ROLLED_BACK, False)


def test_a_rollback_that_brings_pods_back_says_how_far_it_is_and_calls_after_a_minute() -> None:
    release = watched(retiring(), "idle", is_idle=True)
    back = moved(release, RollbackRequested(release.id, "rb", CAROL)).release
    told = moved(back, BaselineAwaited(back.id, "a", "v1 is scaled up first: 0 of 3 pods are ready."))
    assert told.release.waits_for == "v1 is scaled up first: 0 of 3 pods are ready."
    assert told.release.note == "asked for by Person U3"
    assert told.release.wake_at == NOW + timedelta(seconds=60)


def test_a_baseline_that_is_on_its_way_out_is_looked_at_no_more() -> None:
    release = replace(retiring(), is_retiring=True, proven_at=NOW)
    decision = moved(release, BaselineWatched(release.id, "w2", is_idle=True, text="nobody calls it"))
    assert decision.release == release


def test_a_proof_that_a_standstill_made_old_is_given_anew_before_anything_goes() -> None:
    release, late = watched(retiring(), "no request in 5 min", is_idle=True), NOW + timedelta(minutes=10)
    assert retirement.is_proven(release, NOW + retirement.PROOF_LASTS)
    assert not retirement.is_proven(release, late)
    renewed = moved(release, BaselineWatched(release.id, "w2", is_idle=True, text="still nobody"), late)
    assert (renewed.release.proof, renewed.release.proven_at) == ("still nobody", late)
    assert RetireBaseline(release.id) in renewed.effects
    assert not renewed.is_notable


def test_the_next_release_begins_over_a_baseline_that_is_still_called_and_keeps_it() -> None:
    waits = watched(retiring(), "v1 is still called by cart in shop.")
    over = moved(waits, SuccessorRequested(waits.id, "s", ALICE))
    assert over.release.phase is Phase.COMPLETED
    assert over.reply == "reviews-1 ends: v1 was kept."
    assert [each.text for each in said(over)] == [
        "reviews-1 is complete: v2 serves all requests; v1 was kept, because Person U1 began the next release of "
        "reviews."
    ]


@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.STUCK])
def test_a_retirement_that_stands_still_makes_way_too(phase: Phase) -> None:
    held = replace(retiring(), phase=phase, resume_to=Phase.DECOMMISSIONING, is_cold=True)
    over = moved(held, SuccessorRequested(held.id, "s", ALICE))
    assert (over.release.phase, over.reply) == (Phase.COMPLETED, "reviews-1 ends: v1 stays as it is now.")


def test_a_question_about_the_baseline_that_nobody_answers_makes_way() -> None:
    asked = watched(retiring(ASKS), "idle", is_idle=True)
    over = moved(asked, SuccessorRequested(asked.id, "s", ALICE))
    assert (over.release.phase, over.release.asked_at, over.release.wake_at) == (Phase.COMPLETED, None, None)


def test_a_baseline_that_goes_at_this_moment_and_a_release_that_moves_make_no_way() -> None:
    going = watched(retiring(), "idle", is_idle=True)
    assert refused(going, SuccessorRequested(going.id, "s", ALICE)) is ReasonCode.ALREADY_RELEASING
    paused = replace(in_phase(Phase.PAUSED), resume_to=Phase.OBSERVING)
    assert refused(paused, SuccessorRequested(paused.id, "s", ALICE)) is ReasonCode.ALREADY_RELEASING


def test_a_plan_is_told_what_an_active_release_means_for_it() -> None:
    waits = watched(retiring(), "v1 is still called by cart in shop.")
    assert retirement.in_the_way(waits) == "reviews-1 waits until v1 may go: a start ends that, and v1 is kept."
    assert retirement.in_the_way(in_phase(Phase.AWAITING_APPROVAL)) == (
        "reviews-1 has the route (awaiting approval): it has to end before this one may start."
    )
