"""Where in a VirtualService traffic to one host is routed."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.mesh.documents import Document, canonical, full_name, namespace_of
from bot.mesh.hosts import full_host
from bot.mesh.marks import marks
from bot.mesh.names import release_of
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Protocol, Route


@dataclass(frozen=True, slots=True)
class Place:
    """One route of one document: its identity, its index in its list, and the entry itself.

    `is_inserted` marks the routes of ours that stand there for a while only: they are nobody's target.
    """

    route: Route
    index: int
    entry: Document
    is_inserted: bool = False

    @property
    def position(self) -> str:
        """The place as a person finds it in the file: `shop/reviews http[1] "main"`."""
        where = f"{self.route.namespace}/{self.route.virtual_service} {self.route.protocol}[{self.index}]"
        return where if self.route.name.startswith("#") else f'{where} "{self.route.name}"'


def all_places(document: Mapping[str, object]) -> Iterator[Place]:
    """Every route of the document in its order.

    One without a name of its own is called `#<index>`, counted as if none of ours had been inserted.
    """
    namespace, _, name = full_name(document).partition("/")
    spec = document.get("spec")
    active = marks(document)
    for protocol in Protocol:
        entries: Sequence[Document] = (spec.get(protocol) or []) if isinstance(spec, dict) else []
        uses = Counter(entry.get("name") for entry in entries)
        inserted = 0
        for index, entry in enumerate(entries):
            # A route of a release that left no mark here is a stranger's copy: it steers traffic and must be seen.
            if release_of(entry) in active:
                inserted += 1
                yield Place(Route(namespace, name, protocol, str(entry["name"])), index, entry, is_inserted=True)
                continue
            # Names need not be unique; two routes of one name are told apart by their index alone.
            own = entry.get("name")
            called = str(own) if own and uses[own] == 1 else f"#{index - inserted}"
            yield Place(Route(namespace, name, protocol, called), index, entry)


def leads_to(entry: Mapping[str, object], host: str, namespace: str) -> bool:
    """True when one of the entry's destinations is exactly this (full) host."""
    destinations = entry.get("route")
    if not isinstance(destinations, list):
        return False
    return any(host_of(each, namespace) == host for each in destinations)


def host_of(destination: Document, namespace: str) -> str:
    """The full host of one weighted destination."""
    return full_host(str((destination.get("destination") or {}).get("host") or ""), namespace)


def subset_of(destination: Document) -> str:
    """The subset of one weighted destination, empty when it names none."""
    return str((destination.get("destination") or {}).get("subset") or "")


def places_to(document: Mapping[str, object], host: str) -> list[Place]:
    """The routes, of any protocol, that lead to the full host."""
    namespace = namespace_of(document)
    return [place for place in _own_places(document) if leads_to(place.entry, host, namespace)]


def choose(
    documents: Sequence[Document],
    host: str,
    named: Sequence[tuple[str, tuple[str, ...]]] = (),
    *,
    where: str = "in the profile's `routes`",
) -> tuple[Place, ...] | Refused:
    """The routes to edit: the named ones, or the only one there is; never a guess.

    `named` pairs a VirtualService (`namespace/name`) with route names; no names means its only route to the host.
    `where` tells a person where routes are named.
    """
    if not named:
        return _only(documents, host, where)
    chosen: list[Place] = []
    for virtual_service, names in named:
        document = next((each for each in documents if full_name(each) == virtual_service), None)
        if document is None:
            return Refused(ReasonCode.NO_ROUTE, f"There is no VirtualService {virtual_service}.")
        found = _by_names(document, host, names) if names else _only([document], host, where)
        if isinstance(found, Refused):
            return found
        chosen.extend(found)
    return tuple(chosen)


def locate(document: Document, route: Route, host: str, original: str = "") -> Place | None:
    """The place that `route` named when `original` was captured, also after others inserted or renamed routes."""
    places = [place for place in _own_places(document) if place.route.protocol is route.protocol]
    if not route.name.startswith("#"):
        by_name = next((place for place in places if place.route.name == route.name), None)
        if by_name is not None:
            return by_name
    if not original:
        return next((place for place in places_to(document, host) if _number(place, places) == route.name), None)
    # The index of a nameless route moves when somebody inserts one above it; its match does not.
    match = canonical(json.loads(original).get("match"))
    namespace = namespace_of(document)
    alike = [
        place
        for place in places
        if leads_to(place.entry, host, namespace) and canonical(place.entry.get("match")) == match
    ]
    same_index = next((place for place in alike if _number(place, places) == route.name), None)
    return same_index or (alike[0] if len(alike) == 1 else None)


def _own_places(document: Mapping[str, object]) -> list[Place]:
    return [place for place in all_places(document) if not place.is_inserted]


def _number(place: Place, among: Sequence[Place]) -> str:
    """`#<index>` among these places of one protocol."""
    return f"#{next(n for n, each in enumerate(among) if each.entry is place.entry)}"


def _only(documents: Sequence[Document], host: str, where: str) -> tuple[Place, ...] | Refused:
    found = [place for document in documents for place in places_to(document, host)]
    if not found:
        return _no_route(documents, host)
    if all(place.route.protocol is not Protocol.HTTP for place in found):
        return _unsupported(found[0])
    if len(found) > 1:
        positions = ", ".join(place.position for place in found)
        text = f"{len(found)} routes lead to {host}: {positions}. Name the ones to move {where}."
        return Refused(ReasonCode.AMBIGUOUS_ROUTE, text)
    return (found[0],)


def _by_names(document: Document, host: str, names: Sequence[str]) -> list[Place] | Refused:
    chosen: list[Place] = []
    http = [place for place in _own_places(document) if place.route.protocol is Protocol.HTTP]
    for name in names:
        place = next((each for each in http if name in {each.route.name, _number(each, http)}), None)
        if place is None:
            return _unknown_name(document, name, [each.route.name for each in http])
        if "delegate" in place.entry:
            return _delegated(place)
        if not leads_to(place.entry, host, namespace_of(document)):
            return Refused(ReasonCode.NO_ROUTE, f"{place.position} does not lead to {host}.")
        chosen.append(place)
    return chosen


def _unknown_name(document: Document, name: str, present: Sequence[str]) -> Refused:
    twins = sum(1 for entry in document["spec"].get("http") or [] if entry.get("name") == name)
    if twins > 1:
        text = f'{full_name(document)} has {twins} http routes named "{name}"; name them by index, such as `#0`.'
        return Refused(ReasonCode.AMBIGUOUS_ROUTE, text)
    listed = ", ".join(present) or "none"
    text = f'{full_name(document)} has no http route "{name}"; its http routes are: {listed}.'
    return Refused(ReasonCode.NO_ROUTE, text)


def _no_route(documents: Sequence[Document], host: str) -> Refused:
    for document in documents:
        spec, namespace = document.get("spec") or {}, namespace_of(document)
        if host not in {full_host(str(each), namespace) for each in spec.get("hosts") or []}:
            continue
        for place in all_places(document):
            if "delegate" in place.entry:
                return _delegated(place)
    text = f"No VirtualService routes to {host}; Sluice moves traffic of a route that leads there."
    return Refused(ReasonCode.NO_ROUTE, text)


def _delegated(place: Place) -> Refused:
    delegate = place.entry.get("delegate") or {}
    target = f"{delegate.get('namespace') or place.route.namespace}/{delegate.get('name')}"
    text = f"{place.position} delegates to {target}; name a route of that VirtualService in the profile's `routes`."
    return Refused(ReasonCode.DELEGATE, text)


def _unsupported(place: Place) -> Refused:
    text = f"{place.position} is a {place.route.protocol} route; only http routes can be moved."
    return Refused(ReasonCode.UNSUPPORTED_KIND, text)
