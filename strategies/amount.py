"""What a version gets of the traffic, in words: how much, and what asking for it means."""

from typing import assert_never

from strategies.plan import StrategyName
from strategies.release import Release
from strategies.routing import HUNDRED, Match, Split, Steering, percent


def amount(split: Split | None, version: str) -> str:
    """`25 %`, `header:x-beta=1`, `1 % of header:x-beta=1`, `copies of 10 %`, or `0 %` when nothing gets there."""
    if split is None:
        return percent(HUNDRED - HUNDRED)
    match split.steering(version):
        case Steering.WEIGHTS:
            return percent(split.share(version))
        case Steering.MIRROR:
            return f"copies of {percent(split.mirror.percent)}" if split.mirror else percent(HUNDRED - HUNDRED)
        case Steering.MATCHES:
            groups = groups_of(split, version)
            if split.sticky is not None:
                people = f"{percent(split.share(version))} of people"
                return f"{people} and {groups}" if groups else people
            return f"{percent(split.share(version))} and {groups}" if split.share(version) else groups
        case _:  # pragma: no cover
            assert_never(split.steering(version))


def groups_of(split: Split, version: str) -> str:
    """The requests that matches bring to the version: `header:x-beta=1 or cookie:group=beta`."""
    return " or ".join(_group(match) for match in split.matches if match.to == version)


def amounts(release: Release) -> tuple[str, ...]:
    """The candidate's amount in each stage; the end of a shadow is `end`."""
    target, stages = release.target, release.plan.stages
    found = [amount(stage.splits[target.service], target.candidate) for stage in stages]
    if not stages[-1].splits[target.service].reaches(target.candidate):
        found[-1] = "end"
    return tuple(found)


def wanted(release: Release) -> str:
    """What the candidate should get now."""
    return amount(release.wanted(release.target.service), release.target.candidate)


def effect(release: Release, stage: int) -> str:
    """What beginning the stage does to production traffic, as one sentence for whoever decides."""
    target = release.target
    split = release.plan.stages[stage].splits[target.service]
    share, service, candidate = amount(split, target.candidate), target.service, target.candidate
    match split.steering(candidate):
        case Steering.MIRROR:
            part = share.removeprefix("copies of ")
            return f"Mirror {part} of the requests of {service} to {candidate}; nobody gets its answers."
        case Steering.MATCHES:
            if split.share(candidate):
                return f"Send {share} of production traffic of {service} to {candidate}."
            return f"Send requests of {service} to {candidate}: {share}. All others stay with {target.baseline}."
        case Steering.WEIGHTS if not split.reaches(candidate) and stage < len(release.plan.stages) - 1:
            return f"Nothing of {service} moves yet: approvers are asked before {candidate} gets anything."
        case Steering.WEIGHTS if not split.reaches(candidate):
            return f"End the shadow: {candidate} gets no request of {service} any more; {target.baseline} serves all."
        case Steering.WEIGHTS if split.share(candidate) == HUNDRED and is_sudden(release, stage):
            return f"Switch 100 % of production traffic of {service} to {candidate} at once."
        case Steering.WEIGHTS:
            return f"Send {share} of production traffic of {service} to {candidate}."
        case _:  # pragma: no cover
            assert_never(split.steering(candidate))


def is_sudden(release: Release, stage: int) -> bool:
    """True when nobody outside a group has met the candidate before this stage gives it everything."""
    if (release.plan.stages[stage].part or release.plan.strategy) is StrategyName.BLUE_GREEN:
        return True
    target = release.target
    return stage > 0 and not release.plan.stages[stage - 1].splits[target.service].share(target.candidate)


def _group(match: Match) -> str:
    return str(match) if match.share == HUNDRED else f"{percent(match.share)} of {match}"
