"""Which routes of which VirtualServices a release moves: the named ones, or the only one there is; never a guess."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

from bot.mesh.documents import Document, full_name, namespace_of
from bot.mesh.hosts import full_host, service_of
from bot.mesh.places import Place, all_places, leads_to, own_places, places_to
from bot.surveys import NamedRoutes
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Protocol

WIDEST = 1 << 20

# How a person names these places of a host, as one sentence.
Hint = Callable[[Sequence[Place], str], str]


def in_profile(places: Sequence[Place], host: str) -> str:
    """The profile's line that names every one of the places; the reader keeps those that shall move."""
    entries: dict[str, dict[str, Any]] = {}
    service = service_of(host)
    for place in places:
        route = place.route
        full = f"{route.namespace}/{route.virtual_service}"
        name = route.virtual_service if service is not None and service[0] == route.namespace else full
        entry = entries.setdefault(full, {"delegate" if place.is_delegated else "virtual_service": name})
        entry[route.protocol.value] = [*entry.get(route.protocol.value, []), route.name]
    line = yaml.safe_dump(list(entries.values()), default_flow_style=True, sort_keys=False, width=WIDEST)
    return f"Name the ones to move in the profile: routes: {line.strip()}"


def choose(
    documents: Sequence[Document], host: str, named: Sequence[NamedRoutes] = (), *, hint: Hint = in_profile
) -> tuple[Place, ...] | Refused:
    """The routes to edit; `named` holds full names (`namespace/name`), `hint` tells a person how routes are named."""
    if not named:
        return _only(documents, host, hint)
    chosen: list[Place] = []
    for each in named:
        found = _of_one(documents, host, each, hint)
        if isinstance(found, Refused):
            return found
        chosen.extend(found)
    return tuple(dict((place.route.key, place) for place in chosen).values())


def _of_one(documents: Sequence[Document], host: str, named: NamedRoutes, hint: Hint) -> Sequence[Place] | Refused:
    document = next((each for each in documents if full_name(each) == named.virtual_service), None)
    if document is None:
        return Refused(ReasonCode.NO_ROUTE, f"There is no VirtualService {named.virtual_service}.")
    has_hosts = bool((document.get("spec") or {}).get("hosts"))
    if named.is_delegate and has_hosts:
        text = f"{named.virtual_service} has hosts of its own and is no delegate; name it as `virtual_service`."
        return Refused(ReasonCode.DELEGATE, text)
    if not has_hosts and not any(named.virtual_service in set(_delegates_of(each)) for each in documents):
        text = f"{named.virtual_service} has no hosts, and no watched VirtualService delegates to it."
        return Refused(ReasonCode.DELEGATE, text)
    if not (named.http or named.tcp or named.tls):
        return _only([document], host, hint, is_named=True)
    return _by_names(document, host, named)


def _only(
    documents: Sequence[Document], host: str, hint: Hint, *, is_named: bool = False
) -> tuple[Place, ...] | Refused:
    found = [place for document in documents for place in places_to(document, host)]
    if not found:
        return _no_route(documents, host)
    if len(found) > 1:
        positions = ", ".join(place.position for place in found)
        text = f"{len(found)} routes lead to {host}: {positions}. {hint(found, host)}"
        return Refused(ReasonCode.AMBIGUOUS_ROUTE, text)
    if found[0].is_delegated and not is_named:
        text = f"{found[0].position} leads to {host} by delegation. {hint(found, host)}"
        return Refused(ReasonCode.DELEGATE, text)
    return (found[0],)


def _by_names(document: Document, host: str, named: NamedRoutes) -> list[Place] | Refused:
    chosen: list[Place] = []
    asked = {Protocol.HTTP: named.http, Protocol.TCP: named.tcp, Protocol.TLS: named.tls}
    for protocol, names in asked.items():
        own = [place for place in own_places(document) if place.route.protocol is protocol]
        for name in names:
            place = next((each for each in own if name in {each.route.name, f"#{each.number}"}), None)
            if place is None:
                return _unknown_name(document, protocol, name, [each.route.name for each in own])
            if "delegate" in place.entry:
                return delegated(place)
            if not leads_to(place.entry, host, namespace_of(document)):
                return Refused(ReasonCode.NO_ROUTE, f"{place.position} does not lead to {host}.")
            chosen.append(place)
    return chosen


def _unknown_name(document: Document, protocol: Protocol, name: str, present: Sequence[str]) -> Refused:
    twins = sum(1 for entry in document["spec"].get(protocol) or [] if entry.get("name") == name)
    if twins > 1:
        text = f'{full_name(document)} has {twins} {protocol} routes named "{name}"; name them by index, such as `#0`.'
        return Refused(ReasonCode.AMBIGUOUS_ROUTE, text)
    listed = ", ".join(present) or "none"
    text = f'{full_name(document)} has no {protocol} route "{name}"; its {protocol} routes are: {listed}.'
    return Refused(ReasonCode.NO_ROUTE, text)


def _no_route(documents: Sequence[Document], host: str) -> Refused:
    for document in documents:
        spec, namespace = document.get("spec") or {}, namespace_of(document)
        if host not in {full_host(str(each), namespace) for each in spec.get("hosts") or []}:
            continue
        for place in all_places(document):
            if "delegate" in place.entry:
                return delegated(place)
    text = f"No VirtualService routes to {host}; Sluice moves traffic of a route that leads there."
    return Refused(ReasonCode.NO_ROUTE, text)


def _delegates_of(document: Document) -> Iterator[str]:
    for place in all_places(document):
        if "delegate" in place.entry:
            yield _delegate_of(place)


def _delegate_of(place: Place) -> str:
    delegate = place.entry.get("delegate") or {}
    return f"{delegate.get('namespace') or place.route.namespace}/{delegate.get('name')}"


def delegated(place: Place) -> Refused:
    """The refusal of a route that hands its requests to another VirtualService, with that one's name."""
    target = _delegate_of(place)
    text = f"{place.position} delegates to {target}; name that one in the profile: routes: [{{delegate: {target}}}]"
    return Refused(ReasonCode.DELEGATE, text)
