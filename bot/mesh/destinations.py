"""The destinations of one route: weights written into ours, and taken back."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from bot.mesh.documents import Document
from bot.mesh.places import host_of, subset_of
from bot.mesh.weights import PLAIN, integers
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Match, Split


def write(destinations: list[Document], namespace: str, target: Target, split: Split) -> Refused | None:
    """Put the split's weights into the destinations of its versions; one that is missing and wanted is added."""
    ours = _ours(destinations, namespace, target)
    if not ours:
        text = f"The route to {target.host} sends to neither {target.baseline} nor {target.candidate}."
        return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    strangers = set(split.weights) - {target.baseline, target.candidate}
    if strangers:
        text = f"The split names {', '.join(sorted(strangers))}, which is not part of the release."
        return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    for version in (target.baseline, target.candidate):
        if version not in ours and split.share(version):
            ours[version] = _twin(next(iter(ours.values())), target.subsets.get(version, version))
            destinations.append(ours[version])
    _silence_strangers(destinations, ours)
    # A lone destination serves everything as it stands, whatever weight it has or lacks.
    if len(destinations) > 1:
        for version, weight in integers({each: split.share(each) for each in ours}).items():
            ours[version]["weight"] = weight
    return None


def for_match(destinations: Sequence[Document], namespace: str, target: Target, match: Match) -> list[Document]:
    """Destinations of a route for matched requests: copies of the route's own, in the match's proportion."""
    other = target.baseline if match.to == target.candidate else target.candidate
    wanted = {match.to: match.share} | ({other: HUNDRED - match.share} if match.share != HUNDRED else {})
    order = [version for version in (target.baseline, target.candidate) if version in wanted]
    weights = integers({version: wanted[version] for version in order})
    found = []
    for version in order:
        copied = leading_to(destinations, namespace, target, version)
        found.append(copied if len(order) == 1 else copied | {"weight": weights[version]})
    return found


def leading_to(destinations: Sequence[Document], namespace: str, target: Target, version: str) -> Document:
    """A copy of the route's own destination of the version, or of the other version's led there, without a weight."""
    ours = _ours(destinations, namespace, target)
    copied = _twin(ours.get(version) or next(iter(ours.values())), target.subsets.get(version, version))
    copied.pop("weight", None)
    return copied


def restore(destinations: list[Document], namespace: str, target: Target, original: Sequence[Document]) -> None:
    """Put the captured weights back; what we added goes, a stranger stays without the share that it took."""
    before = _ours(original, namespace, target)
    ours = _ours(destinations, namespace, target)
    for version in (target.baseline, target.candidate):
        if version in before and version not in ours:
            destinations.append(copy.deepcopy(before[version]))
        elif version in before:
            _put_weight(ours[version], before[version])
        elif version in ours:
            _drop(destinations, ours[version])
    ours = _ours(destinations, namespace, target)
    _silence_strangers(destinations, ours)
    # An absent weight means everything only to a lone destination: next to a stranger it would mean nothing.
    if len(original) == 1 and len(destinations) > 1 and not ours[target.baseline].get("weight"):
        ours[target.baseline]["weight"] = PLAIN


def _silence_strangers(destinations: Sequence[Document], ours: Mapping[str, Document]) -> None:
    # Reached only by force: a destination that somebody added stays, the share it took from the route does not.
    for each in destinations:
        if each.get("weight") and not any(each is own for own in ours.values()):
            each["weight"] = 0


def _ours(destinations: Sequence[Document], namespace: str, target: Target) -> dict[str, Document]:
    """The first destination of each version of the target."""
    found: dict[str, Document] = {}
    for version in (target.baseline, target.candidate):
        subset = target.subsets.get(version, version)
        for each in destinations:
            if host_of(each, namespace) == target.host and subset_of(each) == subset:
                found.setdefault(version, each)
    return found


def _twin(destination: Document, subset: str) -> Document:
    twin = copy.deepcopy(destination)
    twin["destination"]["subset"] = subset
    return twin


def _put_weight(destination: Document, before: Mapping[str, Any]) -> None:
    if "weight" in before:
        destination["weight"] = before["weight"]
    else:
        destination.pop("weight", None)


def _drop(destinations: list[Document], unwanted: Document) -> None:
    destinations[:] = [each for each in destinations if each is not unwanted]
