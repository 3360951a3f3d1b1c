"""The plan of a service's profile over files: what a start would do, with the words of the command on top."""

from collections.abc import Callable
from dataclasses import dataclass

from bot import durations, specs
from bot.offline.asked import Asked
from bot.profiles import Profile
from bot.requests import StartRequest
from strategies import matches, steps
from strategies.plan import Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target


@dataclass(frozen=True, slots=True)
class ByProfile:
    """A profile, and what was said besides; `is_named` when the strategy was among it."""

    profile: Profile
    asked: Asked
    is_named: bool

    def planner(self) -> Callable[[Target], Plan | Refused] | Refused:
        """The plan of a target, as `start` makes it; refused where the words are none."""
        request = _request(self)
        if isinstance(request, Refused):
            return request
        return lambda target: specs.plan(request, self.profile, target)

    def routes(self) -> tuple[str, ...]:
        """The routes that the profile names, as `--route` takes them."""
        named = []
        for choice in self.profile.routes:
            home = choice.virtual_service or choice.delegate
            for protocol in ("http", "tcp", "tls"):
                named += [f"{home}/{protocol}:{name}" for name in getattr(choice, protocol)]
        return tuple(named)


def _request(by: ByProfile) -> StartRequest | Refused:
    asked = by.asked
    if len(asked.hold) > 1:
        return Refused(ReasonCode.BAD_INPUT, "With a profile --hold is one length of time, for every stage.")
    given = steps.read(asked.steps, durations.read) if asked.steps else None
    copies = steps.read(asked.mirror, durations.read) if asked.mirror else None
    if isinstance(given, Refused):
        return given
    if isinstance(copies, Refused):
        return Refused(ReasonCode.BAD_INPUT, f"Mirror {asked.mirror!r} is no percentage such as 20, or 1,10,50.")
    found = []
    for text in asked.matches:
        match = matches.read(text, asked.candidate)
        if isinstance(match, Refused):
            return match
        found.append(match)
    strategy: StrategyName | None = asked.strategy if by.is_named else None
    return StartRequest(
        asked.service,
        asked.candidate,
        strategy,
        steps=given.shares if given is not None else None,
        hold=asked.hold[0] if asked.hold else given.hold if given is not None else None,
        baseline=asked.baseline,
        matches=tuple(found) or None,
        mirror=copies.shares if copies is not None else None,
        is_sticky=asked.is_sticky or None,
    )
