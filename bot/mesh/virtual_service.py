"""The pure editor of a VirtualService: reads a split, writes one, puts the original back."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.mesh.documents import Document, canonical, controller_of, full_name, namespace_of
from bot.mesh.marks import is_marked, mark, marks, unmark
from bot.mesh.places import Place, host_of, locate, subset_of
from bot.mesh.shares import original_split, shares, split_of
from bot.mesh.weights import PLAIN, integers
from bot.ports import RouteOrder
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Route, Split


def read_split(document: Document, route: Route, target: Target, original: str = "") -> Split | Refused:
    """The split that the route carries now, of baseline and candidate alone."""
    place = _editable(document, route, target, original)
    if isinstance(place, Refused):
        return place
    return _split_at(document, place, target)


def capture(document: Document, route: Route, target: Target) -> str | Refused:
    """The targeted fields as canonical JSON, for the day they are put back; the baseline must serve everything."""
    owner = controller_of(document)
    if owner is not None:
        text = f"{full_name(document)} belongs to {owner}, which would undo every change made here."
        return Refused(ReasonCode.FOREIGN_OWNER, text)
    place = _editable(document, route, target, "")
    if isinstance(place, Refused):
        return place
    split = _split_at(document, place, target)
    if isinstance(split, Refused):
        return split
    if split.share(target.baseline) != HUNDRED:
        text = f"{target.baseline} must serve 100 % before a release starts; now {describe(split)}."
        return Refused(ReasonCode.BASELINE_NOT_FULL, text)
    return canonical({"match": place.entry.get("match"), "route": place.entry["route"]})


def edit(document: Document, orders: Sequence[RouteOrder]) -> Document | Refused:
    """A copy that carries every order and our marks; all else is as it was."""
    edited = copy.deepcopy(document)
    active = {order.release for order in orders}
    for order in orders:
        refusal = _apply(edited, order)
        if refusal is not None:
            return refusal
    for release in sorted(active - {""}):
        own = [order for order in orders if order.release == release]
        if all(order.split is None for order in own):
            unmark(edited, release)
        else:
            mark(edited, release, max(order.revision for order in own), active)
    return edited


def carries(document: Document, orders: Sequence[RouteOrder]) -> bool:
    """True when writing the orders would change no traffic and no mark but the revision in it."""
    edited = edit(document, orders)
    if isinstance(edited, Refused) or canonical(edited.get("spec")) != canonical(document.get("spec")):
        return False
    return marks(edited).keys() == marks(document).keys()


def wanted_split(order: RouteOrder) -> Split | Refused:
    """The split that the order ends in, also when it asks for the original fields."""
    if order.split is not None:
        return order.split
    return original_split(order.original, order.target, order.route.namespace)


def expected_split(order: RouteOrder) -> Split | Refused:
    """The split that our last confirmed write left behind."""
    if order.expected is not None:
        return order.expected
    return original_split(order.original, order.target, order.route.namespace)


def describe(split: Split) -> str:
    """`v1 95 %, v2 5 %`."""
    return ", ".join(f"{version} {weight.normalize():f} %" for version, weight in split.weights.items())


def _editable(document: Document, route: Route, target: Target, original: str) -> Place | Refused:
    place = locate(document, route, target.host, original)
    if place is None:
        text = f'{full_name(document)} has no {route.protocol} route "{route.name}" to {target.host} any more.'
        return Refused(ReasonCode.NO_ROUTE, text)
    if place.route.protocol != "http":
        text = f"{place.position} is a {place.route.protocol} route; only http routes can be moved."
        return Refused(ReasonCode.UNSUPPORTED_KIND, text)
    if "delegate" in place.entry:
        return Refused(ReasonCode.DELEGATE, f"{place.position} delegates to another VirtualService.")
    return place


def _split_at(document: Document, place: Place, target: Target) -> Split | Refused:
    present = shares(place.entry, namespace_of(document), is_ours=is_marked(document))
    return present if isinstance(present, Refused) else split_of(present, target)


def _apply(document: Document, order: RouteOrder) -> Refused | None:
    if order.split is not None and (order.split.matches or order.split.mirror is not None):
        text = f"{full_name(document)}: matches and mirrors of a split cannot be written yet."
        return Refused(ReasonCode.UNSUPPORTED_KIND, text)
    place = _editable(document, order.route, order.target, order.original)
    if isinstance(place, Refused):
        return place
    destinations: list[Document] = place.entry.setdefault("route", [])
    namespace = namespace_of(document)
    if order.split is not None:
        return _write(destinations, namespace, order.target, order.split)
    if order.original:
        _restore(destinations, namespace, order.target, json.loads(order.original)["route"])
    return None


def _write(destinations: list[Document], namespace: str, target: Target, split: Split) -> Refused | None:
    ours = _ours(destinations, namespace, target)
    if not ours:
        text = f"The route to {target.host} sends to neither {target.baseline} nor {target.candidate}."
        return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    strangers = set(split.weights) - {target.baseline, target.candidate}
    if strangers:
        text = f"The split names {', '.join(sorted(strangers))}, which is not part of the release."
        return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    for version in (target.baseline, target.candidate):
        if version not in ours:
            ours[version] = _twin(next(iter(ours.values())), target.subsets.get(version, version))
            destinations.append(ours[version])
    _silence_strangers(destinations, ours)
    for version, weight in integers({each: split.share(each) for each in ours}).items():
        ours[version]["weight"] = weight
    return None


def _restore(destinations: list[Document], namespace: str, target: Target, original: Sequence[Document]) -> None:
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
