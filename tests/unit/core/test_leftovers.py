"""What requests and facts leave of a release on which everything was set."""

from dataclasses import replace
from datetime import timedelta

import pytest

from strategies import facts, people, retirement, timers
from strategies.decision import Decision
from strategies.effects import (
    Audience,
    CallOnCall,
    PostStage,
    RefreshCard,
    RetireBaseline,
    Say,
    Urgency,
)
from strategies.events import (
    ApprovalGiven,
    BaselineAwaited,
    BaselineWatched,
    EffectFailed,
    LookTaken,
    PreparationBlocked,
    RouteConfirmed,
    ScheduleRequested,
    SmokeAnswered,
    WakeReached,
)
from strategies.plan import SmokeGate
from strategies.reasons import ReasonCode
from strategies.release import Approval, AtDeadline, Decommission, OnHarm, Phase, Release, Rules
from strategies.verdicts import Outcome, Verdict
from tests.builders import NOW, a_plan, a_target, a_verdict, an_actor, an_approver
from tests.unit.core.test_moves import CARD, DECIDED, LATER, ROUTE, changed, stage, worn

BOB = an_approver()


def done(outcome: object) -> Decision:
    assert isinstance(outcome, Decision)
    return outcome


def look(release: Release, *verdicts: Verdict) -> LookTaken:
    return LookTaken(release.id, "look", NOW, release.stage, verdicts, "{}", 2)


def test_a_start_that_is_still_ahead_is_waited_for_again_after_a_pause() -> None:
    release = worn(Phase.PAUSED, resume_to=Phase.SCHEDULED, starts_at=LATER)
    decision = people.continued(release, NOW, "resumed by Bob")
    assert changed(release, decision.release) == {
        "phase": Phase.SCHEDULED,
        "entered_at": NOW,
        "resume_to": None,
        "revision": 8,
        "note": "resumed by Bob",
    }
    assert decision.effects == (DECIDED,)


@pytest.mark.parametrize("starts_at", [None, NOW])
def test_a_start_that_came_during_the_pause_is_begun(starts_at: object) -> None:
    release = worn(Phase.PAUSED, resume_to=Phase.SCHEDULED, starts_at=starts_at)
    assert people.continued(release, NOW, "resumed").release.phase is Phase.PREPARING


def test_a_start_that_moves_makes_the_buttons_of_its_old_time_stale() -> None:
    release = worn(Phase.SCHEDULED)
    request = ScheduleRequested(release.id, "later", BOB, LATER, LATER + timedelta(hours=1))
    decision = done(people.schedule(release, request, NOW))
    assert changed(release, decision.release) == {"starts_at": LATER, "revision": 8}
    assert decision.effects == (DECIDED,)


def test_looks_go_on_at_once_where_a_pause_left_off() -> None:
    release = worn(Phase.PAUSED, resume_to=Phase.OBSERVING)
    resumed = people.continued(release, NOW, "resumed").release
    assert (resumed.phase, resumed.revision, resumed.stage_began_at) == (Phase.OBSERVING, 8, NOW)


@pytest.mark.parametrize(
    ("phase", "resume_to", "goes_on_with"),
    [
        (Phase.OBSERVING, None, Phase.OBSERVING),
        (Phase.PAUSED, Phase.SHIFTING, Phase.SHIFTING),
        (Phase.ROLLING_BACK, None, Phase.ROLLING_BACK),
    ],
)
def test_a_fault_stops_loudly_and_takes_back_what_was_said_in_advance(
    phase: Phase, resume_to: Phase | None, goes_on_with: Phase
) -> None:
    release = worn(phase, resume_to=resume_to)
    decision = facts.failed(release, EffectFailed(release.id, "failed", "SetRoute", "forbidden"), NOW)
    expected = {
        "phase": Phase.STUCK,
        "entered_at": NOW,
        "resume_to": goes_on_with,
        "revision": 8,
        "called_at": NOW,
        "note": "forbidden",
        "standing": None,
    }
    assert {name: getattr(decision.release, name) for name in expected} == expected
    assert changed(release, decision.release).keys() <= expected.keys()
    call = CallOnCall(release.id, "stuck:8", "reviews-1 is stuck: forbidden")
    shown = RefreshCard(release.id, Urgency.ROLLBACK)
    assert decision.effects == (call, stage(Urgency.ROLLBACK), shown)


@pytest.mark.parametrize(("n", "shows"), [(-1, 0), (0, 1)])
def test_a_fault_shows_a_stage_where_there_is_one(n: int, shows: int) -> None:
    release = worn(Phase.PREPARING, stage=n)
    decision = facts.failed(release, EffectFailed(release.id, "failed", "Prepare", "no"), NOW)
    assert sum(isinstance(effect, PostStage) for effect in decision.effects) == shows


def test_only_the_split_itself_says_that_it_was_seen() -> None:
    release = worn(Phase.SHIFTING, unready_looks=0, verdicts=())
    unseen = look(release, a_verdict(gate="errors"), a_verdict(Outcome.WAIT, "split"))
    assert facts.looked(release, unseen, NOW).release.phase is Phase.SHIFTING
    seen = look(release, a_verdict(Outcome.WAIT, "errors"), a_verdict(gate="split"))
    assert facts.looked(release, seen, NOW).release.phase is Phase.OBSERVING


@pytest.mark.parametrize(("is_gone", "word"), [(True, "is gone"), (False, "is written")])
def test_the_journal_tells_a_written_object_from_one_that_is_gone(is_gone: bool, word: str) -> None:
    release = worn(Phase.SHIFTING, targets=(a_target(), a_target("ratings")), confirmed=frozenset())
    decision = facts.confirmed(release, RouteConfirmed(release.id, "read", ROUTE, 7, is_gone), NOW)
    assert decision.why == f"{ROUTE} {word}"
    assert decision.release.gone == (frozenset({ROUTE}) if is_gone else frozenset())


@pytest.mark.parametrize(("n", "before"), [(0, []), (1, [0])])
def test_the_message_of_the_stage_before_says_that_it_is_over(n: int, before: list[int]) -> None:
    release = worn(Phase.SHIFTING, stage=n, confirmed=frozenset())
    decision = facts.confirmed(release, RouteConfirmed(release.id, "read", ROUTE, 7), NOW)
    shown = [effect for effect in decision.effects if isinstance(effect, PostStage)]
    assert [(effect.stage, effect.urgency) for effect in shown] == [(each, Urgency.STAGE) for each in before]


def test_harm_that_is_known_pauses_once() -> None:
    release = worn(Phase.PAUSED, rules=Rules(on_harm=OnHarm.PAUSE), standing=None, verdicts=(a_verdict(Outcome.FAIL),))
    again = facts.looked(release, look(release, a_verdict(Outcome.FAIL)), NOW)
    assert (again.release.phase, again.release.revision, again.effects) == (Phase.PAUSED, 7, ())


@pytest.mark.parametrize("phase", [Phase.PAUSED, Phase.OBSERVING])
def test_a_smoke_test_that_fails_during_a_pause_is_told(phase: Phase) -> None:
    stages = tuple(
        replace(each, gates=(*each.gates, SmokeGate("https://smoke.example/run"))) for each in a_plan().stages
    )
    plan, rules = replace(a_plan(), stages=stages), Rules(on_harm=OnHarm.PAUSE)
    release = worn(phase, plan=plan, rules=rules, smoke=None, unready_looks=0)
    decision = facts.smoked(release, SmokeAnswered(release.id, "no", 1, 7, False, "GET / answered 500."), NOW)
    assert decision.release.phase is Phase.PAUSED
    told = [effect for effect in decision.effects if isinstance(effect, Say)]
    assert [(line.text, line.audience) for line in told] == [
        ("reviews-1 is paused: GET / answered 500.", Audience.REQUESTER_AND_ON_CALL)
    ]


def retiring(**changes: object) -> Release:
    rules = Rules(decommission=Decommission.SCALE_TO_ZERO)
    return worn(Phase.DECOMMISSIONING, rules=rules, asked_at=None, is_retiring=False, may_retire=False, **changes)


def idle(release: Release) -> BaselineWatched:
    return BaselineWatched(
        release.id, "idle", True, "no request in 5 min", {"v1": 3}, {ROUTE: "{'a': 1}"}, timedelta(minutes=1)
    )


def test_a_baseline_that_goes_leaves_what_it_takes_to_come_back() -> None:
    release = retiring(kept={}, is_cold=False)
    decision = retirement.watched(release, idle(release), NOW)
    assert changed(release, decision.release) == {
        "proof": "no request in 5 min",
        "proven_at": NOW,
        "retry_at": None,
        "is_retiring": True,
        "is_cold": True,
        "sizes": {"v1": 3},
        "kept": {ROUTE: "{'a': 1}"},
        "warm_up": timedelta(minutes=1),
        "note": "v1 is idle: v1 is scaled to 0",
    }
    assert decision.effects == (RetireBaseline(release.id), CARD)


def test_the_question_about_the_baseline_is_a_new_one() -> None:
    release = retiring(kept={}, is_cold=False)
    release = replace(release, rules=replace(release.rules, decommission_approval=True))
    decision = retirement.watched(release, idle(release), NOW)
    asked = decision.release
    assert changed(release, asked) == {
        "proof": "no request in 5 min",
        "proven_at": NOW,
        "retry_at": None,
        "asked_at": NOW,
        "reminded": False,
        "revision": 8,
        "note": "v1 is scaled to 0 when somebody approves",
    }
    text = "reviews-1 asks whether v1 is scaled to 0. no request in 5 min"
    line = Say(release.id, "retire:8", text, audience=Audience.APPROVERS, urgency=Urgency.DECISION)
    assert decision.effects == (stage(Urgency.DECISION), DECIDED, line)

    reminded = retirement.woken(replace(asked, reminded=False), NOW)
    assert changed(asked, reminded.release) == {"reminded": True}

    decision = done(retirement.approve(replace(asked, reminded=True), ApprovalGiven(release.id, "y", BOB, 8), NOW))
    assert changed(replace(asked, reminded=True), decision.release) == {
        "approvals": (Approval(BOB, 1, 8, NOW),),
        "asked_at": None,
        "reminded": False,
        "may_retire": True,
        "entered_at": NOW,
        "revision": 9,
        "note": "approved by Person U2; proving once more that nothing calls v1",
    }
    assert decision.effects == (RetireBaseline(release.id), stage(Urgency.DECISION), DECIDED)


def test_a_baseline_is_told_to_be_needed_when_both_patiences_are_over() -> None:
    rules = Rules(decommission=Decommission.DELETE, deadline=timedelta(minutes=30), idle=timedelta(minutes=5))
    release = replace(retiring(), rules=rules, entered_at=NOW, reminded=False, note="")
    busy = replace(idle(release), is_idle=False, text="cart calls it.")
    early = retirement.watched(release, busy, NOW + timedelta(minutes=30, seconds=-1))
    assert (early.release.reminded, early.release.note, early.is_notable) == (False, "cart calls it.", False)
    assert early.effects == (RefreshCard(release.id, Urgency.PROGRESS),)
    late = retirement.watched(early.release, busy, NOW + timedelta(minutes=30))
    assert late.release.reminded
    assert [type(effect) for effect in late.effects] == [Say]
    assert retirement.verb(release) == "v1 is deleted"


def test_a_rollback_that_waits_for_pods_is_noted_once() -> None:
    release = worn(Phase.ROLLING_BACK, waits_for="")
    first = done(retirement.awaited(release, BaselineAwaited(release.id, "a", "1 of 3 pods")))
    assert (first.is_notable, first.release.waits_for) == (True, "1 of 3 pods")
    again = done(retirement.awaited(first.release, BaselineAwaited(release.id, "b", "2 of 3 pods")))
    assert (again.is_notable, again.release.waits_for) == (False, "2 of 3 pods")
    assert again.effects == (RefreshCard(release.id, Urgency.ROLLBACK),)


def test_the_time_to_look_at_the_baseline_again_is_used_up() -> None:
    decision = retirement.woken(retiring(), NOW)
    assert changed(retiring(), decision.release) == {"retry_at": None}
    assert (decision.effects, decision.is_notable) == ((RetireBaseline("reviews-1"),), False)


def test_a_releaser_is_no_approver_of_the_end_of_the_baseline() -> None:
    release = replace(retiring(), asked_at=NOW, rules=Rules(approvers=frozenset({"U2"})))
    refused = retirement.approve(release, ApprovalGiven(release.id, "y", an_actor("U9"), 7), NOW)
    assert not isinstance(refused, Decision)


def test_a_guard_that_says_the_same_again_shows_nothing_new() -> None:
    release = worn(Phase.PREPARING, retry_at=None, blocked_by=ReasonCode.NOT_STAGED, note="v2 has no ready pod.")
    same = PreparationBlocked(release.id, "again", ReasonCode.NOT_STAGED, "v2 has no ready pod.", is_final=False)
    assert facts.blocked(release, same, NOW).effects == ()
    other = replace(same, text="v2 has 1 of 2 ready pods.")
    assert facts.blocked(release, other, NOW).effects == (CARD,)


def test_a_missed_window_is_told_to_those_who_may_ask_anew() -> None:
    release = worn(Phase.AWAITING_APPROVAL, unready_looks=0, not_before=None, hold_until=None)
    assert release.standing is not None
    decision = facts.looked(release, look(release, a_verdict()), release.standing.closes)
    told = [effect.audience for effect in decision.effects if isinstance(effect, Say)]
    assert (decision.release.standing, told) == (None, [Audience.APPROVERS])


def test_a_deadline_that_takes_back_is_told_to_the_requester_and_on_call() -> None:
    rules = Rules(at_deadline=AtDeadline.ROLL_BACK)
    release = worn(Phase.OBSERVING, rules=rules, standing=None, verdicts=(a_verdict(Outcome.WAIT),), unready_looks=0)
    end = timers.deadline(release)
    assert end is not None
    release = replace(release, wake_at=end, hold_until=None)
    decision = facts.woken(release, WakeReached(release.id, "wake", end), end)
    told = [effect.audience for effect in decision.effects if isinstance(effect, Say)]
    assert (decision.release.phase, told) == (Phase.ROLLING_BACK, [Audience.REQUESTER_AND_ON_CALL])


def test_a_smoke_test_that_passed_while_metrics_are_awaited_is_shown() -> None:
    stages = tuple(replace(each, gates=(*each.gates, SmokeGate("https://smoke.example"))) for each in a_plan().stages)
    release = worn(Phase.PAUSED, plan=replace(a_plan(), stages=stages), smoke=None, unready_looks=0)
    decision = facts.smoked(release, SmokeAnswered(release.id, "yes", 1, 7, True, "GET / answered 200."), NOW)
    assert (decision.effects, decision.why, decision.release.revision) == ((CARD,), "GET / answered 200.", 7)
