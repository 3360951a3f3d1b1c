"""What must be gone before a version's subset may go, and what is left of it."""

import copy
from collections.abc import Iterator

from bot.mesh.documents import Document, full_name, namespace_of
from bot.mesh.marks import unmark
from bot.mesh.places import all_places, host_of, locate, subset_of
from bot.mesh.view import View
from strategies.release import Release, Target


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
    found = set()
    for route in target.routes:
        document = view.virtual_service(f"{route.namespace}/{route.virtual_service}")
        place = locate(document, route, target.host) if document is not None else None
        if place is not None:
            found.add(place.position)
    return found


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
