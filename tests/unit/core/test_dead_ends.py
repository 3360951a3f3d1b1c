"""A release that waits has a timer or a person; nobody is stopped from going back."""

from dataclasses import replace
from datetime import timedelta

from strategies.events import EffectFailed, PauseRequested, ResumeRequested, RollbackRequested, WakeReached
from strategies.release import Phase, Release
from strategies.verdicts import Outcome
from tests.builders import NOW, a_verdict
from tests.unit.core.events_of import ALICE, CAROL, LATER, in_phase, kinds, moved


def stuck_on_the_way_back() -> Release:
    """Harm was proven, and the rollback's write is forbidden."""
    harmed = replace(in_phase(Phase.OBSERVING), verdicts=(a_verdict(Outcome.FAIL),))
    back = moved(harmed, RollbackRequested(harmed.id, "rb", CAROL), NOW).release
    return moved(back, EffectFailed(back.id, "f", "SetRoute", "forbidden"), NOW).release


def test_a_soak_that_was_paused_at_its_very_end_does_not_last_for_ever() -> None:
    soaking = in_phase(Phase.SOAKING)
    held = moved(soaking, PauseRequested(soaking.id, "p", ALICE), LATER + timedelta(seconds=2)).release
    assert held.hold_left == timedelta(0)
    after = moved(held, ResumeRequested(held.id, "r", ALICE), LATER + timedelta(hours=1)).release
    assert after.phase is Phase.COMPLETED


def test_a_rollback_that_is_stuck_is_tried_again_whatever_the_gates_say() -> None:
    stuck = stuck_on_the_way_back()
    assert stuck.failing()
    again = moved(stuck, ResumeRequested(stuck.id, "r", ALICE, stuck.revision), LATER)
    assert again.release.phase is Phase.ROLLING_BACK
    assert "SetRoute" in kinds(again)


def test_a_rollback_that_is_stuck_can_be_asked_for_again() -> None:
    stuck = stuck_on_the_way_back()
    again = moved(stuck, RollbackRequested(stuck.id, "rb2", CAROL), LATER)
    assert again.release.phase is Phase.ROLLING_BACK
    assert again.release.wake_at == LATER + timedelta(seconds=60)


def test_a_start_missed_for_long_is_asked_about_and_not_caught_up() -> None:
    waiting = in_phase(Phase.SCHEDULED)
    morning = LATER + timedelta(hours=9)
    late = moved(waiting, WakeReached(waiting.id, "w", LATER), morning)
    assert late.release.phase is Phase.PAUSED
    assert "Say" in kinds(late)
    resumed = moved(late.release, ResumeRequested(waiting.id, "r", ALICE), morning)
    assert resumed.release.phase is Phase.PREPARING
