"""What a move leaves of a release on which every clock, question and mark was set, and what it asks for."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from strategies import moves
from strategies.effects import (
    Effect,
    PostStage,
    Prepare,
    ReadHistory,
    RefreshCard,
    RetireBaseline,
    Say,
    SetCapacity,
    SetRoute,
    Urgency,
)
from strategies.release import Decommission, Drift, Phase, Release, Rules, StandingApproval
from tests.builders import NOW, a_plan, a_release, a_verdict, an_approver

EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(minutes=20)
ROUTE = "shop/reviews"
CARD, DECIDED = (RefreshCard("reviews-1", urgency) for urgency in (Urgency.STAGE, Urgency.DECISION))


def worn(phase: Phase, **changes: object) -> Release:
    """A release in its second stage that has been through everything."""
    standing = StandingApproval(an_approver(), (1,), EARLIER, LATER, EARLIER, 6)
    release = a_release(
        phase=phase,
        entered_at=EARLIER,
        stage=1,
        revision=7,
        split_revision=6,
        note="what was before",
        starts_at=EARLIER,
        not_before=EARLIER,
        stage_began_at=EARLIER,
        hold_until=LATER,
        hold_left=timedelta(minutes=3),
        soak_until=LATER,
        asked_at=EARLIER,
        reminded=True,
        called_at=EARLIER,
        retry_at=EARLIER,
        confirmed=frozenset({ROUTE}),
        written=1,
        overwrites=True,
        replaced=({},),
        standing=standing,
        verdicts=(a_verdict(),),
        smoke=a_verdict(gate="smoke"),
        unready_looks=1,
        resume_to=Phase.OBSERVING,
        drift=Drift(ROUTE, "- v2: 5", "mallory", None),
        kept={ROUTE: "{}"},
        may_retire=True,
        is_retiring=True,
        is_cold=True,
        waits_for="pods",
    )
    return replace(release, **changes)  # type: ignore[arg-type]


def changed(before: Release, after: Release) -> dict[str, object]:
    names = [field.name for field in fields(Release)]
    return {name: getattr(after, name) for name in names if getattr(after, name) != getattr(before, name)}


def stage(urgency: Urgency) -> Effect:
    return PostStage("reviews-1", 1, urgency)


def test_preparing_forgets_the_start_and_reads_what_is_not_known_yet() -> None:
    release = worn(Phase.SCHEDULED)
    decision = moves.prepare(release, NOW, "its time has come")
    assert changed(release, decision.release) == {
        "phase": Phase.PREPARING,
        "entered_at": NOW,
        "starts_at": None,
        "resume_to": None,
        "retry_at": None,
        "reminded": False,
        "note": "checking the cluster",
    }
    assert decision.effects == (Prepare("reviews-1"), ReadHistory("reviews-1"), CARD)
    known = moves.prepare(replace(release, history="a day"), NOW, "again")
    assert known.effects == (Prepare("reviews-1"), CARD)


def test_a_new_split_begins_without_anything_of_the_stage_before() -> None:
    release = worn(Phase.AWAITING_APPROVAL)
    decision = moves.shift(release, 2, NOW, "approved")
    assert changed(release, decision.release) == {
        "phase": Phase.SHIFTING,
        "entered_at": NOW,
        "stage": 2,
        "stage_began_at": NOW,
        "revision": 8,
        "split_revision": 8,
        "confirmed": frozenset(),
        "verdicts": (),
        "smoke": None,
        "unready_looks": 0,
        "hold_until": None,
        "hold_left": None,
        "retry_at": None,
        "not_before": None,
        "asked_at": None,
        "reminded": False,
        "resume_to": None,
        "note": "sending 50 % to v2",
    }
    assert decision.effects == (SetRoute("reviews-1", ROUTE, Urgency.STAGE), stage(Urgency.DECISION), CARD)


def test_the_first_split_leaves_no_stage_behind() -> None:
    decision = moves.shift(worn(Phase.PREPARING, stage=-1), 0, NOW, "prepared")
    assert decision.effects == (SetRoute("reviews-1", ROUTE, Urgency.STAGE), CARD)


def test_observing_goes_on_with_what_was_left_of_the_hold() -> None:
    release = worn(Phase.SHIFTING)
    decision = moves.observe(release, NOW)
    assert changed(release, decision.release) == {
        "phase": Phase.OBSERVING,
        "entered_at": NOW,
        "hold_until": NOW + timedelta(minutes=3),
        "hold_left": None,
        "resume_to": None,
        "note": "25 % seen in traffic at v2",
    }
    assert decision.effects == (CARD,)
    assert moves.observe(replace(release, hold_left=None), NOW).release.hold_until == NOW + timedelta(minutes=10)


def test_an_advance_that_asks_nobody_shows_the_stage_that_passed() -> None:
    release = worn(Phase.OBSERVING, plan=a_plan(approve=False))
    decision = moves.advance(release, NOW, "every gate passes")
    assert decision.release.stage == 2
    assert decision.effects[-1] == stage(Urgency.STAGE)


def test_a_question_is_new_to_everybody() -> None:
    release = worn(Phase.OBSERVING)
    decision = moves.ask(release, NOW, "waiting for approval")
    assert changed(release, decision.release) == {
        "phase": Phase.AWAITING_APPROVAL,
        "entered_at": NOW,
        "asked_at": NOW,
        "reminded": False,
        "revision": 8,
        "resume_to": None,
        "note": "waiting for approval",
    }
    assert decision.effects == (stage(Urgency.DECISION), DECIDED)


def test_a_soak_has_a_clock_of_its_own() -> None:
    release = worn(Phase.OBSERVING)
    decision = moves.soak(release, NOW, "the last stage passed")
    assert changed(release, decision.release) == {
        "phase": Phase.SOAKING,
        "entered_at": NOW,
        "soak_until": NOW + timedelta(minutes=30),
        "revision": 8,
        "resume_to": None,
        "hold_until": None,
        "hold_left": None,
        "note": "v2 serves everything, v1 is kept warm",
    }
    assert decision.effects == (PostStage("reviews-1", 1), CARD)


@pytest.mark.parametrize("soak", [timedelta(0), timedelta(seconds=-1)])
def test_without_a_soak_the_release_ends_at_once(soak: timedelta) -> None:
    release = worn(Phase.OBSERVING, rules=Rules(soak=soak))
    assert moves.soak(release, NOW, "passed").release.phase is Phase.COMPLETED


def test_a_yes_to_an_earlier_proof_removes_nothing() -> None:
    release = worn(Phase.SOAKING, rules=Rules(decommission=Decommission.SCALE_TO_ZERO))
    decision = moves.retire(release, NOW, "the soak is over")
    assert changed(release, decision.release) == {
        "phase": Phase.DECOMMISSIONING,
        "entered_at": NOW,
        "revision": 8,
        "resume_to": None,
        "soak_until": None,
        "asked_at": None,
        "retry_at": None,
        "reminded": False,
        "may_retire": False,
        "is_retiring": False,
        "note": "proving that nothing calls v1",
    }
    assert decision.effects == (RetireBaseline("reviews-1"), CARD)


def test_a_completed_release_has_no_clock_left() -> None:
    release = worn(Phase.SOAKING)
    decision = moves.complete(release, NOW, "the soak is over")
    assert changed(release, decision.release) == {
        "phase": Phase.COMPLETED,
        "entered_at": NOW,
        "revision": 8,
        "soak_until": None,
        "hold_until": None,
        "asked_at": None,
        "retry_at": None,
        "resume_to": None,
        "note": "v2 serves all requests",
    }
    line = Say("reviews-1", "completed:8", "reviews-1 is complete: v2 serves all requests.")
    assert decision.effects == (PostStage("reviews-1", 1), line, CARD)
    before_the_first = moves.complete(replace(release, stage=-1), NOW, "over")
    assert before_the_first.effects == (line, CARD)
    first = moves.complete(replace(release, stage=0), NOW, "over")
    assert first.effects == (PostStage("reviews-1", 0), line, CARD)


@pytest.mark.parametrize(
    ("phase", "resume_to", "left"),
    [
        (Phase.OBSERVING, Phase.OBSERVING, timedelta(minutes=20)),
        (Phase.SOAKING, Phase.SOAKING, timedelta(minutes=25)),
        (Phase.STUCK, Phase.SHIFTING, timedelta(minutes=20)),
        (Phase.PAUSED, Phase.SHIFTING, timedelta(minutes=20)),
    ],
)
def test_a_pause_stops_the_clock_and_takes_back_what_was_said_in_advance(
    phase: Phase, resume_to: Phase, left: timedelta
) -> None:
    release = worn(phase, soak_until=NOW + timedelta(minutes=25), resume_to=Phase.SHIFTING)
    decision = moves.pause(release, NOW, "paused by Alice")
    expected = {
        "phase": Phase.PAUSED,
        "entered_at": NOW,
        "resume_to": resume_to,
        "hold_until": None,
        "hold_left": left,
        "revision": 8,
        "standing": None,
        "reminded": False,
        "note": "paused by Alice",
    }
    assert {name: getattr(decision.release, name) for name in expected} == expected
    assert changed(release, decision.release).keys() <= expected.keys()
    assert decision.effects == (DECIDED, stage(Urgency.DECISION))


def test_a_clock_that_ran_out_before_the_pause_has_nothing_left() -> None:
    release = worn(Phase.OBSERVING, hold_until=EARLIER)
    assert moves.pause(release, NOW, "paused").release.hold_left == timedelta(0)


def test_going_back_leaves_no_question_clock_or_word_given_in_advance() -> None:
    release = worn(Phase.AWAITING_APPROVAL, overwrites=False)
    decision = moves.roll_back(release, NOW, "errors: too many")
    assert changed(release, decision.release) == {
        "phase": Phase.ROLLING_BACK,
        "entered_at": NOW,
        "revision": 8,
        "split_revision": 8,
        "confirmed": frozenset(),
        "standing": None,
        "drift": None,
        "resume_to": None,
        "hold_until": None,
        "hold_left": None,
        "soak_until": None,
        "asked_at": None,
        "not_before": None,
        "retry_at": None,
        "called_at": None,
        "is_retiring": False,
        "overwrites": True,
        "note": "errors: too many",
    }
    text = "Rolling back reviews to v1: errors: too many"
    assert decision.effects == (
        SetRoute("reviews-1", ROUTE, Urgency.ROLLBACK),
        Say("reviews-1", "rolling_back:8", text, is_broadcast=True, urgency=Urgency.ROLLBACK),
        RefreshCard("reviews-1", Urgency.ROLLBACK),
        stage(Urgency.ROLLBACK),
    )


def test_what_was_taken_back_keeps_nothing_of_the_way() -> None:
    release = worn(Phase.ROLLING_BACK, confirmed=frozenset(), rules=Rules(scale=True))
    decision = moves.rolled_back(release, NOW, frozenset({ROUTE}))
    assert changed(release, decision.release) == {
        "phase": Phase.ROLLED_BACK,
        "entered_at": NOW,
        "revision": 8,
        "confirmed": frozenset({ROUTE}),
        "written": -1,
        "overwrites": False,
        "replaced": (),
        "is_cold": False,
        "waits_for": "",
        "kept": {},
        "resume_to": None,
    }
    text = "v1 serves all requests of reviews again."
    assert decision.effects == (
        Say("reviews-1", "rolled_back:8", text, urgency=Urgency.ROLLBACK),
        RefreshCard("reviews-1", Urgency.ROLLBACK),
        stage(Urgency.ROLLBACK),
        SetCapacity("reviews-1"),
    )


@pytest.mark.parametrize("paused", [False, True])
def test_what_only_waits_for_its_time_is_called_off_without_a_write(paused: bool) -> None:
    phase, resume_to = (Phase.PAUSED, Phase.SCHEDULED) if paused else (Phase.SCHEDULED, Phase.SHIFTING)
    release = worn(phase, resume_to=resume_to)
    decision = moves.roll_back(release, NOW, "asked for by Alice")
    assert changed(release, decision.release) == {
        "phase": Phase.ROLLED_BACK,
        "entered_at": NOW,
        "revision": 8,
        "starts_at": None,
        "retry_at": None,
        "resume_to": None,
        "note": "asked for by Alice",
    }
    text = "reviews-1 was called off before any traffic moved: asked for by Alice"
    assert decision.effects == (Say("reviews-1", "called_off:8", text), DECIDED)
