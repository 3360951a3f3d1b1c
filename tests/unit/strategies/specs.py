"""Specs of reviews from v1 to v2, by strategy."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from strategies import catalog
from strategies.plan import Plan, Spec, StrategyName
from strategies.reasons import Refused
from strategies.routing import Match, Split
from tests.builders import the_gates

BETA = Match("header:x-beta", "v2", exact="1")


def decimals(*values: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(value) for value in values)


def a_spec(strategy: StrategyName, *steps: str, **changes: Any) -> Spec:
    """Ten minutes a step, two metric gates; steps 5, 50, 100 unless others are given."""
    settled: dict[str, Any] = {"gates": the_gates(), "min_requests": 500} | changes
    asked = decimals(*(steps or ("5", "50", "100")))
    return Spec(strategy, "reviews", "v1", "v2", asked, timedelta(minutes=10), **settled)


def planned(spec: Spec) -> Plan:
    """The plan of a spec that must not be refused."""
    plan = catalog.plan(spec)
    assert isinstance(plan, Plan), plan
    return plan


def refused(spec: Spec) -> Refused:
    """The refusal of a spec that must be refused."""
    found = catalog.plan(spec)
    assert isinstance(found, Refused)
    return found


def splits(plan: Plan) -> list[Split]:
    return [stage.splits["reviews"] for stage in plan.stages]


def asking(plan: Plan) -> list[bool]:
    """Per stage whether people are asked before it is left."""
    return [stage.approval is not None for stage in plan.stages]
