"""Looks: harm goes back from wherever a split may be live, and what is old or foreign decides nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from strategies import timers
from strategies.effects import Audience, Urgency
from strategies.plan import Plan
from strategies.release import LOOKING, OnHarm, Phase, Release, Rules
from strategies.routing import Split
from strategies.verdicts import Outcome
from tests.builders import NOW, a_plan, a_stage, a_verdict
from tests.unit.core.events_of import FAILS, PASSES, WAITS, a_look, in_phase, kinds, moved, said

PHASES = (Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.PAUSED, Phase.SOAKING, Phase.STUCK)
LOOK = timedelta(seconds=15)
UNSEEN = (a_verdict(Outcome.WAIT, "split"),)
PAUSE = Rules(on_harm=OnHarm.PAUSE)


def settled(phase: Phase, **changes: object) -> Release:
    """A release whose `wake_at` is what the machine itself would have set."""
    release = replace(in_phase(phase), **changes)  # type: ignore[arg-type]
    return replace(release, wake_at=timers.next_wake(release, NOW))


def dead(release: Release, looks: int, at: datetime = NOW) -> Release:
    """The release after so many looks at a candidate without a ready pod."""
    for n in range(looks):
        when = at + n * LOOK
        release = moved(release, a_look(release, UNSEEN, when, ready=0), when).release
    return release


def test_every_phase_in_which_the_candidate_may_have_a_share_is_looked_at() -> None:
    assert frozenset(PHASES) == LOOKING


@pytest.mark.parametrize("phase", PHASES)
def test_proven_harm_rolls_back_from_every_phase_that_is_looked_at(phase: Phase) -> None:
    release = in_phase(phase)
    decision = moved(release, a_look(release, FAILS))
    assert decision.release.phase is Phase.ROLLING_BACK
    assert kinds(decision)[0] == "SetRoute"
    assert said(decision)[0].audience is Audience.REQUESTER_AND_ON_CALL


@pytest.mark.parametrize("phase", PHASES)
def test_a_candidate_with_a_share_and_no_ready_pod_is_harm_at_the_second_look(phase: Phase) -> None:
    assert dead(in_phase(phase), 1).phase is phase
    assert dead(in_phase(phase), 2).phase is Phase.ROLLING_BACK


def test_looks_without_a_ready_pod_count_only_when_they_follow_each_other() -> None:
    release = dead(in_phase(Phase.OBSERVING), 1)
    between = moved(release, a_look(release, WAITS, NOW + LOOK, ready=1)).release
    assert dead(between, 1, NOW + 2 * LOOK).phase is Phase.OBSERVING


def test_a_look_that_could_not_ask_the_cluster_neither_counts_nor_forgives() -> None:
    release = dead(in_phase(Phase.OBSERVING), 1)
    unknown = moved(release, a_look(release, WAITS, NOW + LOOK, ready=None)).release
    assert dead(unknown, 1, NOW + 2 * LOOK).phase is Phase.ROLLING_BACK


def test_a_candidate_without_a_share_may_have_no_pod() -> None:
    stage = replace(a_stage(), splits={"reviews": Split.between("v1", "v2", Decimal(0))})
    plan = Plan(a_plan().strategy, (stage, *a_plan().stages))
    assert dead(in_phase(Phase.OBSERVING, plan), 3).phase is Phase.OBSERVING


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.SOAKING])
def test_where_the_profile_says_so_harm_pauses_and_tells(phase: Phase) -> None:
    release = replace(in_phase(phase), rules=PAUSE)
    decision = moved(release, a_look(release, FAILS))
    assert (decision.release.phase, decision.release.resume_to) == (Phase.PAUSED, phase)
    assert said(decision)[0].is_broadcast
    assert said(decision)[0].urgency is Urgency.DECISION


def test_harm_that_is_found_during_a_pause_is_told_once() -> None:
    release = replace(in_phase(Phase.PAUSED), rules=PAUSE)
    first = moved(release, a_look(release, FAILS))
    assert [line.audience for line in said(first)] == [Audience.REQUESTER_AND_ON_CALL]
    assert first.release.resume_to is Phase.OBSERVING
    second = moved(first.release, a_look(release, FAILS, NOW + LOOK))
    assert (second.effects, second.is_notable) == ((), False)


def test_harm_in_stuck_does_not_forget_what_was_interrupted() -> None:
    release = replace(in_phase(Phase.STUCK), rules=PAUSE, resume_to=Phase.SOAKING)
    assert moved(release, a_look(release, FAILS)).release.resume_to is Phase.SOAKING


@pytest.mark.parametrize("verdicts", [WAITS, (), (a_verdict(gate="split"), a_verdict(Outcome.WAIT))])
def test_no_data_never_goes_on(verdicts: tuple[object, ...]) -> None:
    release = replace(in_phase(Phase.OBSERVING), hold_until=None)
    decision = moved(release, a_look(release, verdicts))  # type: ignore[arg-type]
    assert (decision.release.phase, decision.release.stage) == (Phase.OBSERVING, 0)


def test_a_look_at_another_stage_says_nothing() -> None:
    release = settled(Phase.OBSERVING)
    foreign = replace(a_look(release, FAILS), stage=1)
    assert moved(release, foreign).release == release


@pytest.mark.parametrize("at", [NOW, NOW - LOOK])
def test_a_look_that_is_not_newer_than_the_last_says_nothing(at: datetime) -> None:
    release = settled(Phase.OBSERVING, last_look_at=NOW)
    assert moved(release, a_look(release, FAILS, at)).release == release


def test_a_look_from_before_the_stage_began_says_nothing() -> None:
    release = settled(Phase.OBSERVING)
    assert moved(release, a_look(release, FAILS, NOW - LOOK)).release == release


@pytest.mark.parametrize("phase", [Phase.ROLLING_BACK, Phase.ROLLED_BACK, Phase.PREPARING, Phase.COMPLETED])
def test_a_look_at_a_release_that_is_not_looked_at_says_nothing(phase: Phase) -> None:
    release = in_phase(phase)
    assert moved(release, a_look(release, FAILS)).release == release


def test_a_stuck_rollback_is_not_started_again_by_a_look() -> None:
    release = settled(Phase.STUCK, resume_to=Phase.ROLLING_BACK)
    assert moved(release, a_look(release, FAILS)).release == release


def test_the_revision_grows_only_when_a_verdict_turns_to_or_from_fail() -> None:
    release = replace(in_phase(Phase.PAUSED), rules=PAUSE)
    waiting = moved(release, a_look(release, WAITS, NOW)).release
    assert waiting.revision == release.revision
    failing = moved(waiting, a_look(release, FAILS, NOW + LOOK)).release
    assert failing.revision > waiting.revision
    still = moved(failing, a_look(release, FAILS, NOW + 2 * LOOK)).release
    assert still.revision == failing.revision
    healed = moved(still, a_look(release, PASSES, NOW + 3 * LOOK))
    assert healed.release.revision == still.revision + 1
    assert "PostStage" in kinds(healed)


def test_only_a_look_that_changes_a_verdict_is_journalled() -> None:
    release = in_phase(Phase.OBSERVING)
    same = moved(release, a_look(release, PASSES, NOW))
    assert (same.is_notable, same.effects) == (False, ())
    other = moved(same.release, a_look(release, WAITS, NOW + LOOK))
    assert other.is_notable
    assert other.why == "split pass; errors wait"


def test_the_split_has_to_be_written_and_seen_before_the_hold_begins() -> None:
    unwritten = replace(in_phase(Phase.SHIFTING), confirmed=frozenset())
    assert moved(unwritten, a_look(unwritten, PASSES)).release.phase is Phase.SHIFTING
    unseen = in_phase(Phase.SHIFTING)
    assert moved(unseen, a_look(unseen, (a_verdict(Outcome.WAIT, "split"),))).release.phase is Phase.SHIFTING
    seen = moved(unseen, a_look(unseen, PASSES)).release
    assert (seen.phase, seen.hold_until) == (Phase.OBSERVING, NOW + timedelta(minutes=10))


def test_where_nobody_is_asked_a_pass_after_the_hold_takes_the_next_step() -> None:
    release = replace(in_phase(Phase.OBSERVING, a_plan(approve=False)), hold_until=NOW)
    decision = moved(release, a_look(release, PASSES))
    assert (decision.release.phase, decision.release.stage) == (Phase.SHIFTING, 1)


def test_after_the_last_stage_a_pass_begins_the_soak_or_completes() -> None:
    last = replace(in_phase(Phase.OBSERVING), stage=3, hold_until=None)
    assert moved(last, a_look(last, PASSES)).release.phase is Phase.SOAKING
    short = replace(last, rules=Rules(soak=timedelta(0)))
    assert moved(short, a_look(short, PASSES)).release.phase is Phase.COMPLETED
