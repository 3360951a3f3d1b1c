"""What a person asked for on the command line, made into a spec; what a profile would say is as usual."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from bot import durations, margins
from strategies import blue_green, catalog, matches, pipeline, steps
from strategies.plan import MetricGate, Plan, SideEffects, Spec, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Match
from strategies.steps import Steps

# What a service without a profile works with; held to the profile's own defaults by a test.
USUAL_STEPS: tuple[Decimal, ...] = tuple(Decimal(step) for step in (5, 25, 50, 100))
USUAL_HOLD = timedelta(minutes=10)
USUAL_REQUESTS = 100
USUAL_GATES: Mapping[str, tuple[str, str]] = {"errors": ("ratio", "+1pp"), "latency_p95": ("ms", "+50%")}
MATCHING = frozenset({StrategyName.AB, StrategyName.BLUE_GREEN})
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
    if asked.strategy is StrategyName.SHADOW and "," in asked.mirror and not asked.steps:
        # Several mirrored percents are a shadow's steps, under whichever name they come.
        asked = replace(asked, steps=asked.mirror, mirror="")
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


def planner(asked: Asked, parts: str = "") -> Callable[[Target], Plan | Refused] | Refused:
    """The plan of a target: of one strategy, or of the pipeline in `parts`; refused where the words are none."""
    if parts:
        return lambda target: pipeline_plan(asked, parts, target.service)
    found = spec(asked)
    if isinstance(found, Refused):
        return found
    return lambda target: catalog.plan(blue_green.without_preview(replace(found, service=target.service), target))


def pipeline_plan(asked: Asked, parts: str, service: str) -> Plan | Refused:
    """The plan of a pipeline such as `shadow -> ab -> canary`: each part takes the words that are meant for it.

    Matches belong to ab and blue-green, the mirror to shadow, the steps to the last part; a hold to every stage.
    """
    names = [each.strip() for each in re.split(r"->|→|,", parts)]
    strange = [each for each in names if each not in set(StrategyName)]
    if strange or len(names) < 2:
        text = f"{strange[0]!r} is no strategy." if strange else f"{parts.strip()!r} is one part and no pipeline."
        return Refused(ReasonCode.BAD_INPUT, f"{text} A pipeline is written shadow -> ab -> canary.")
    strategies = [StrategyName(each) for each in names]
    unmeant = _unmeant(asked, strategies)
    if unmeant:
        return Refused(ReasonCode.BAD_INPUT, unmeant)
    specs: list[Spec] = []
    for n, strategy in enumerate(strategies):
        is_last = n == len(strategies) - 1
        found = spec(
            replace(
                asked,
                strategy=strategy,
                service=service,
                steps=asked.steps if is_last else "",
                matches=asked.matches if strategy in MATCHING else (),
                mirror=asked.mirror if strategy is StrategyName.SHADOW else "",
                is_sticky=asked.is_sticky and strategy in RISING,
            )
        )
        if isinstance(found, Refused):
            return found
        specs.append(found)
    return pipeline.plan(specs)


def _unmeant(asked: Asked, strategies: Sequence[StrategyName]) -> str:
    """Words that no part has a use for: better refused than left out."""
    if len(asked.hold) > 1:
        return "In a pipeline --hold is one length of time, for every stage."
    if asked.mirror and StrategyName.SHADOW not in strategies:
        return "--mirror belongs to a shadow, and the pipeline has none."
    if asked.matches and not MATCHING & set(strategies):
        return "--match belongs to ab and blue-green, and the pipeline has neither."
    if asked.is_sticky and not RISING & set(strategies):
        return "--sticky belongs to canary and phased, and the pipeline has neither."
    return ""


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
