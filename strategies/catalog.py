"""Which function turns a spec into a plan."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from strategies import ab, blue_green, canary, phased, shadow
from strategies.plan import ApprovalGate, Approve, Plan, Spec, Stage, StrategyName
from strategies.reasons import Refused
from strategies.routing import Split

PLANNERS: Mapping[StrategyName, Callable[[Spec], Plan | Refused]] = {
    StrategyName.CANARY: canary.plan,
    StrategyName.PHASED: phased.plan,
    StrategyName.BLUE_GREEN: blue_green.plan,
    StrategyName.SHADOW: shadow.plan,
    StrategyName.AB: ab.plan,
}


def plan(spec: Spec) -> Plan | Refused:
    """The plan of `spec` by its strategy, or why there is none."""
    found = planned(spec)
    return found if isinstance(found, Refused) else asked_first(found, spec)


def planned(spec: Spec) -> Plan | Refused:
    """The stages of the strategy alone, as a part of a larger plan takes them."""
    return PLANNERS[spec.strategy](spec)


def asked_first(plan: Plan, spec: Spec) -> Plan:
    """The plan, with a stage before it that moves nothing where there is but one: else nobody were asked at all."""
    if len(plan.stages) > 1 or spec.approve is Approve.NONE:
        return plan
    nothing = Split.between(spec.baseline, spec.candidate, Decimal(0))
    question = Stage({spec.service: nothing}, timedelta(0), (ApprovalGate(spec.quorum),))
    return replace(plan, stages=(question, *plan.stages))
