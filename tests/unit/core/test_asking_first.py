"""A plan of one increase asks before it: a stage that moves nothing, and is left by people alone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.looks import is_looked_at
from strategies import amount, moves
from strategies.decision import Decision
from strategies.effects import PostStage, Urgency
from strategies.events import ApprovalGiven, ResumeRequested, RouteConfirmed, ScheduleRequested, WakeReached
from strategies.machine import decide
from strategies.plan import ApprovalGate, Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Release
from tests.builders import NOW, a_plan, a_stage
from tests.unit.core.events_of import ALICE, BOB, in_phase, moved

NOTHING = a_stage("0", gates=(ApprovalGate(),), hold=timedelta(0), min_requests=0)
ONE = replace(a_plan("100"), stages=(NOTHING, *a_plan("100").stages))


def writing(plan: Plan = ONE) -> Release:
    return replace(in_phase(Phase.SHIFTING, plan), confirmed=frozenset(), written=-1, verdicts=(), last_look_at=None)


def confirmed(release: Release) -> Decision:
    return moved(release, RouteConfirmed(release.id, "c", "shop/reviews", release.split_revision))


def asking() -> Release:
    return confirmed(writing()).release


def test_people_are_asked_as_soon_as_the_route_is_read_back() -> None:
    decision = confirmed(writing())
    assert decision.release.phase is Phase.AWAITING_APPROVAL
    assert decision.release.note == "nothing moves before approvers say yes to v2"
    assert PostStage("reviews-1", 0, Urgency.DECISION) in decision.effects


def test_nothing_is_looked_at_while_nothing_is_sent() -> None:
    assert not is_looked_at(asking())
    assert is_looked_at(replace(asking(), stage=1))


def test_a_yes_needs_no_evidence_and_moves_everything() -> None:
    release = asking()
    decision = moved(release, ApprovalGiven(release.id, "a", BOB, release.revision))
    assert (decision.release.phase, decision.release.stage) == (Phase.SHIFTING, 1)
    assert decision.reply == "Approved: v2 gets 100 %."


def test_the_requester_alone_moves_nothing() -> None:
    release = asking()
    refused = decide(release, ApprovalGiven(release.id, "a", release.requester, release.revision), NOW)
    assert isinstance(refused, Refused)
    assert refused.reason_code in {ReasonCode.SELF_APPROVAL, ReasonCode.NOT_APPROVER}


def test_a_yes_in_advance_goes_on_at_its_time() -> None:
    release, opens = asking(), NOW + timedelta(hours=1)
    event = ScheduleRequested(release.id, "s", BOB, opens, opens + timedelta(hours=1), unattended=True, stages=(0,))
    waiting = moved(release, event).release
    waiting = replace(waiting, wake_at=opens)
    gone_on = moved(waiting, WakeReached(release.id, "w", opens), opens)
    assert (gone_on.release.phase, gone_on.release.stage) == (Phase.SHIFTING, 1)


def test_a_pause_before_the_first_write_ends_at_the_question() -> None:
    paused = replace(writing(), phase=Phase.PAUSED, resume_to=Phase.SHIFTING)
    again = moved(paused, ResumeRequested(paused.id, "r", ALICE)).release
    assert confirmed(again).release.phase is Phase.AWAITING_APPROVAL


@pytest.mark.parametrize(("stage", "words"), [(0, "Nothing of reviews moves yet"), (1, "100 % of production traffic")])
def test_what_each_stage_does_is_said(stage: int, words: str) -> None:
    assert words in amount.effect(asking(), stage)


def test_a_rollback_says_that_nobody_met_the_candidate() -> None:
    back = moves.roll_back(asking(), NOW, "not today").release
    told = moves.rolled_back(back, NOW, frozenset({"shop/reviews"}))
    assert told.why == "v2 got nothing; v1 served everybody throughout."
