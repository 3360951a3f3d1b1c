"""From what was asked for to a plan: canary steps, gates, questions, and every malformed row of steps."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import catalog
from strategies.plan import ApprovalGate, Approve, Better, Margin, Plan, Spec, Stage, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import HUNDRED
from tests.builders import a_plan, a_stage, the_gates


def a_spec(*steps: str, approve: Approve = Approve.EVERY) -> Spec:
    """A canary of reviews by these steps."""
    asked = tuple(Decimal(step) for step in steps)
    hold = timedelta(minutes=10)
    return Spec(StrategyName.CANARY, "reviews", "v1", "v2", asked, hold, approve, 2, the_gates(), 500)


def planned(spec: Spec) -> Plan:
    """The plan of a spec that must not be refused."""
    plan = catalog.plan(spec)
    assert isinstance(plan, Plan)
    return plan


def asking(plan: Plan) -> list[bool]:
    """Per stage whether people are asked before it is left."""
    return [stage.approval is not None for stage in plan.stages]


def test_a_canary_has_one_stage_per_step() -> None:
    plan = planned(a_spec("5", "25", "50", "100"))
    assert [int(share) for share in plan.shares("reviews", "v2")] == [5, 25, 50, 100]
    assert all(stage.hold == timedelta(minutes=10) and stage.min_requests == 500 for stage in plan.stages)
    assert all(stage.metric_gates == the_gates() for stage in plan.stages)


@pytest.mark.parametrize(
    ("approve", "expected"),
    [
        (Approve.EVERY, [True, True, False]),
        (Approve.FINAL, [False, True, False]),
        (Approve.NONE, [False, False, False]),
    ],
)
def test_people_are_asked_before_the_increases_that_the_profile_names(approve: Approve, expected: list[bool]) -> None:
    plan = planned(a_spec("5", "50", "100", approve=approve))
    assert asking(plan) == expected
    assert all(stage.approval == ApprovalGate(2) for stage in plan.stages if stage.approval)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ((), "No steps were given."),
        (("0", "100"), "Step 0 is not above 0"),
        (("5", "101"), "Step 101 is not above 0 and at most 100"),
        (("NaN", "100"), "Step NaN"),
        (("0.005", "100"), "more than two decimals"),
        (("5", "5", "100"), "Step 5 % does not rise above 5 %"),
        (("50", "25", "100"), "Step 25 % does not rise above 50 %"),
        (("5", "50"), "The last step is 50 %, not 100 %"),
    ],
)
def test_malformed_steps_are_refused_with_what_is_allowed(steps: tuple[str, ...], why: str) -> None:
    refused = catalog.plan(a_spec(*steps))
    assert isinstance(refused, Refused)
    assert refused.reason_code is ReasonCode.BAD_STEPS
    assert why in refused.text
    assert "for example 5,25,50,100" in refused.text


def test_a_version_that_serves_already_is_refused() -> None:
    refused = catalog.plan(replace(a_spec("100"), candidate="v1"))
    assert refused == Refused(ReasonCode.SAME_VERSION, "reviews already serves v1.")


@settings(deadline=None)
@given(st.lists(st.integers(1, 9_999), unique=True, max_size=8), st.sampled_from(Approve))
def test_every_plan_rises_ends_at_a_hundred_and_asks_nobody_at_its_end(cents: list[int], approve: Approve) -> None:
    steps = [str(Decimal(value) / 100) for value in sorted(cents)]
    plan = planned(a_spec(*steps, "100", approve=approve))
    shares = plan.shares("reviews", "v2")
    assert list(shares) == sorted(set(shares))
    assert shares[-1] == HUNDRED
    assert not asking(plan)[-1]


def test_every_strategy_has_a_planner() -> None:
    assert set(catalog.PLANNERS) == set(StrategyName)


def test_a_plan_without_a_stage_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="at least one stage"):
        Plan(StrategyName.CANARY, ())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"splits": {}}, "needs a split"),
        ({"hold": timedelta(seconds=-1)}, "must not be negative"),
        ({"min_requests": -1}, "min_requests must not be negative"),
    ],
)
def test_a_stage_that_cannot_be_held_cannot_be_built(changes: dict[str, object], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        replace(a_stage("5"), **changes)  # type: ignore[arg-type]


def test_a_quorum_of_nobody_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="quorum must be at least 1, got 0"):
        ApprovalGate(0)


def test_a_stage_knows_which_gates_a_look_answers_and_which_people_do() -> None:
    stage: Stage = a_plan().stages[0]
    assert stage.metric_gates == the_gates()
    assert stage.approval == ApprovalGate(1)


@pytest.mark.parametrize(
    ("margin", "better", "bound"),
    [
        (Margin(0.1, relative=True), Better.LOWER, 220.0),
        (Margin(0.1, relative=True), Better.HIGHER, 180.0),
        (Margin(5), Better.LOWER, 205.0),
        (Margin(-5), Better.HIGHER, 195.0),
    ],
)
def test_a_margin_bounds_the_worse_side_of_the_baseline(margin: Margin, better: Better, bound: float) -> None:
    assert margin.beyond(200.0, better) == pytest.approx(bound)
