"""What must be gone before a version's subset may go, and what is left of it."""

import copy
from collections.abc import Iterator, Sequence

from bot.mesh.destination_rule import ours, rules_of, subset_named
from bot.mesh.documents import Document, full_name, namespace_of
from bot.mesh.marks import unmark
from bot.mesh.places import Place, all_places, host_of, locate, subset_of
from bot.mesh.view import View
from strategies.release import Release, Target


def in_the_way(view: View, release: Release, target: Target) -> Sequence[str]:
    """Why the baseline may not go yet, one sentence each: who else names its subset, or routes of ours that send it."""
    subset = target.subsets.get(target.baseline, target.baseline)
    others = sorted(set(users_of(view, target.host, subset)) - positions_of(view, target))
    found = [f"{target.baseline} of {target.service} is still needed: {each} names subset {subset}." for each in others]
    again = (
        f"{place.position} sends requests to {target.baseline} again."
        for place in _own_places(view, target, release)
        if any(_serves(each, place, target.host, subset) for each in place.entry.get("route") or [])
    )
    return [*found, *again]


def users_of(view: View, host: str, subset: str) -> Iterator[str]:
    """Positions of all routes that name the subset, mirrors included, whatever their weight."""
    for document in view.virtual_services():
        namespace = namespace_of(document)
        for place in all_places(document):
            entry = place.entry
            named = [*(entry.get("route") or []), *(entry.get("mirrors") or [])]
            if entry.get("mirror"):
                named.append({"destination": entry["mirror"]})
            if any(host_of(each, namespace) == host and subset_of(each) == subset for each in named):
                yield place.position


def positions_of(view: View, target: Target) -> set[str]:
    """Positions of the target's own routes as they stand now."""
    return {place.position for place in _own_places(view, target)}


def own_subset(view: View, target: Target) -> str | None:
    """The baseline's subset when Sluice added it and nobody edited it since; None otherwise."""
    name = target.subsets.get(target.baseline, target.baseline)
    present = subset_named(rules_of(view.destination_rules(), target.host, target.routes[0].namespace), name)
    if present is None:
        return None
    added = ours(present[0]).get(name)
    return name if added is not None and added.subset == present[1] else None


def without_baseline(document: Document, release: Release, target: Target) -> Document | None:
    """A copy whose targeted routes no longer name the baseline, unmarked; None when nothing is to be done.

    Only a destination that serves nothing is taken out; one with a weight stays and keeps the subset in use.
    """
    edited = copy.deepcopy(document)
    unmark(edited, release.id)
    subset, namespace = target.subsets.get(target.baseline, target.baseline), namespace_of(document)
    for route in target.routes:
        if f"{route.namespace}/{route.virtual_service}" != full_name(document):
            continue
        place = locate(edited, route, target.host, release.originals.get(route.key, ""))
        if place is not None and len(place.entry.get("route") or []) > 1:
            place.entry["route"] = [
                each
                for each in place.entry["route"]
                if each.get("weight") or host_of(each, namespace) != target.host or subset_of(each) != subset
            ]
    return edited if edited != document else None


def _own_places(view: View, target: Target, release: Release | None = None) -> Iterator[Place]:
    for route in target.routes:
        document = view.virtual_service(f"{route.namespace}/{route.virtual_service}")
        original = release.originals.get(route.key, "") if release else ""
        place = locate(document, route, target.host, original) if document is not None else None
        if place is not None:
            yield place


def _serves(destination: Document, place: Place, host: str, subset: str) -> bool:
    named = host_of(destination, place.route.namespace) == host and subset_of(destination) == subset
    # A lone destination without a weight has all of them.
    is_alone = len(place.entry.get("route") or []) == 1
    return named and bool(destination.get("weight") or (is_alone and destination.get("weight") is None))
