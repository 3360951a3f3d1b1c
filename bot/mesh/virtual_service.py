"""The pure editor of a VirtualService: reads a split, writes one, puts the original back."""

import copy
import json
from collections.abc import Sequence
from dataclasses import replace

from bot.mesh import beside, destinations
from bot.mesh.added import forget, record
from bot.mesh.documents import Document, canonical, controller_of, full_name, namespace_of
from bot.mesh.marks import is_marked, mark, marks, unmark
from bot.mesh.mirrors import MIRRORS
from bot.mesh.places import Place, locate
from bot.mesh.shares import original_split, shares, split_of
from bot.ports import RouteOrder
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, Protocol, Route, Split, percent


def read_split(document: Document, route: Route, target: Target, original: str = "") -> Split | Refused:
    """The split that the route carries now, of baseline and candidate alone.

    Refused with DRIFT where somebody edited what we wrote beside the weights.
    """
    place = _editable(document, route, target, original)
    if isinstance(place, Refused):
        return place
    return _split_at(document, place, route, target)


def capture(document: Document, route: Route, target: Target) -> str | Refused:
    """The targeted fields as canonical JSON, for the day they are put back; the baseline must serve everything."""
    owner = controller_of(document)
    if owner is not None:
        text = f"{full_name(document)} belongs to {owner}, which would undo every change made here."
        return Refused(ReasonCode.FOREIGN_OWNER, text)
    place = _editable(document, route, target, "")
    if isinstance(place, Refused):
        return place
    split = _split_at(document, place, route, target)
    if isinstance(split, Refused):
        return split
    if split.share(target.baseline) != HUNDRED:
        text = f"{target.baseline} must serve 100 % before a release starts; now {describe(split)}."
        return Refused(ReasonCode.BASELINE_NOT_FULL, text)
    fields = {"match": place.entry.get("match"), "route": place.entry["route"]}
    return canonical(fields | {key: place.entry[key] for key in MIRRORS if place.entry.get(key)})


def edit(document: Document, orders: Sequence[RouteOrder]) -> Document | Refused:
    """A copy that carries every order and our marks; all else is as it was."""
    edited = copy.deepcopy(document)
    for order in orders:
        refusal = _apply(edited, order)
        if refusal is not None:
            return refusal
    for release in sorted({order.release for order in orders} - {""}):
        own = [order for order in orders if order.release == release]
        if all(order.split is None for order in own):
            unmark(edited, release)
            forget(edited, release)
        else:
            mark(edited, release, max(order.revision for order in own), [order.route for order in own])
    return edited


def carries(document: Document, orders: Sequence[RouteOrder]) -> bool:
    """True when writing the orders would change no traffic and no mark but the revision in it."""
    edited = edit(document, orders)
    if isinstance(edited, Refused) or canonical(edited.get("spec")) != canonical(document.get("spec")):
        return False
    return marks(edited).keys() == marks(document).keys() and record(edited) == record(document)


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
    """`v1 95 %, v2 5 %, header:x-beta=1 to v2, mirror 20 % to v2`."""
    parts = [f"{version} {percent(weight)}" for version, weight in split.weights.items()]
    parts += [
        f"{match} to {match.to}" + (f" ({percent(match.share)})" if match.share != HUNDRED else "")
        for match in split.matches
    ]
    if split.mirror is not None:
        parts.append(f"mirror {percent(split.mirror.percent)} to {split.mirror.to}")
    if split.sticky is not None:
        parts.append("each person kept by a cookie")
    return ", ".join(parts)


def _editable(document: Document, route: Route, target: Target, original: str) -> Place | Refused:
    place = locate(document, route, target.host, original)
    if place is None:
        text = f'{full_name(document)} has no {route.protocol} route "{route.name}" to {target.host} any more.'
        return Refused(ReasonCode.NO_ROUTE, text)
    if "delegate" in place.entry:
        return Refused(ReasonCode.DELEGATE, f"{place.position} delegates to another VirtualService.")
    return place


def _split_at(document: Document, place: Place, route: Route, target: Target) -> Split | Refused:
    present = shares(place.entry, namespace_of(document), is_ours=is_marked(document))
    split = present if isinstance(present, Refused) else split_of(present, target)
    if isinstance(split, Refused) or place.route.protocol is not Protocol.HTTP:
        return split
    found = beside.read(document, place.entry, route.name, target)
    if isinstance(found, Refused):
        return found
    return replace(split, matches=found.matches, mirror=found.mirror, sticky=found.sticky)


def _apply(document: Document, order: RouteOrder) -> Refused | None:
    place = _editable(document, order.route, order.target, order.original)
    if isinstance(place, Refused):
        return place
    written: list[Document] = place.entry.setdefault("route", [])
    namespace, is_http = namespace_of(document), place.route.protocol is Protocol.HTTP
    if order.split is not None:
        refusal = None if is_http else _unsupported(place, order.split)
        refusal = refusal or destinations.write(written, namespace, order.target, order.split)
        return refusal or (beside.write(document, place.entry, order, order.split) if is_http else None)
    if is_http:
        beside.remove(document, place.entry, order)
    if order.original:
        destinations.restore(written, namespace, order.target, json.loads(order.original)["route"])
    return None


def _unsupported(place: Place, split: Split) -> Refused | None:
    """Connections have no headers to match on and cannot be mirrored."""
    if not split.matches and split.mirror is None and split.sticky is None:
        return None
    what = "matches" if split.matches else "a mirror" if split.mirror else "a cookie"
    text = f"{place.position} is a {place.route.protocol} route, which cannot carry {what}, only weights."
    return Refused(ReasonCode.UNSUPPORTED_KIND, text)
