"""Whatever happens, in whatever order: an abort ends at the baseline, a repeat changes nothing, rollback is open."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import pipeline
from strategies.decision import Decision
from strategies.effects import SetRoute, Urgency
from strategies.events import (
    ApprovalGiven,
    DriftChoice,
    DriftFound,
    DriftResolved,
    EffectFailed,
    Event,
    HistoryRead,
    PauseRequested,
    PreparationBlocked,
    Prepared,
    ReleaseRequested,
    ResumeRequested,
    RollbackRequested,
    RouteConfirmed,
    ScheduleRequested,
    SmokeAnswered,
    WakeReached,
)
from strategies.machine import decide
from strategies.plan import Approve, Plan, SideEffects, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import AtDeadline, Drift, NoAnswer, OnHarm, Phase, Release, Rules
from strategies.routing import HUNDRED, Split
from strategies.verdicts import Outcome
from tests.builders import NOW, a_plan, a_release, a_target
from tests.unit.core.events_of import ALICE, BOB, CAROL, FAILS, PASSES, WAITS, a_look
from tests.unit.strategies.specs import BETA, a_spec, planned

Step = tuple[str, int]
NAMES = (
    *("prepared", "blocked", "confirmed", "passes", "waits", "fails", "unready", "wake", "approve"),
    *("acknowledge", "override", "pause", "resume", "schedule", "drift", "adopt", "restore", "failed"),
    *("smoked", "smokes"),
)
STEPS = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from([0, 1, 5, 60, 700, 8000])), max_size=25)
RULES = st.builds(
    Rules,
    on_harm=st.sampled_from(OnHarm),
    at_deadline=st.sampled_from(AtDeadline),
    no_answer_then=st.sampled_from(NoAnswer),
    soak=st.sampled_from([timedelta(0), timedelta(minutes=5)]),
)


SHADOW = a_spec(StrategyName.SHADOW, "10", "50", side_effects=SideEffects.NONE)
AB = a_spec(StrategyName.AB, matches=(BETA,), inside=(Decimal(1), HUNDRED))
PLANS: Mapping[str, Plan | Refused] = {
    "sticky": planned(a_spec(StrategyName.CANARY, is_sticky=True)),
    "blue-green": planned(a_spec(StrategyName.BLUE_GREEN)),
    "smoke": planned(a_spec(StrategyName.BLUE_GREEN, smoke="https://smoke.example/run")),
    "shadow": planned(SHADOW),
    "ab": planned(AB),
    "pipeline": pipeline.plan([SHADOW, AB, a_spec(StrategyName.CANARY, approve=Approve.FINAL)]),
}


def begun(rules: Rules, approve: bool = True, plan: Plan | None = None) -> Release:
    """A release as the machine itself begins it."""
    plan = plan or a_plan(approve=approve)
    request = ReleaseRequested("r-1", "k", ALICE, (a_target(),), plan, rules, "C1")
    decision = decide(None, request, NOW)
    assert isinstance(decision, Decision)
    return decision.release


def event(name: str, release: Release, n: int, now: datetime) -> Event:
    """The event that a step stands for, with a key of its own."""
    id, key, revision = release.id, f"k{n}", release.revision
    drift = Drift("shop/reviews", "weights changed", "somebody", release.wanted("reviews"))
    made: dict[str, Event] = {
        "prepared": Prepared(id, key, {"shop/reviews/http/main": "{}"}),
        "blocked": PreparationBlocked(id, key, ReasonCode.NOT_READY, "no ready pod", is_final=False),
        "history": HistoryRead(id, key, '{"v":1}', "known"),
        "confirmed": RouteConfirmed(id, key, "shop/reviews", revision),
        "passes": a_look(release, PASSES, now),
        "waits": a_look(release, WAITS, now),
        "fails": a_look(release, FAILS, now),
        "unready": a_look(release, PASSES, now, ready=0),
        "wake": WakeReached(id, key, release.wake_at or now),
        "approve": ApprovalGiven(id, key, BOB, revision),
        "acknowledge": ApprovalGiven(id, key, BOB, revision, acknowledged=True),
        "override": ApprovalGiven(id, key, BOB, revision, override_reason="we know"),
        "pause": PauseRequested(id, key, ALICE),
        "resume": ResumeRequested(id, key, ALICE, revision),
        "schedule": ScheduleRequested(id, key, BOB, now + timedelta(hours=1), now + timedelta(hours=2)),
        "drift": DriftFound(id, key, drift),
        "adopt": DriftResolved(id, key, BOB, DriftChoice.ADOPT, revision),
        "restore": DriftResolved(id, key, BOB, DriftChoice.RESTORE, revision),
        "failed": EffectFailed(id, key, "SetRoute", "forbidden"),
        "smoked": SmokeAnswered(id, key, release.stage, release.split_revision, is_passed=True, text="fine"),
        "smokes": SmokeAnswered(id, key, release.stage, release.split_revision, is_passed=False, text="broken"),
    }
    return made[name]


def walk(release: Release, steps: list[Step]) -> tuple[Release, datetime]:
    """The release after all steps."""
    now = NOW
    for n, (name, seconds) in enumerate(steps):
        now += timedelta(seconds=seconds)
        outcome = decide(release, event(name, release, n, now), now)
        release = outcome.release if isinstance(outcome, Decision) else release
    return release, now


@given(STEPS, RULES, st.booleans())
@settings(max_examples=150, deadline=None)
def test_every_abort_from_anywhere_ends_at_the_baseline(steps: list[Step], rules: Rules, approve: bool) -> None:
    release, now = walk(begun(rules, approve), steps)
    if release.phase is Phase.COMPLETED:
        return
    asked = decide(release, RollbackRequested(release.id, "rb", CAROL), now)
    assert isinstance(asked, Decision)
    if asked.release.phase is not Phase.ROLLED_BACK:
        assert asked.release.wanted("reviews") is None
        done = decide(asked.release, RouteConfirmed(release.id, "c", "shop/reviews", asked.release.revision), now)
        assert isinstance(done, Decision)
        assert done.release.phase is Phase.ROLLED_BACK


@given(STEPS, RULES, st.sampled_from(sorted(PLANS)))
@settings(max_examples=150, deadline=None)
def test_every_strategy_ends_in_the_baselines_fields_or_in_the_candidates(
    steps: list[Step], rules: Rules, name: str
) -> None:
    plan = PLANS[name]
    assert isinstance(plan, Plan)
    release, now = walk(begun(rules, plan=plan), steps)
    if release.phase is Phase.COMPLETED:
        final = release.wanted("reviews")
        assert (final is None) == (name == "shadow")
        assert final is None or final == Split.between("v1", "v2", HUNDRED)
        return
    back = decide(release, RollbackRequested(release.id, "rb", CAROL), now)
    assert isinstance(back, Decision)
    assert back.release.wanted("reviews") is None


@given(STEPS, RULES)
@settings(max_examples=150, deadline=None)
def test_a_rollback_is_never_refused_and_writes_before_anything_else(steps: list[Step], rules: Rules) -> None:
    release, now = walk(begun(rules), steps)
    outcome = decide(release, RollbackRequested(release.id, "rb", ALICE), now)
    if release.phase is Phase.COMPLETED:
        assert isinstance(outcome, Refused)
        return
    assert isinstance(outcome, Decision)
    if release.phase not in {Phase.ROLLING_BACK, Phase.ROLLED_BACK}:
        assert outcome.effects[0] == SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK)


@given(STEPS, RULES)
@settings(max_examples=150, deadline=None)
def test_a_repeated_event_changes_nothing(steps: list[Step], rules: Rules) -> None:
    release, now = begun(rules), NOW
    for n, (name, seconds) in enumerate(steps):
        now += timedelta(seconds=seconds)
        happened = event(name, release, n, now)
        first = decide(release, happened, now)
        release = first.release if isinstance(first, Decision) else release
        again = decide(release, happened, now)
        kept = again.release if isinstance(again, Decision) else release
        assert (kept.phase, kept.stage, kept.plan, kept.revision) == (
            release.phase,
            release.stage,
            release.plan,
            release.revision,
        )


@given(STEPS, RULES)
@settings(max_examples=150, deadline=None)
def test_traffic_rises_only_by_a_pass_or_by_a_person(steps: list[Step], rules: Rules) -> None:
    release, now = begun(rules, approve=False), NOW
    for n, (name, seconds) in enumerate(steps):
        now += timedelta(seconds=seconds)
        outcome = decide(release, event(name, release, n, now), now)
        after = outcome.release if isinstance(outcome, Decision) else release
        rose = after.stage > release.stage >= 0
        if rose and name in {"waits", "fails", "unready", "wake", "blocked", "failed", "drift"}:
            assert name == "wake"
            assert all(verdict.outcome is Outcome.PASS for verdict in release.verdicts)
        release = after


@given(STEPS, RULES)
@settings(max_examples=100, deadline=None)
def test_silence_never_approves(steps: list[Step], rules: Rules) -> None:
    release, _ = walk(begun(rules), [step for step in steps if step[0] not in {"approve", "acknowledge", "override"}])
    quiet = [step for step in steps if step[0] in {"wake", "passes", "confirmed"}]
    release = replace(release, standing=None)
    before = release.stage
    after, _ = walk(release, quiet)
    assert after.stage <= max(before, 0)
    split = after.wanted("reviews")
    assert split is None or split.share("v2") < HUNDRED


def test_the_builders_release_can_be_walked() -> None:
    release, _ = walk(a_release(phase=Phase.PREPARING), [("prepared", 0), ("confirmed", 1), ("passes", 1)])
    assert release.phase is Phase.OBSERVING
