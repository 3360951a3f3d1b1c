"""A guard that does not hold: told once, asked again, overridden loudly, and never in the way of going back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies.decision import Decision
from strategies.effects import Audience, RefreshCard, Say, Urgency
from strategies.events import GuardOverridden, PreparationBlocked, ReleaseRequested, RollbackRequested, WakeReached
from strategies.guards import OVERRIDABLE
from strategies.machine import decide
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Phase, Release, Role, Rules, Waiver
from tests.builders import NOW, a_plan, a_target, an_actor
from tests.unit.core.events_of import ALICE, BOB, in_phase, kinds, moved, refused, said

AGAIN = NOW + timedelta(seconds=30)
DARA = an_actor("U4", Role.RELEASER, Role.OVERRIDE)
UNSTAGED = ReasonCode.NOT_STAGED


def blocked(release: Release, code: ReasonCode = UNSTAGED, text: str = "It was not staged.") -> PreparationBlocked:
    """A guard that does not hold."""
    return PreparationBlocked(release.id, "b", code, text, is_final=False)


def overridden(
    release: Release, actor: Actor = BOB, rule: ReasonCode = UNSTAGED, reason: str = "by hand"
) -> GuardOverridden:
    """A person's word against a guard."""
    return GuardOverridden(release.id, "o", actor, rule, reason)


def asked_for(actor: Actor, *rules: ReasonCode, reason: str = "one pod") -> Decision | Refused:
    """What follows from a request that overrides guards."""
    request = ReleaseRequested("reviews-1", "k", actor, (a_target(),), a_plan(), Rules(), "C1")
    return decide(None, replace(request, overrides=rules, override_reason=reason), NOW)


def test_people_are_told_once_how_to_go_on_and_it_is_asked_again_in_thirty_seconds() -> None:
    release = in_phase(Phase.PREPARING)
    first = moved(release, blocked(release))
    assert said(first)[0].audience is Audience.REQUESTER
    assert f"/release override {release.id} NOT_STAGED <reason>" in said(first)[0].text
    assert (first.release.phase, first.release.wake_at) == (Phase.PREPARING, AGAIN)
    woken = moved(first.release, WakeReached(release.id, "w", AGAIN), AGAIN)
    assert kinds(woken) == ["Prepare"]
    second = moved(woken.release, blocked(release, text="It was still not staged."), AGAIN)
    assert (said(second), second.release.note) == ([], "It was still not staged.")


@pytest.mark.parametrize(("waited", "again"), [(0, 30), (300, 30), (310, 31), (3600, 360), (6010, 600)])
def test_a_guard_is_asked_again_after_a_tenth_of_the_time_that_it_has_held(waited: int, again: int) -> None:
    now = NOW + timedelta(seconds=waited)
    held = moved(in_phase(Phase.PREPARING), blocked(in_phase(Phase.PREPARING)), now)
    assert held.release.wake_at == now + timedelta(seconds=again)


def test_another_guard_is_told_of_its_own() -> None:
    release = replace(in_phase(Phase.PREPARING), blocked_by=UNSTAGED)
    assert "NEEDS" in said(moved(release, blocked(release, ReasonCode.NEEDS)))[0].text


def test_staging_that_does_not_answer_is_waited_for_and_may_be_overridden() -> None:
    release = in_phase(Phase.PREPARING)
    decision = moved(release, blocked(release, ReasonCode.UNREACHABLE, "Staging does not answer."))
    assert f"override {release.id} NOT_STAGED" in said(decision)[0].text


def test_an_override_is_loud_and_checks_the_cluster_anew() -> None:
    release = moved(in_phase(Phase.PREPARING), blocked(in_phase(Phase.PREPARING))).release
    decision = moved(release, overridden(release))
    assert decision.release.waived == {UNSTAGED}
    assert said(decision)[0].is_broadcast
    assert "NOT_STAGED overridden by Person U2: by hand" in said(decision)[0].text
    assert "Prepare" in kinds(decision)
    assert "by hand" in decision.why


def test_only_the_override_role_with_a_reason_lifts_a_guard() -> None:
    release = in_phase(Phase.PREPARING)
    assert refused(release, overridden(release, ALICE)) is ReasonCode.NOT_ALLOWED
    assert refused(release, overridden(release, reason=" ")) is ReasonCode.BAD_INPUT
    assert refused(release, overridden(release, rule=ReasonCode.SAME_VERSION)) is ReasonCode.BAD_INPUT
    again = moved(release, overridden(release)).release
    assert refused(again, overridden(again)) is ReasonCode.ALREADY_DECIDED


def test_a_scheduled_start_keeps_its_time() -> None:
    release = in_phase(Phase.SCHEDULED)
    decision = moved(release, overridden(release))
    assert (decision.release.phase, decision.release.wake_at) == (Phase.SCHEDULED, release.starts_at)


def test_a_start_against_a_guard_takes_the_override_role_and_a_reason() -> None:
    for actor, reason in ((ALICE, "one pod"), (DARA, "")):
        assert isinstance(asked_for(actor, ReasonCode.STATEFUL, reason=reason), Refused)
    decision = asked_for(DARA, ReasonCode.STATEFUL)
    assert isinstance(decision, Decision)
    assert decision.release.waived == {ReasonCode.STATEFUL}
    assert "STATEFUL overridden by Person U4: one pod" in said(decision)[0].text
    assert "overriding STATEFUL: one pod" in decision.why


@pytest.mark.parametrize("code", [*OVERRIDABLE, ReasonCode.UNREACHABLE])
def test_no_guard_stands_in_the_way_of_going_back(code: ReasonCode) -> None:
    release = moved(in_phase(Phase.PREPARING), blocked(in_phase(Phase.PREPARING), code)).release
    assert moved(release, RollbackRequested(release.id, "r", ALICE)).release.phase is Phase.ROLLING_BACK


def test_an_override_before_its_time_is_told_and_makes_older_buttons_stale() -> None:
    release = in_phase(Phase.SCHEDULED)
    decision = moved(release, overridden(release, DARA))
    assert decision.release.revision == release.revision + 1
    assert decision.release.waivers == (Waiver(UNSTAGED, DARA, "by hand", NOW),)
    assert decision.reply == "reviews-1 will begin at its time."
    text = "⚠ reviews-1: NOT_STAGED overridden by Person U4: by hand"
    line = Say("reviews-1", "waived:NOT_STAGED", text, is_broadcast=True, urgency=Urgency.DECISION)
    assert decision.effects == (line, RefreshCard("reviews-1", Urgency.DECISION))


def test_an_override_of_a_release_that_waits_is_told_before_it_is_tried_again() -> None:
    release = replace(in_phase(Phase.PREPARING), entered_at=NOW - timedelta(minutes=5))
    decision = moved(release, overridden(release, DARA))
    assert kinds(decision)[:2] == ["Say", "Prepare"]
    assert (decision.release.entered_at, decision.release.revision) == (release.entered_at, release.revision + 1)
    assert decision.reply == "reviews-1 goes on without it."
