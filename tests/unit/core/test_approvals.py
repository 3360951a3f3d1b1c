"""Who may say yes, to which question, and what a yes does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies import approvals, moves
from strategies.effects import PostStage, RefreshCard, Say, Urgency
from strategies.events import ApprovalGiven
from strategies.plan import ApprovalGate
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Drift, OnHarm, Phase, Release, Role, Rules
from tests.builders import NOW, a_plan, a_stage, a_target, an_actor, an_approver
from tests.unit.core.events_of import BOB, FAILS, MALLORY, PASSES, WAITS, a_look, in_phase, kinds, moved, refused, said

DAVE = an_approver("U4")


def asked(**changes: object) -> Release:
    """A release that waits for a yes to its second stage."""
    return replace(in_phase(Phase.AWAITING_APPROVAL), **changes)  # type: ignore[arg-type]


def wants(quorum: int) -> Release:
    """A question to several people."""
    plan = a_plan()
    first = replace(plan.stages[0], gates=(*plan.stages[0].metric_gates, ApprovalGate(quorum)))
    rules = Rules(approvers=frozenset({"U2", "U4"}))
    return asked(plan=replace(plan, stages=(first, *plan.stages[1:])), rules=rules)


def yes(release: Release, actor: Actor = BOB, **changes: object) -> ApprovalGiven:
    """A click on approve of the present message."""
    return replace(ApprovalGiven(release.id, "yes", actor, release.revision), **changes)  # type: ignore[arg-type]


def test_a_permitted_yes_begins_the_next_stage_and_writes_it() -> None:
    decision = moved(asked(), yes(asked(), note="looks good"))
    assert (decision.release.phase, decision.release.stage) == (Phase.SHIFTING, 1)
    assert kinds(decision)[0] == "SetRoute"
    assert decision.reply == "Approved: v2 gets 25 %."
    assert decision.why == "approved by Person U2: looks good"


@pytest.mark.parametrize("groups", [frozenset[str](), frozenset({"S9"})])
def test_somebody_whom_the_profile_does_not_name_is_refused(groups: frozenset[str]) -> None:
    stranger = replace(an_approver("U7"), groups=groups)
    refusal = approvals.not_approver(asked(), stranger)
    assert refusal == Refused(ReasonCode.NOT_APPROVER, "Only approvers of reviews may approve: S2, U2.")
    assert refused(asked(), yes(asked(), stranger)) is ReasonCode.NOT_APPROVER


def test_a_member_of_a_named_group_may_approve() -> None:
    member = replace(an_actor("U7"), groups=frozenset({"S2"}))
    assert moved(asked(), yes(asked(), member)).release.stage == 1


def test_without_named_approvers_the_role_decides() -> None:
    release = asked(rules=Rules())
    refusal = approvals.not_approver(release, MALLORY)
    assert refusal is not None
    assert refusal.text == "Only approvers of reviews may approve: people with the approver role."
    assert moved(release, yes(release, DAVE)).release.stage == 1
    assert refused(release, yes(release, MALLORY)) is ReasonCode.NOT_APPROVER


def test_the_requester_may_not_approve_their_own_release() -> None:
    release = asked(rules=Rules(approvers=frozenset({"U1", "U2"})))
    assert refused(release, yes(release, an_actor("U1"))) is ReasonCode.SELF_APPROVAL


def test_the_requester_may_approve_where_the_profile_says_so() -> None:
    release = asked(rules=Rules(approvers=frozenset({"U1"}), requester_may_approve=True))
    assert moved(release, yes(release, an_actor("U1"))).release.stage == 1


def test_a_button_of_an_earlier_revision_is_stale() -> None:
    release = asked(revision=7)
    assert refused(release, yes(release, revision=6)) is ReasonCode.STALE_REVISION


def test_a_second_click_learns_who_was_first() -> None:
    release = asked()
    after = moved(release, yes(release)).release
    assert refused(after, yes(release, DAVE)) is ReasonCode.NOT_APPROVER
    after = replace(after, rules=Rules(), confirmed=frozenset(after.objects))
    assert refused(after, yes(release, DAVE)) is ReasonCode.ALREADY_DECIDED


def test_a_quorum_needs_as_many_different_people() -> None:
    release = wants(2)
    first = moved(release, yes(release))
    assert first.reply == "Person U2 approved (1 of 2)."
    assert first.effects == (
        PostStage(release.id, 0, Urgency.DECISION),
        RefreshCard(release.id, Urgency.DECISION),
    )
    assert first.release.phase is Phase.AWAITING_APPROVAL
    assert refused(first.release, yes(release)) is ReasonCode.ALREADY_DECIDED
    second = moved(first.release, yes(release, DAVE))
    assert second.release.stage == 1
    assert second.why == "approved by Person U2, Person U4"


def test_a_yes_to_an_earlier_question_does_not_count() -> None:
    release = wants(2)
    once = moved(release, yes(release)).release
    later = replace(once, revision=once.revision + 1)
    assert moved(later, yes(later, DAVE)).release.phase is Phase.AWAITING_APPROVAL


def test_a_yes_on_wait_is_refused_with_what_is_missing_until_it_is_confirmed() -> None:
    release = asked(verdicts=WAITS)
    assert refused(release, yes(release)) is ReasonCode.TOO_FEW_REQUESTS
    assert moved(release, yes(release, acknowledged=True)).release.stage == 1


def test_a_confirm_that_names_no_revision_confirms_nothing() -> None:
    release = asked(verdicts=WAITS)
    assert refused(release, yes(release, acknowledged=True, revision=None)) is ReasonCode.TOO_FEW_REQUESTS


def test_a_command_without_a_revision_approves_the_present_question() -> None:
    assert moved(asked(), yes(asked(), revision=None)).release.stage == 1


def test_before_the_hold_is_over_a_yes_has_to_be_confirmed() -> None:
    release = in_phase(Phase.OBSERVING)
    assert refused(release, yes(release)) is ReasonCode.TOO_FEW_REQUESTS
    assert moved(release, yes(release, acknowledged=True)).release.stage == 1


def test_before_the_split_is_seen_or_looked_at_a_yes_has_to_be_confirmed() -> None:
    release = replace(in_phase(Phase.SHIFTING), verdicts=())
    assert refused(release, yes(release)) is ReasonCode.TOO_FEW_REQUESTS
    assert moved(release, yes(release, acknowledged=True)).release.stage == 1


def test_an_old_look_is_no_evidence_for_a_yes() -> None:
    release = asked(last_look_at=NOW)
    later = NOW + timedelta(hours=3)
    assert refused(release, yes(release), later) is ReasonCode.TOO_FEW_REQUESTS
    assert moved(release, yes(release, acknowledged=True), later).release.stage == 1


@pytest.mark.parametrize("phase", [Phase.SHIFTING, Phase.AWAITING_APPROVAL])
def test_nobody_approves_while_a_write_is_under_way(phase: Phase) -> None:
    release = replace(in_phase(phase), confirmed=frozenset())
    assert refused(release, yes(release, acknowledged=True)) is ReasonCode.WRONG_PHASE


def test_on_fail_only_the_override_role_with_a_reason_goes_on() -> None:
    release = asked(verdicts=FAILS)
    assert refused(release, yes(release, acknowledged=True)) is ReasonCode.GATE_FAILING
    plain = replace(BOB, roles=frozenset({Role.APPROVER}))
    assert refused(release, yes(release, plain, override_reason="known")) is ReasonCode.NOT_ALLOWED
    decision = moved(release, yes(release, override_reason="known"))
    assert decision.release.stage == 1
    assert decision.release.approvals[-1].overrides
    assert "gates overridden by Person U2: known" in said(decision)[-1].text
    assert said(decision)[-1].is_broadcast


def test_there_is_nothing_to_override_while_no_gate_fails() -> None:
    assert refused(asked(), yes(asked(), override_reason="known")) is ReasonCode.BAD_INPUT


def test_a_foreign_change_has_to_be_resolved_first() -> None:
    drift = Drift("shop/reviews", "5 -> 40", "somebody", None)
    release = replace(in_phase(Phase.PAUSED), drift=drift)
    assert refused(release, yes(release)) is ReasonCode.DRIFT


def test_a_paused_release_is_resumed_before_it_is_approved() -> None:
    release = in_phase(Phase.PAUSED)
    assert refused(release, yes(release)) is ReasonCode.WRONG_PHASE


def test_a_release_that_harm_paused_goes_on_by_override_alone() -> None:
    release = replace(in_phase(Phase.PAUSED), verdicts=FAILS)
    assert moved(release, yes(release, override_reason="known")).release.phase is Phase.SHIFTING


def test_a_yes_at_the_last_stage_begins_the_soak() -> None:
    release = asked(stage=3)
    decision = moved(release, yes(release))
    assert decision.release.phase is Phase.SOAKING
    assert decision.reply == "Approved: v2 gets 100 %."


def test_a_look_that_turns_to_fail_makes_the_button_stale() -> None:
    release = asked(rules=replace(asked().rules, on_harm=OnHarm.PAUSE))
    held = replace(release, verdicts=FAILS, phase=Phase.PAUSED, resume_to=Phase.AWAITING_APPROVAL)
    healed = moved(held, a_look(held, PASSES, NOW)).release
    assert healed.revision == held.revision + 1
    assert refused(healed, yes(held)) in {ReasonCode.STALE_REVISION, ReasonCode.WRONG_PHASE}


def test_a_stage_of_a_plan_without_questions_may_still_be_approved_by_one_person() -> None:
    plan = a_plan(approve=False)
    release = replace(asked(), plan=plan, targets=(a_target(),))
    assert a_stage("5").approval is None
    assert moved(release, yes(release)).release.stage == 1
    assert Say.__name__ not in kinds(moved(release, yes(release)))


def test_a_fresh_look_that_passes_leaves_nothing_missing() -> None:
    release = asked(verdicts=PASSES, last_look_at=NOW, hold_until=None, unready_looks=0)
    assert moves.missing(release, NOW) == ""
    assert moves.missing(release, NOW + timedelta(minutes=9)) == "the last look is 540 s old"
