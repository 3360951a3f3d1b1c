"""Before the first split: who may ask, what is captured, what blocks, and what is called off."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies.decision import Decision
from strategies.effects import Audience, RefreshCard, Urgency
from strategies.events import (
    ClusterChanged,
    HistoryRead,
    PreparationBlocked,
    Prepared,
    ReleaseRequested,
    RollbackRequested,
    WakeReached,
)
from strategies.machine import decide
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Phase, Release, Rules
from tests.builders import NOW, a_plan, a_target
from tests.unit.core.events_of import ALICE, BOB, LATER, MALLORY, in_phase, kinds, moved, refused, said

SECOND = timedelta(seconds=1)


def asked_for(actor: Actor = ALICE, **changes: object) -> Decision | Refused:
    """What follows from a request for reviews v2."""
    request = ReleaseRequested("reviews-1", "k", actor, (a_target(),), a_plan(), Rules(), "C1")
    return decide(None, replace(request, **changes), NOW)  # type: ignore[arg-type]


def blocked(release: Release, text: str = "v2 has no ready pod.", *, is_final: bool = False) -> PreparationBlocked:
    """The answer of a cluster that is not ready."""
    return PreparationBlocked(release.id, "b", ReasonCode.NOT_READY, text, is_final)


def test_only_a_releaser_starts_a_release() -> None:
    for actor in (BOB, MALLORY):
        outcome = asked_for(actor)
        assert isinstance(outcome, Refused)
        assert outcome.reason_code is ReasonCode.NOT_ALLOWED


def test_a_request_is_prepared_at_once() -> None:
    decision = asked_for()
    assert isinstance(decision, Decision)
    assert decision.release.phase is Phase.PREPARING
    assert kinds(decision) == ["Prepare", "ReadHistory", "RefreshCard"]
    assert decision.reply == "reviews-1 is on its way: v1 → v2."


def test_a_request_for_later_waits_and_one_for_the_past_does_not() -> None:
    later, now = asked_for(starts_at=LATER), asked_for(starts_at=NOW)
    assert isinstance(later, Decision)
    assert isinstance(now, Decision)
    assert (later.release.phase, later.release.wake_at) == (Phase.SCHEDULED, LATER)
    assert now.release.phase is Phase.PREPARING


def test_a_ready_cluster_gets_the_first_split_and_its_originals_are_kept() -> None:
    release = in_phase(Phase.PREPARING)
    decision = moved(release, Prepared(release.id, "k", {"shop/reviews/http/main": "{}"}))
    assert (decision.release.phase, decision.release.stage) == (Phase.SHIFTING, 0)
    assert decision.release.originals == {"shop/reviews/http/main": "{}"}
    assert kinds(decision) == ["SetRoute", "RefreshCard"]


def waiting(**changes: object) -> Release:
    """A release that waits for a pod of its candidate, since `NOW`."""
    release = moved(in_phase(Phase.PREPARING), blocked(in_phase(Phase.PREPARING))).release
    return replace(release, **changes)  # type: ignore[arg-type]


def test_what_waiting_cures_is_tried_again_in_five_seconds_and_shown_once() -> None:
    release = in_phase(Phase.PREPARING)
    first = moved(release, blocked(release))
    assert first.release.wake_at == NOW + 5 * SECOND
    assert first.effects == (RefreshCard(release.id, Urgency.STAGE),)
    wake = WakeReached(release.id, "w", NOW + 5 * SECOND)
    again = moved(first.release, wake, NOW + 5 * SECOND)
    assert kinds(again) == ["Prepare"]
    assert not again.is_notable
    second = moved(again.release, blocked(release), NOW + 6 * SECOND)
    assert (second.effects, second.is_notable) == ((), False)


def test_a_second_answer_to_one_question_changes_nothing() -> None:
    release = moved(in_phase(Phase.PREPARING), blocked(in_phase(Phase.PREPARING))).release
    assert moved(release, blocked(release, "another")).release == release


def test_a_candidate_that_is_not_ready_at_the_deadline_is_told_to_people_once() -> None:
    release = in_phase(Phase.PREPARING)
    overdue = NOW + timedelta(minutes=30)
    told = moved(release, blocked(release), overdue)
    assert said(told)[0].audience is Audience.REQUESTER_AND_ON_CALL
    assert "v2 has no ready pod." in said(told)[0].text
    assert told.release.wake_at == overdue + timedelta(minutes=30)
    again = moved(replace(told.release, retry_at=None), blocked(release), overdue + 5 * SECOND)
    assert said(again) == []


@pytest.mark.parametrize(
    ("waited", "again"), [(0, 5), (4, 5), (6, 6), (600, 600), (1000, 800), (1799, 1), (1801, 1801), (7200, 3600)]
)
def test_the_cluster_is_asked_again_after_as_long_as_was_waited_and_at_the_deadline(waited: int, again: int) -> None:
    now = NOW + waited * SECOND
    asked = moved(waiting(retry_at=None, reminded=waited > 1800), blocked(waiting()), now)
    assert asked.release.wake_at == now + again * SECOND


def test_nothing_is_due_at_a_deadline_that_was_told() -> None:
    now = NOW + 1700 * SECOND
    asked = moved(waiting(retry_at=None, reminded=True), blocked(waiting()), now)
    assert asked.release.wake_at == now + 1700 * SECOND


def test_a_change_of_the_cluster_has_it_asked_at_once() -> None:
    release = waiting()
    changed = moved(release, ClusterChanged(release.id, "c"), NOW + SECOND)
    assert (kinds(changed), changed.is_notable) == (["Prepare"], False)
    assert (changed.release.retry_at, changed.release.wake_at) == (None, None)


def test_a_change_while_the_cluster_is_being_asked_says_nothing_new() -> None:
    release = waiting(retry_at=None)
    changed = moved(release, ClusterChanged(release.id, "c"))
    assert (changed.release, changed.effects, changed.is_notable) == (replace(release, wake_at=None), (), False)


def test_what_waiting_does_not_cure_ends_the_release() -> None:
    release = in_phase(Phase.PREPARING)
    decision = moved(release, blocked(release, is_final=True))
    assert decision.release.phase is Phase.ROLLING_BACK
    assert decision.release.note == "v2 has no ready pod."


def test_a_release_that_has_not_begun_is_called_off_without_a_write() -> None:
    release = in_phase(Phase.SCHEDULED)
    decision = moved(release, RollbackRequested(release.id, "k", ALICE, "wrong version"))
    assert decision.release.phase is Phase.ROLLED_BACK
    assert kinds(decision) == ["Say", "RefreshCard"]
    assert "called off" in said(decision)[0].text


def test_a_stranger_calls_nothing_off() -> None:
    release = in_phase(Phase.SCHEDULED)
    assert refused(release, RollbackRequested(release.id, "k", MALLORY)) is ReasonCode.NOT_ALLOWED


def test_a_preparation_that_is_tried_again_already_is_not_put_off_further() -> None:
    release = replace(in_phase(Phase.PREPARING), retry_at=LATER)
    assert moved(release, blocked(release)).release == release


def test_a_history_is_read_once() -> None:
    release = replace(in_phase(Phase.PREPARING), history="known")
    assert moved(release, HistoryRead(release.id, "h", "another", "told")).release.history == "known"
