"""Somebody else's edit of our fields: stop, show, ask; adopt, restore or stop."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from strategies.effects import Audience
from strategies.events import DriftChoice, DriftFound, DriftResolved, EffectFailed
from strategies.reasons import ReasonCode
from strategies.release import Actor, Drift, Phase, Release
from strategies.routing import HUNDRED, Mirror, Split
from tests.builders import NOW, an_approver
from tests.unit.core.events_of import ALICE, BOB, FAILS, LATER, MALLORY, in_phase, kinds, moved, refused, said

PHASES = [Phase.SHIFTING, Phase.OBSERVING, Phase.AWAITING_APPROVAL, Phase.SOAKING]


def edit(share: int | None = 40) -> Drift:
    """Somebody gave the candidate that share; None: something that is no split of the two versions."""
    split = None if share is None else Split.between("v1", "v2", Decimal(share))
    return Drift("shop/reviews", "weight 5 -> 40", "kubectl-edit", split)


def drifted(phase: Phase = Phase.OBSERVING, share: int | None = 40, **changes: object) -> Release:
    """A release that was stopped by somebody else's edit four minutes after `NOW`."""
    release = replace(in_phase(phase), **changes)  # type: ignore[arg-type]
    return moved(release, DriftFound(release.id, "d", edit(share)), NOW + timedelta(minutes=4)).release


def choose(release: Release, choice: DriftChoice, actor: Actor = BOB) -> DriftResolved:
    """A person's answer to the present drift."""
    return DriftResolved(release.id, "c", actor, choice, release.revision)


@pytest.mark.parametrize("phase", PHASES)
def test_a_foreign_edit_pauses_shows_the_difference_and_writes_nothing(phase: Phase) -> None:
    release = in_phase(phase)
    decision = moved(release, DriftFound(release.id, "d", edit()))
    assert (decision.release.phase, decision.release.resume_to) == (Phase.PAUSED, phase)
    assert said(decision)[0].text == "kubectl-edit changed shop/reviews:\nweight 5 -> 40"
    assert said(decision)[0].audience is Audience.REQUESTER_AND_ON_CALL
    assert "SetRoute" not in kinds(decision)


def test_a_second_finding_waits_until_the_first_is_resolved() -> None:
    release = drifted()
    assert moved(release, DriftFound(release.id, "d2", edit(60))).release == release


def test_an_edit_found_against_an_older_split_is_none() -> None:
    release = replace(in_phase(Phase.SHIFTING), revision=6, split_revision=6)
    assert moved(release, DriftFound(release.id, "d", edit(), revision=5)).release.drift is None
    assert moved(release, DriftFound(release.id, "d", edit(), revision=6)).release.drift == edit()


def test_before_the_first_split_nothing_of_ours_can_be_edited() -> None:
    release = replace(in_phase(Phase.PAUSED), stage=-1, resume_to=Phase.PREPARING)
    assert moved(release, DriftFound(release.id, "d", edit())).release.drift is None


def test_restoring_writes_our_split_again_over_the_edit_and_keeps_the_hold() -> None:
    release = drifted()
    decision = moved(release, choose(release, DriftChoice.RESTORE), LATER)
    assert kinds(decision)[0] == "SetRoute"
    assert decision.release.overwrites
    assert (decision.release.drift, decision.release.hold_left) == (None, timedelta(minutes=6))
    assert decision.release.plan == release.plan


def test_adopting_takes_the_split_found_and_every_stage_above_it() -> None:
    release = drifted(share=40)
    decision = moved(release, choose(release, DriftChoice.ADOPT))
    assert [int(share) for share in decision.release.plan.shares("reviews", "v2")] == [40, 50, 100]
    assert not decision.release.overwrites
    assert decision.reply == "The split found is now the plan: 40 %."


def test_adopting_less_than_the_stage_comes_back_to_the_stage() -> None:
    release = drifted(share=10, stage=1)
    after = moved(release, choose(release, DriftChoice.ADOPT)).release
    assert [int(share) for share in after.plan.shares("reviews", "v2")] == [5, 10, 25, 50, 100]


def test_adopting_at_the_last_stage_still_ends_at_a_hundred_and_asks_before_it() -> None:
    release = drifted(share=60, stage=3)
    after = moved(release, choose(release, DriftChoice.ADOPT)).release
    assert after.plan.shares("reviews", "v2")[-2:] == (Decimal(60), HUNDRED)
    assert after.current is not None
    assert after.current.approval is not None


def test_adopting_everything_leaves_no_increase() -> None:
    release = drifted(share=100)
    after = moved(release, choose(release, DriftChoice.ADOPT)).release
    assert after.following is None


def test_adopting_a_split_without_the_candidate_goes_back() -> None:
    release = drifted(share=0)
    assert moved(release, choose(release, DriftChoice.ADOPT)).release.phase is Phase.ROLLING_BACK


def test_what_is_no_split_of_the_two_versions_cannot_be_adopted() -> None:
    release = drifted(share=None)
    assert refused(release, choose(release, DriftChoice.ADOPT)) is ReasonCode.DRIFT


def test_only_an_approver_adopts_and_only_while_no_gate_fails() -> None:
    release = drifted()
    assert refused(release, choose(release, DriftChoice.ADOPT, an_approver("U7"))) is ReasonCode.NOT_APPROVER
    failing = replace(release, verdicts=FAILS)
    assert refused(failing, choose(failing, DriftChoice.ADOPT)) is ReasonCode.GATE_FAILING


def test_stopping_goes_back() -> None:
    release = drifted()
    decision = moved(release, choose(release, DriftChoice.STOP, ALICE))
    assert decision.release.phase is Phase.ROLLING_BACK
    assert decision.release.drift is None


def test_a_stranger_or_a_stale_button_resolves_nothing() -> None:
    release = drifted()
    assert refused(release, choose(release, DriftChoice.STOP, MALLORY)) is ReasonCode.NOT_ALLOWED
    stale = replace(choose(release, DriftChoice.RESTORE), revision=release.revision - 1)
    assert refused(release, stale) is ReasonCode.STALE_REVISION


def test_without_a_foreign_edit_there_is_nothing_to_resolve() -> None:
    release = in_phase(Phase.PAUSED)
    assert refused(release, choose(release, DriftChoice.RESTORE)) is ReasonCode.WRONG_PHASE


def test_an_edit_that_got_stuck_can_still_be_resolved() -> None:
    release = drifted()
    stuck = moved(release, EffectFailed(release.id, "f", "SetRoute", "forbidden")).release
    assert stuck.phase is Phase.STUCK
    assert moved(stuck, choose(stuck, DriftChoice.RESTORE)).release.phase is Phase.SHIFTING


def test_a_split_that_steers_in_another_way_than_the_plan_cannot_be_adopted() -> None:
    copies = Split({"v1": HUNDRED}, mirror=Mirror("v2", Decimal(10)))
    release = in_phase(Phase.OBSERVING)
    found = Drift("shop/reviews", "mirror 10 %", "kubectl-edit", copies)
    stopped = moved(release, DriftFound(release.id, "d", found), NOW + timedelta(minutes=4)).release
    assert refused(stopped, choose(stopped, DriftChoice.ADOPT)) is ReasonCode.DRIFT
