"""Where in a VirtualService traffic to one host is routed."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.mesh.documents import Document, canonical, full_name, namespace_of
from bot.mesh.hosts import full_host
from bot.mesh.marks import marks
from bot.mesh.names import release_of
from strategies.routing import Protocol, Route


@dataclass(frozen=True, slots=True)
class Place:
    """One route of one document: its identity, its index in its list, and the entry itself.

    `number` is the index as if none of ours had been inserted: what people write as `#<number>`.
    `is_inserted` marks the routes of ours that stand there for a while only: they are nobody's target. `is_delegated`
    says that the document has no hosts of its own: requests come by another VirtualService's `delegate`.
    """

    route: Route
    index: int
    entry: Document
    is_inserted: bool = False
    is_delegated: bool = False
    number: int = 0

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
    active, is_delegated = marks(document), not (isinstance(spec, dict) and spec.get("hosts"))
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
            number = index - inserted
            yield Place(
                Route(namespace, name, protocol, called), index, entry, is_delegated=is_delegated, number=number
            )


def leads_to(entry: Mapping[str, object], host: str, namespace: str) -> bool:
    """True when one of the entry's destinations is exactly this (full) host."""
    destinations = entry.get("route")
    if not isinstance(destinations, list):
        return False
    return any(host_of(each, namespace) == host for each in destinations)


def reaches_all(place: Place, host: str) -> bool:
    """True when the route, or its mirror, sends to the host without a subset: to the pods of every version."""
    entry, namespace = place.entry, place.route.namespace
    named = [*(entry.get("route") or []), *(entry.get("mirrors") or [])]
    if entry.get("mirror"):
        named.append({"destination": entry["mirror"]})
    return any(host_of(each, namespace) == host and not subset_of(each) for each in named)


def host_of(destination: Document, namespace: str) -> str:
    """The full host of one weighted destination."""
    return full_host(str((destination.get("destination") or {}).get("host") or ""), namespace)


def subset_of(destination: Document) -> str:
    """The subset of one weighted destination, empty when it names none."""
    return str((destination.get("destination") or {}).get("subset") or "")


def places_to(document: Mapping[str, object], host: str) -> list[Place]:
    """The routes, of any protocol, that lead to the full host."""
    namespace = namespace_of(document)
    return [place for place in own_places(document) if leads_to(place.entry, host, namespace)]


def own_places(document: Mapping[str, object]) -> list[Place]:
    """The routes that are not ours for a while only."""
    return [place for place in all_places(document) if not place.is_inserted]


def locate(document: Document, route: Route, host: str, original: str = "") -> Place | None:
    """The place that `route` named when `original` was captured, also after others inserted or renamed routes."""
    places = [place for place in own_places(document) if place.route.protocol is route.protocol]
    if not route.name.startswith("#"):
        by_name = next((place for place in places if place.route.name == route.name), None)
        if by_name is not None:
            return by_name
    namespace = namespace_of(document)
    leading = [place for place in places if leads_to(place.entry, host, namespace)]
    if not original:
        return next((place for place in leading if f"#{place.number}" == route.name), None)
    # The index of a nameless route moves when somebody inserts one above it; its match does not.
    match = canonical(json.loads(original).get("match"))
    alike = [place for place in leading if canonical(place.entry.get("match")) == match]
    same_index = next((place for place in alike if f"#{place.number}" == route.name), None)
    return same_index or (alike[0] if len(alike) == 1 else None)
