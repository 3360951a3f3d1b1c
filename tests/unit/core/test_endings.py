"""How a release ends, and how it gets stuck on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies.effects import SetCapacity
from strategies.events import (
    BaselineRetired,
    BaselineWatched,
    EffectFailed,
    RollbackRequested,
    RouteConfirmed,
    WakeReached,
)
from strategies.release import Decommission, Phase, Release, Rules
from tests.builders import NOW
from tests.unit.core.events_of import CAROL, LATER, in_phase, kinds, moved, said


def soaked(rules: Rules) -> Release:
    """A release at the end of its soak."""
    release = replace(in_phase(Phase.SOAKING), rules=rules, stage=3)
    return moved(release, WakeReached(release.id, "w", LATER), LATER).release


def failed(release: Release) -> EffectFailed:
    """The worker gave an effect up."""
    return EffectFailed(release.id, "f", "SetRoute", "forbidden by RBAC")


def test_a_baseline_that_stays_completes_the_release_after_the_soak() -> None:
    release = soaked(Rules(decommission=Decommission.KEEP))
    assert release.phase is Phase.COMPLETED
    assert release.note == "v2 serves all requests"


@pytest.mark.parametrize("rule", [Decommission.SCALE_TO_ZERO, Decommission.DELETE])
def test_a_baseline_that_goes_is_proven_idle_first(rule: Decommission) -> None:
    release = soaked(Rules(decommission=rule))
    assert release.phase is Phase.DECOMMISSIONING
    proven = moved(release, BaselineWatched(release.id, "i", is_idle=True, text="no request in 5 min"))
    assert (proven.release.is_retiring, proven.release.is_cold, kinds(proven)[0]) == (True, True, "RetireBaseline")
    decision = moved(proven.release, BaselineRetired(release.id, "r", "no request in 5 min"))
    assert decision.release.phase is Phase.COMPLETED
    assert decision.why == "no request in 5 min"
    assert [line.text for line in said(decision)] == [
        "no request in 5 min",
        "reviews-1 is complete: v2 serves all requests.",
    ]


def test_a_completed_release_goes_back_and_ends_as_any_other_does() -> None:
    release = in_phase(Phase.COMPLETED)
    back = moved(release, RollbackRequested(release.id, "rb", CAROL))
    assert (back.release.phase, kinds(back)[0]) == (Phase.ROLLING_BACK, "SetRoute")
    done = moved(back.release, RouteConfirmed(release.id, "c", "shop/reviews", back.release.revision))
    assert done.release.phase is Phase.ROLLED_BACK


@pytest.mark.parametrize(
    "phase", [Phase.PREPARING, Phase.SHIFTING, Phase.OBSERVING, Phase.SOAKING, Phase.DECOMMISSIONING]
)
def test_what_cannot_be_done_stops_loudly_and_remembers_where(phase: Phase) -> None:
    decision = moved(in_phase(phase), failed(in_phase(phase)))
    assert (decision.release.phase, decision.release.resume_to) == (Phase.STUCK, phase)
    assert kinds(decision)[0] == "CallOnCall"
    assert decision.why == "reviews-1 is stuck: forbidden by RBAC"


def test_a_fault_during_a_pause_remembers_what_the_pause_interrupted() -> None:
    assert moved(in_phase(Phase.PAUSED), failed(in_phase(Phase.PAUSED))).release.resume_to is Phase.OBSERVING


def test_a_stuck_rollback_is_still_wanted_and_ends_when_it_is_read_back() -> None:
    release = in_phase(Phase.SHIFTING)
    back = moved(release, RollbackRequested(release.id, "rb", CAROL)).release
    stuck = moved(back, failed(back)).release
    assert stuck.phase is Phase.STUCK
    assert stuck.is_going_back
    done = moved(stuck, RouteConfirmed(stuck.id, "c", "shop/reviews", stuck.revision)).release
    assert done.phase is Phase.ROLLED_BACK


def test_a_person_may_ask_a_stuck_rollback_to_go_on_at_once() -> None:
    release = replace(in_phase(Phase.STUCK), resume_to=Phase.ROLLING_BACK, confirmed=frozenset())
    decision = moved(release, RollbackRequested(release.id, "rb", CAROL))
    assert decision.release.phase is Phase.ROLLING_BACK
    assert kinds(decision)[0] == "SetRoute"


def test_a_rollback_asked_for_while_stuck_on_the_way_forward_begins() -> None:
    release = in_phase(Phase.STUCK)
    decision = moved(release, RollbackRequested(release.id, "rb", CAROL))
    assert decision.release.phase is Phase.ROLLING_BACK
    assert decision.release.wake_at == NOW + timedelta(seconds=60)


def test_an_ended_release_is_over_and_no_other() -> None:
    over = {phase for phase in Phase if in_phase(phase).is_over}
    assert over == {Phase.COMPLETED, Phase.ROLLED_BACK}


def test_a_rollback_that_finds_its_object_deleted_ends_and_calls_for_help() -> None:
    release = replace(in_phase(Phase.ROLLING_BACK), confirmed=frozenset())
    found = RouteConfirmed(release.id, "c", release.objects[0], release.split_revision, is_gone=True)
    decision = moved(release, found)
    assert (decision.release.phase, decision.release.is_over) == (Phase.ROLLED_BACK, True)
    assert kinds(decision)[0] == "CallOnCall"
    assert "found no VirtualService shop/reviews: somebody deleted it" in decision.release.note
    assert "those of v2 among them" in decision.release.note


def test_sizes_are_given_back_where_the_object_is_deleted_too() -> None:
    release = replace(in_phase(Phase.ROLLING_BACK), confirmed=frozenset(), rules=Rules(scale=True))
    found = RouteConfirmed(release.id, "c", release.objects[0], release.split_revision, is_gone=True)
    assert SetCapacity(release.id) in moved(release, found).effects
