"""A pause stops the clocks and nothing else; resuming takes up the plan where it stood, to the second."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies import reminders
from strategies.events import (
    EffectFailed,
    PauseRequested,
    Prepared,
    ResumeRequested,
    RollbackRequested,
    RouteConfirmed,
    WakeReached,
)
from strategies.reasons import ReasonCode
from strategies.release import Decommission, Drift, Phase, Release, Rules
from tests.builders import NOW
from tests.unit.core.events_of import (
    ALICE,
    BOB,
    FAILS,
    LATER,
    MALLORY,
    PASSES,
    a_look,
    in_phase,
    kinds,
    moved,
    refused,
)

MINUTE = timedelta(minutes=1)


def paused(release: Release, minutes: int = 4) -> Release:
    """Paused by Alice so many minutes after `NOW`."""
    return moved(release, PauseRequested(release.id, "p", ALICE, "lunch"), NOW + minutes * MINUTE).release


def resume(release: Release, **changes: object) -> ResumeRequested:
    """A click on resume of the present message."""
    request = ResumeRequested(release.id, "r", ALICE, release.revision)
    return replace(request, **changes)  # type: ignore[arg-type]


def test_a_pause_keeps_the_split_and_says_who_and_why() -> None:
    release = paused(in_phase(Phase.OBSERVING))
    assert release.phase is Phase.PAUSED
    assert release.wanted("reviews") == in_phase(Phase.OBSERVING).wanted("reviews")
    assert release.note == "paused by Person U1: lunch"


def test_only_who_steers_releases_may_pause_and_resume() -> None:
    release = in_phase(Phase.OBSERVING)
    assert refused(release, PauseRequested(release.id, "p", MALLORY)) is ReasonCode.NOT_ALLOWED
    held = paused(release)
    assert refused(held, resume(held, actor=MALLORY)) is ReasonCode.NOT_ALLOWED


def test_the_hold_goes_on_with_exactly_what_was_left_of_it() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    assert held.hold_left == 6 * MINUTE
    after = moved(held, resume(held), LATER).release
    assert after.phase is Phase.OBSERVING
    assert after.hold_until == LATER + 6 * MINUTE
    assert after.wake_at == LATER + 6 * MINUTE


def test_a_second_pause_does_not_stretch_or_lose_the_hold() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    again = moved(held, resume(held), LATER).release
    held = moved(again, PauseRequested(again.id, "p2", ALICE), LATER + 2 * MINUTE).release
    assert held.hold_left == 4 * MINUTE


def test_the_deadline_counts_anew_after_a_pause_that_outlasted_it() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    much_later = NOW + timedelta(days=1)
    after = moved(replace(held, verdicts=()), resume(held), much_later).release
    ends = [after.wake_at]
    after = moved(after, WakeReached(after.id, "w", after.wake_at or NOW), after.wake_at or NOW).release
    ends.append(after.wake_at)
    assert ends == [much_later + 6 * MINUTE, much_later + 30 * MINUTE]


def test_pausing_twice_changes_nothing() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    assert moved(held, PauseRequested(held.id, "p2", BOB)).release == held


def test_a_soak_goes_on_with_what_was_left_of_it() -> None:
    held = paused(in_phase(Phase.SOAKING), minutes=15)
    after = moved(held, resume(held), LATER).release
    assert (after.phase, after.soak_until) == (Phase.SOAKING, LATER + 45 * MINUTE)


def test_a_pause_while_a_write_is_under_way_asks_for_it_again() -> None:
    held = paused(replace(in_phase(Phase.SHIFTING), confirmed=frozenset()))
    decision = moved(held, resume(held), LATER)
    assert (decision.release.phase, decision.release.stage) == (Phase.SHIFTING, 0)
    assert kinds(decision).count("SetRoute") == 1


def test_a_write_that_ends_during_the_pause_still_counts() -> None:
    shifting = replace(in_phase(Phase.SHIFTING), confirmed=frozenset(), revision=5, split_revision=5)
    held = paused(shifting)
    assert held.revision == 6
    written = moved(held, RouteConfirmed(held.id, "c", "shop/reviews", 5), LATER).release
    assert written.is_confirmed
    assert written.phase is Phase.PAUSED


def test_a_split_that_was_not_seen_yet_has_to_be_seen_after_the_pause() -> None:
    held = paused(in_phase(Phase.SHIFTING))
    decision = moved(held, resume(held), LATER)
    assert decision.release.phase is Phase.SHIFTING
    assert decision.release.verdicts == ()


def test_a_question_about_a_split_that_was_never_written_writes_it_first() -> None:
    held = paused(replace(in_phase(Phase.AWAITING_APPROVAL), confirmed=frozenset()))
    decision = moved(held, resume(held), LATER)
    assert decision.release.phase is Phase.SHIFTING
    assert "SetRoute" in kinds(decision)


def test_a_time_that_people_set_for_the_next_increase_survives_a_pause() -> None:
    tomorrow = NOW + timedelta(days=1)
    held = paused(replace(in_phase(Phase.SHIFTING), not_before=tomorrow))
    assert moved(held, resume(held), LATER).release.not_before == tomorrow


def test_a_question_is_asked_again_after_the_pause() -> None:
    held = paused(in_phase(Phase.AWAITING_APPROVAL))
    after = moved(held, resume(held), LATER).release
    assert (after.phase, after.asked_at, after.reminded) == (Phase.AWAITING_APPROVAL, LATER, False)


def test_a_scheduled_start_that_was_paused_waits_for_its_time_or_begins_at_once() -> None:
    held = paused(in_phase(Phase.SCHEDULED))
    before = moved(held, resume(held), LATER - MINUTE).release
    assert (before.phase, before.wake_at) == (Phase.SCHEDULED, LATER)
    assert moved(held, resume(held), LATER).release.phase is Phase.PREPARING


def test_preparing_begins_again_and_an_answer_from_before_the_pause_moves_nothing() -> None:
    held = paused(in_phase(Phase.PREPARING))
    assert moved(held, Prepared(held.id, "k", {})).release == held
    decision = moved(held, resume(held), LATER)
    assert kinds(decision)[0] == "Prepare"


def test_decommissioning_goes_on_after_a_pause() -> None:
    rules = Rules(decommission=Decommission.SCALE_TO_ZERO)
    held = paused(replace(in_phase(Phase.DECOMMISSIONING), rules=rules))
    assert kinds(moved(held, resume(held), LATER))[0] == "RetireBaseline"


def test_a_failing_gate_and_a_foreign_change_are_not_resumed_past() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    failing = replace(held, verdicts=FAILS)
    assert refused(failing, resume(failing)) is ReasonCode.GATE_FAILING
    drifted = replace(held, drift=Drift("shop/reviews", "5 -> 40", "somebody", None))
    assert refused(drifted, resume(drifted)) is ReasonCode.DRIFT


def test_a_stale_resume_is_refused() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    assert refused(held, resume(held, revision=held.revision - 1)) is ReasonCode.STALE_REVISION


def test_looks_go_on_while_paused_and_wake_nothing() -> None:
    held = paused(in_phase(Phase.OBSERVING))
    after = moved(held, a_look(held, PASSES, LATER), LATER).release
    assert (after.phase, after.last_look_at, after.wake_at) == (Phase.PAUSED, LATER, held.wake_at)


@pytest.mark.parametrize("phase", [Phase.SCHEDULED, Phase.PREPARING, Phase.OBSERVING, Phase.SOAKING])
def test_a_paused_release_can_go_back(phase: Phase) -> None:
    held = paused(in_phase(phase))
    after = moved(held, RollbackRequested(held.id, "rb", BOB), LATER).release
    assert after.phase is (Phase.ROLLED_BACK if phase is Phase.SCHEDULED else Phase.ROLLING_BACK)


@pytest.mark.parametrize(
    ("phase", "effect"),
    [
        (Phase.PREPARING, "Prepare"),
        (Phase.SHIFTING, "SetRoute"),
        (Phase.ROLLING_BACK, "SetRoute"),
        (Phase.PAUSED, "RefreshCard"),
    ],
)
def test_what_got_stuck_is_tried_again_by_resuming(phase: Phase, effect: str) -> None:
    release = replace(in_phase(phase), verdicts=())
    stuck = moved(release, EffectFailed(release.id, "f", "SetRoute", "forbidden"), LATER)
    assert stuck.release.phase is Phase.STUCK
    assert kinds(stuck)[0] == "CallOnCall"
    assert kinds(moved(stuck.release, resume(stuck.release), LATER))[0] == effect


def test_a_pause_is_spoken_of_once() -> None:
    release = in_phase(Phase.PAUSED)
    end = release.entered_at + release.rules.no_answer_after
    assert reminders.due(release) == end
    spoken = reminders.said(release, end)
    assert spoken.release == replace(release, reminded=True)
    assert reminders.due(spoken.release) is None
