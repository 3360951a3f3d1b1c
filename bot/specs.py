"""The plan that a person asked for: the command where it speaks, the profile where it is silent."""

from decimal import Decimal

from bot import connections
from bot.profiles import Part, Profile
from bot.requests import StartRequest
from bot.ways import matches_of
from strategies import catalog, pipeline
from strategies.plan import Plan, Spec, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Match


def plan(request: StartRequest, profile: Profile, target: Target) -> Plan | Refused:
    """The plan of the strategy that was named, or of the profile's pipeline; refused as its planner refuses.

    A command that names no strategy and nothing that only one strategy knows follows the profile's pipeline.
    """
    is_pipeline = request.strategy is None and profile.pipeline
    if not is_pipeline:
        asked = spec(request, profile, target)
        return asked if isinstance(asked, Refused) else catalog.plan(asked)
    if request.steps is not None or request.matches is not None or request.mirror is not None:
        parts = ", ".join(part.strategy for part in profile.pipeline)
        text = f"{target.service} is released by a pipeline ({parts}), whose parts its profile describes."
        return Refused(ReasonCode.BAD_INPUT, f"{text} Name one strategy to give steps, match or mirror.")
    specs: list[Spec] = []
    for part in profile.pipeline:
        asked = spec(_part(request, part, target), _with(profile, part), target)
        if isinstance(asked, Refused):
            return asked
        specs.append(asked)
    return pipeline.plan(specs)


def spec(request: StartRequest, profile: Profile, target: Target) -> Spec | Refused:
    """What one strategy is asked to do; refused with BAD_STEPS or BAD_INPUT for words that it cannot take."""
    strategy = request.strategy or profile.strategy
    refused = _stray(request, strategy)
    if refused is not None:
        return refused
    mirror = None
    if strategy is not StrategyName.SHADOW and request.mirror is not None:
        mirror = request.mirror[0]
    found = Spec(
        strategy=strategy,
        service=target.service,
        baseline=target.baseline,
        candidate=target.candidate,
        steps=_steps(request, profile, strategy),
        hold=request.hold if request.hold is not None else profile.hold,
        approve=request.approve or profile.approve,
        quorum=profile.quorum,
        gates=profile.gates(),
        min_requests=profile.min_requests,
        matches=_matches(request, profile, strategy, target.candidate),
        mirror=mirror,
        inside=_inside(request, profile, strategy),
        side_effects=profile.side_effects,
        is_sticky=_is_sticky(request, profile, strategy),
        smoke=profile.smoke if strategy is StrategyName.BLUE_GREEN else "",
    )
    return connections.possible(found, profile, target)


def _stray(request: StartRequest, strategy: StrategyName) -> Refused | None:
    """Words that the strategy has no use for: better refused than left out."""
    if strategy is StrategyName.BLUE_GREEN and request.steps is not None:
        return Refused(ReasonCode.BAD_STEPS, "A blue-green release has no steps: it switches at once.")
    if strategy is StrategyName.SHADOW and request.steps is not None and request.mirror is not None:
        return Refused(ReasonCode.BAD_STEPS, "The steps of a shadow are its mirrored percents; give steps or mirror.")
    if strategy is not StrategyName.SHADOW and request.mirror is not None and len(request.mirror) > 1:
        text = f"Beside the shares of {strategy} one percent is mirrored throughout; several are a shadow's."
        return Refused(ReasonCode.BAD_INPUT, text)
    if request.is_sticky and strategy not in {StrategyName.CANARY, StrategyName.PHASED}:
        text = f"sticky keeps people at their version while shares grow; {strategy} has no such shares."
        return Refused(ReasonCode.BAD_INPUT, text)
    return None


def _steps(request: StartRequest, profile: Profile, strategy: StrategyName) -> tuple[Decimal, ...]:
    if strategy is StrategyName.SHADOW:
        return request.mirror or request.steps or profile.mirror
    return request.steps if request.steps is not None else profile.steps


def _inside(request: StartRequest, profile: Profile, strategy: StrategyName) -> tuple[Decimal, ...]:
    if strategy is StrategyName.AB:
        return request.steps if request.steps is not None else profile.inside
    return (HUNDRED,)


def _matches(request: StartRequest, profile: Profile, strategy: StrategyName, candidate: str) -> tuple[Match, ...]:
    if request.matches is not None:
        return request.matches
    written = {StrategyName.AB: profile.match, StrategyName.BLUE_GREEN: profile.preview}.get(strategy, ())
    return matches_of(written, candidate)


def _is_sticky(request: StartRequest, profile: Profile, strategy: StrategyName) -> bool:
    if strategy not in {StrategyName.CANARY, StrategyName.PHASED}:
        return False
    return request.is_sticky if request.is_sticky is not None else profile.sticky is not None


def _part(request: StartRequest, part: Part, target: Target) -> StartRequest:
    return StartRequest(
        request.service, target.candidate, part.strategy, hold=request.hold, approve=request.approve, steps=None
    )


def _with(profile: Profile, part: Part) -> Profile:
    given = {name: getattr(part, name) for name in Part.model_fields if getattr(part, name) is not None}
    return profile.model_copy(update=given)
