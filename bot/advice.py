"""One sentence under a plan: what it needs, or what would serve better."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from math import ceil
from typing import assert_never

from bot import durations
from strategies.guards import Check, State
from strategies.plan import Plan, Stage, StrategyName
from strategies.reasons import ReasonCode
from strategies.release import Target
from strategies.routing import HUNDRED, percent


def advice(plan: Plan, target: Target, checks: Sequence[Check] = (), patience: timedelta = timedelta(0)) -> str:
    """The sentence for this plan; what was found out about its requests goes before what holds in general.

    `patience` is how long a stage waits for its evidence when its hold is shorter.
    """
    scarce = next((each for each in checks if each.rule is ReasonCode.TOO_FEW_REQUESTS), None)
    if scarce is not None and scarce.state is State.BROKEN:
        return scarce.text
    if any(stage.splits[target.service].mirror for stage in plan.stages):
        return (
            f"Mirrored requests run twice: before the start, say in the profile of {target.service} what that does to "
            "data stores and external APIs (side_effects: none or isolated)."
        )
    match plan.parts[0]:
        case StrategyName.CANARY | StrategyName.PHASED if scarce is not None and scarce.state is State.HOLDS:
            return f"{scarce.text.partition(':')[0]}: {plan.parts[0]} can tell."
        case StrategyName.CANARY | StrategyName.PHASED:
            return _by_numbers(plan.opening(target.service, target.candidate), target, patience)
        case StrategyName.BLUE_GREEN:
            return (
                f"Everybody switches at once: send enough test requests through the preview, and keep "
                f"{target.baseline} at its full size until the soak is over."
            )
        case StrategyName.AB:
            return (
                f"Nobody outside the match meets {target.candidate} until a person or a metric decides: hold the test "
                "as long as your visitors' habits need to show, a week for a shop."
            )
        case StrategyName.SHADOW:  # pragma: no cover - a shadow without a mirror is no plan
            return ""
        case _:
            assert_never(plan.parts[0])


def _by_numbers(first: Stage, target: Target, patience: timedelta) -> str:
    share, time = first.splits[target.service].share(target.candidate), max(first.hold, patience)
    if not time:
        return "The first stage is not held, so nothing can be judged: give a hold of some minutes."
    needed = ceil(first.min_requests * HUNDRED * 3600 / (share * Decimal(time.total_seconds())))
    return (
        f"At {percent(share)} the gates get their {first.min_requests} requests within {durations.written(time)} only "
        f"from about {needed:,} requests an hour; with fewer, hold longer or choose blue-green."
    )
