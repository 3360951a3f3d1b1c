"""One sentence under a plan: what it needs, or what would serve better."""

from decimal import Decimal
from math import ceil
from typing import assert_never

from bot import durations
from strategies.plan import Plan, Spec, StrategyName
from strategies.routing import HUNDRED, percent


def advice(spec: Spec, plan: Plan) -> str:
    """The sentence for this plan."""
    if any(stage.splits[spec.service].mirror for stage in plan.stages):
        return (
            f"Mirrored requests run twice: before the start, say in the profile of {spec.service} what that does to "
            "data stores and external APIs (side_effects: none or isolated)."
        )
    match spec.strategy:
        case StrategyName.CANARY | StrategyName.PHASED:
            return _by_numbers(spec, plan)
        case StrategyName.BLUE_GREEN:
            return (
                f"Everybody switches at once: send enough test requests through the preview, and keep {spec.baseline} "
                "at its full size until the soak is over."
            )
        case StrategyName.AB:
            return (
                f"Nobody outside the match meets {spec.candidate} until a person or a metric decides: hold the test as "
                "long as your visitors' habits need to show, a week for a shop."
            )
        case StrategyName.SHADOW:  # pragma: no cover - a shadow without a mirror is no plan
            return ""
        case _:
            assert_never(spec.strategy)


def _by_numbers(spec: Spec, plan: Plan) -> str:
    first = plan.stages[0]
    share = first.splits[spec.service].share(spec.candidate)
    if not first.hold:
        return "The first stage is not held, so nothing can be judged: give a hold of some minutes."
    needed = ceil(spec.min_requests * HUNDRED * 3600 / (share * Decimal(first.hold.total_seconds())))
    return (
        f"At {percent(share)} for {durations.written(first.hold)} the gates get their {spec.min_requests} requests "
        f"only from about {needed:,} requests an hour; with fewer, hold longer or choose blue-green."
    )
