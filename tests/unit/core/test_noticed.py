"""What a small change of the core would lose without anybody noticing: urgencies, edges, and the last of a kind."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies import moves, retirement, timers
from strategies.decision import Decision
from strategies.effects import Audience, PostStage, RefreshCard, Urgency
from strategies.events import BaselineAwaited, HistoryRead, RouteConfirmed, WakeReached
from strategies.plan import ApprovalGate
from strategies.release import Phase, Release, Rules
from tests.builders import NOW, a_plan, a_stage, a_target
from tests.unit.core.events_of import WAITS, a_look, in_phase, moved, said

CARD = RefreshCard("reviews-1", Urgency.STAGE)


def test_what_was_known_before_is_shown_no_later_than_a_stage() -> None:
    read = moved(in_phase(Phase.OBSERVING), HistoryRead("reviews-1", "h", '{"v":1}', "Every stage can be answered."))
    assert read.effects == (CARD,)


def test_a_verdict_that_changed_is_shown_no_later_than_a_stage() -> None:
    release = in_phase(Phase.OBSERVING)
    assert moved(release, a_look(release, WAITS)).effects == (CARD,)


def test_that_nobody_answered_is_shown_no_later_than_a_stage() -> None:
    due = NOW + Rules().no_answer_after
    release = replace(in_phase(Phase.AWAITING_APPROVAL), reminded=True, wake_at=due)
    assert moved(release, WakeReached(release.id, "w", due), due).effects == (CARD,)


def test_when_a_split_was_read_back_is_noted() -> None:
    release = replace(in_phase(Phase.SHIFTING), confirmed=frozenset(), written=-1, written_at=None, overwrites=True)
    later = NOW + timedelta(seconds=7)
    done = moved(release, RouteConfirmed(release.id, "c", "shop/reviews", release.split_revision), later)
    assert (done.release.written_at, done.release.overwrites) == (later, False)


def test_the_message_of_the_first_stage_is_decided_like_any_other() -> None:
    release = in_phase(Phase.OBSERVING)
    assert release.stage == 0
    assert PostStage(release.id, 0, Urgency.DECISION) in moves.pause(release, NOW, "wait").effects
    assert PostStage(release.id, 0, Urgency.ROLLBACK) in moves.roll_back(release, NOW, "back").effects


@pytest.mark.parametrize(("look", "fresh"), [(1, 30), (60, 180)])
def test_a_look_is_fresh_for_three_of_them_and_half_a_minute_at_least(look: int, fresh: int) -> None:
    release = replace(in_phase(Phase.OBSERVING), last_look_at=NOW)
    release = replace(release, rules=replace(release.rules, look=timedelta(seconds=look)))
    assert not moves.is_stale(release, NOW + timedelta(seconds=fresh))
    assert moves.is_stale(release, NOW + timedelta(seconds=fresh + 1))


def test_a_last_stage_that_sends_nothing_only_ends_a_shadow() -> None:
    shadow = replace(in_phase(Phase.OBSERVING, a_plan("5", "0")), stage=1)
    assert (shadow.is_leaving, shadow.asks_first, shadow.only_asks(1)) == (True, False, False)


def test_a_stage_of_two_services_sends_something_where_one_of_them_does() -> None:
    both = {**a_stage("0").splits, **a_stage("5", service="ratings").splits}
    plan = replace(a_plan("0", "100"), stages=(replace(a_stage("0"), splits=both), *a_plan("100").stages))
    release = replace(in_phase(Phase.OBSERVING, plan), targets=(a_target(), a_target("ratings")))
    assert not release.asks_first


def test_until_an_increase_is_read_back_the_split_before_is_in_force() -> None:
    release = replace(in_phase(Phase.SHIFTING), stage=1, written=0, confirmed=frozenset())
    assert release.in_force == 0
    assert replace(release, confirmed=frozenset({"shop/reviews"})).in_force == 1


def test_a_stage_that_has_not_begun_has_no_deadline() -> None:
    assert timers.deadline(replace(in_phase(Phase.SHIFTING), stage_began_at=None)) is None


def awaited(release: Release, text: str) -> Decision:
    return moved(release, BaselineAwaited(release.id, f"awaited:{text}", text))


def test_pods_are_waited_for_by_who_goes_back_alone_and_told_once() -> None:
    back = awaited(in_phase(Phase.ROLLING_BACK), "v1 has 0 of 3 pods.")
    assert back.release.waits_for == "v1 has 0 of 3 pods."
    assert awaited(back.release, "v1 has 0 of 3 pods.").effects == ()
    assert awaited(in_phase(Phase.STUCK), "v1 has 0 of 3 pods.").release.waits_for == ""


def test_who_may_answer_is_reminded_that_the_baseline_still_waits() -> None:
    release = replace(in_phase(Phase.DECOMMISSIONING), asked_at=NOW)
    assert [line.audience for line in said(retirement.woken(release, NOW))] == [Audience.APPROVERS]


def test_one_yes_lets_the_baseline_go_where_no_stage_asks_anybody() -> None:
    release = in_phase(Phase.DECOMMISSIONING)
    assert retirement.quorum(replace(release, plan=a_plan(approve=False))) == 1
    two = replace(a_plan("5", "100"), stages=(a_stage(gates=(ApprovalGate(2),)), a_stage("100")))
    assert retirement.quorum(replace(release, plan=two)) == 2
