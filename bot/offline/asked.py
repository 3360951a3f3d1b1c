"""What a person asked for on the command line, made into a spec; what a profile would say is as usual."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from bot import durations, margins
from strategies import matches, steps
from strategies.plan import MetricGate, SideEffects, Spec, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import HUNDRED, Match
from strategies.steps import Steps

# What a service without a profile works with; held to the profile's own defaults by a test.
USUAL_STEPS: tuple[Decimal, ...] = tuple(Decimal(step) for step in (5, 25, 50, 100))
USUAL_HOLD = timedelta(minutes=10)
USUAL_REQUESTS = 100
USUAL_GATES: Mapping[str, tuple[str, str]] = {"errors": ("ratio", "+1pp"), "latency_p95": ("ms", "+50%")}
RISING = frozenset({StrategyName.CANARY, StrategyName.PHASED})
# A shadow starts low: its requests come on top of everybody's.
USUAL_MIRROR: tuple[Decimal, ...] = tuple(Decimal(step) for step in (1, 10, 50))


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of the command; empty where nothing was said."""

    strategy: StrategyName
    service: str
    baseline: str
    candidate: str
    steps: str = ""
    hold: Sequence[timedelta] = field(default=())
    matches: Sequence[str] = field(default=())
    mirror: str = ""
    is_sticky: bool = False


def spec(asked: Asked) -> Spec | Refused:
    """The spec that was asked for; refused with BAD_STEPS or BAD_INPUT where the words are none."""
    given = _steps(asked)
    if isinstance(given, Refused):
        return given
    mirror = _mirror(asked.mirror)
    if isinstance(mirror, Refused):
        return mirror
    known: list[Match] = []
    for text in asked.matches:
        match = matches.read(text, asked.candidate)
        if isinstance(match, Refused):
            return match
        known.append(match)
    if asked.is_sticky and asked.strategy not in RISING:
        text = f"sticky keeps people at their version while shares grow; {asked.strategy} has no such shares."
        return Refused(ReasonCode.BAD_INPUT, text)
    is_inside = asked.strategy is StrategyName.AB
    return Spec(
        strategy=asked.strategy,
        service=asked.service,
        baseline=asked.baseline,
        candidate=asked.candidate,
        steps=USUAL_STEPS if is_inside else given.shares,
        inside=given.shares if is_inside else (HUNDRED,),
        hold=asked.hold[0] if asked.hold else given.hold or USUAL_HOLD,
        holds=tuple(asked.hold) if len(asked.hold) > 1 else (),
        gates=usual_gates(),
        min_requests=USUAL_REQUESTS,
        matches=tuple(known),
        mirror=mirror,
        is_sticky=asked.is_sticky,
        # A file does not say what mirrored requests do; the plan's advice asks, and a start asks the profile.
        side_effects=SideEffects.NONE,
    )


def usual_gates() -> tuple[MetricGate, ...]:
    """What is asked of Prometheus where no profile says otherwise."""
    return tuple(
        MetricGate(name, unit, allowed=margins.margin(allowed, unit)) for name, (unit, allowed) in USUAL_GATES.items()
    )


def _steps(asked: Asked) -> Steps | Refused:
    match asked.strategy, bool(asked.steps):
        case StrategyName.BLUE_GREEN, True:
            return Refused(ReasonCode.BAD_STEPS, "A blue-green release has no steps: it switches at once.")
        case StrategyName.SHADOW, True if asked.mirror:
            return Refused(ReasonCode.BAD_STEPS, "The steps of a shadow are mirrored percents; give steps or a mirror.")
        case _, True:
            return steps.read(asked.steps, durations.read)
        case StrategyName.SHADOW, _:
            return Steps(USUAL_MIRROR)
        case StrategyName.AB, _:
            return Steps((HUNDRED,))
        case _:
            return Steps(USUAL_STEPS)


def _mirror(text: str) -> Decimal | Refused | None:
    if not text:
        return None
    try:
        return Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        return Refused(ReasonCode.BAD_INPUT, f"Mirror {text!r} is no percentage such as 20 or 0.5.")
