"""Which function turns a spec into a plan."""

from collections.abc import Callable, Mapping

from strategies import ab, blue_green, canary, phased, shadow
from strategies.plan import Plan, Spec, StrategyName
from strategies.reasons import Refused

PLANNERS: Mapping[StrategyName, Callable[[Spec], Plan | Refused]] = {
    StrategyName.CANARY: canary.plan,
    StrategyName.PHASED: phased.plan,
    StrategyName.BLUE_GREEN: blue_green.plan,
    StrategyName.SHADOW: shadow.plan,
    StrategyName.AB: ab.plan,
}


def plan(spec: Spec) -> Plan | Refused:
    """The plan of `spec` by its strategy, or why there is none."""
    return PLANNERS[spec.strategy](spec)
