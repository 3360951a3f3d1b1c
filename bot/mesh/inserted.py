"""The routes that we insert before a targeted one, for the requests that a match names."""

import copy
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from bot.mesh.conditions import product
from bot.mesh.destinations import for_match
from bot.mesh.documents import Document, canonical
from bot.mesh.names import inserted_name, release_for
from strategies.reasons import Refused
from strategies.release import Target
from strategies.routing import Match


def render(
    entry: Document, matches: Sequence[Match], target: Target, namespace: str, label: tuple[str, str]
) -> list[Document] | Refused:
    """One route for each run of matches with the same destination, in their order, as copies of the targeted `entry`.

    `label` is the release and the targeted route, which name the routes.
    """
    found: list[Document] = []
    for n, (_, run) in enumerate(groupby(matches, key=lambda match: (match.to, match.share)), 1):
        alike = list(run)
        blocks = product(entry.get("match"), alike)
        if isinstance(blocks, Refused):
            return blocks
        inserted: Document = {"name": inserted_name(*label, n), "match": blocks}
        rest = {key: value for key, value in entry.items() if key not in {"name", "match", "route"}}
        inserted["route"] = for_match(entry.get("route") or [], namespace, target, alike[0])
        found.append(inserted | copy.deepcopy(rest))
    return found


def present(entries: Sequence[Document], label: tuple[str, str]) -> list[Document]:
    """The routes that stand there for the label, in their order."""
    return [each for each in entries if release_for(each, label[1]) == label[0]]


def stand_before(entries: Sequence[Document], entry: Document, label: tuple[str, str]) -> bool:
    """True when every inserted route comes before the targeted one, where it is asked first."""
    at = next(n for n, each in enumerate(entries) if each is entry)
    return all(n < at for n, each in enumerate(entries) if release_for(each, label[1]) == label[0])


def are_alike(left: Sequence[Mapping[str, Any]], right: Sequence[Mapping[str, Any]]) -> bool:
    """True when both take the same requests to the same destinations."""
    return [_steering(each) for each in left] == [_steering(each) for each in right]


def put(entries: list[Document], entry: Document, label: tuple[str, str], wanted: Sequence[Document]) -> None:
    """Make `wanted` the routes inserted for the label: in their places where they have some, else before `entry`."""
    mine = [n for n, each in enumerate(entries) if release_for(each, label[1]) == label[0]]
    if len(mine) == len(wanted) and stand_before(entries, entry, label):
        for n, each in zip(mine, wanted, strict=True):
            entries[n] = each
        return
    entries[:] = [each for each in entries if release_for(each, label[1]) != label[0]]
    at = next(n for n, each in enumerate(entries) if each is entry)
    entries[at:at] = wanted


def _steering(entry: Mapping[str, Any]) -> tuple[object, list[object]]:
    # A weight of zero that the server dropped is the same weight.
    route = [{**each, "weight": each.get("weight") or 0} for each in entry.get("route") or []]
    return entry.get("match"), [(canonical(each.get("destination")), each["weight"]) for each in route]
