"""Pins a service to its present version: the subset and the route that a release needs, and how they go again.

A destination without a subset reaches the pods of every version; here it gets the subset of the version that serves.
Each object remembers what was made of it, so that exactly that is taken away again, and only while nobody edited it.
"""

import copy
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.mesh.destination_rule import add_subset, free_name, ours, remove_added, rules_of, subsets_of
from bot.mesh.documents import (
    Document,
    annotate,
    annotations_of,
    canonical,
    controller_of,
    full_name,
    namespace_of,
)
from bot.mesh.hosts import full_host
from bot.mesh.kube_api import DESTINATION_RULE, VIRTUAL_SERVICE, Kind
from bot.mesh.places import Place, all_places, host_of, leads_to, reaches_all, subset_of
from bot.mesh.retirement import users_of
from bot.mesh.sizes import CREATED_BY
from bot.mesh.survey import find_service
from bot.mesh.view import View
from bot.mesh.workloads import deployments_of
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused

ADOPTED = "sluice/adopted"
ADOPTION = "adoption"  # takes the place of a release in marks of who made something
HTTP = frozenset({"http", "http2", "grpc", "grpc-web", "https"})


@dataclass(frozen=True, slots=True)
class Change:
    """One object before and after; None where it does not exist."""

    kind: Kind
    before: Document | None
    after: Document | None

    @property
    def name(self) -> str:
        """`namespace/name`."""
        document = self.after if self.after is not None else self.before
        return full_name(document or {})


@dataclass(frozen=True, slots=True)
class Ground:
    """The service that is adopted: its document, its full host and its versions."""

    service: Document
    host: str
    versions: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its short name."""
        return str(self.service["metadata"]["name"])


def ground(view: View, request: SurveyRequest) -> Ground | Refused:
    """The service and its versions; refused when it is unknown or its pods tell no version."""
    service = find_service(view, request)
    if isinstance(service, Refused):
        return service
    namespace, _, name = full_name(service).partition("/")
    selector: Mapping[str, str] = (service.get("spec") or {}).get("selector") or {}
    found = deployments_of(view.deployments(namespace), selector, request.version_label) if selector else {}
    if not found:
        text = f"No Deployment behind {name} gives its pods the label {request.version_label}; set `version_label`."
        return Refused(ReasonCode.UNKNOWN_VERSION, text)
    return Ground(service, full_host(name, namespace), tuple(sorted(found)))


def adoption(view: View, request: SurveyRequest, now: datetime) -> tuple[str, tuple[Change, ...]] | Refused:
    """The version that the service is pinned to, and what is made for it, rules first; refused where it is unclear."""
    found = ground(view, request)
    if isinstance(found, Refused):
        return found
    version = request.candidate or found.versions[0]
    is_unclear = version not in found.versions or (not request.candidate and len(found.versions) > 1)
    changes = _pinning(view, request, found, version, now) if version in found.versions else ()
    if version in found.versions and not changes:
        # Whichever version serves: nobody is asked about what nothing follows from.
        text = f"Every route to {found.name} names a subset already; there is nothing to adopt."
        return Refused(ReasonCode.ALREADY_DECIDED, text)
    if is_unclear:
        listed = ", ".join(found.versions)
        text = f"{found.name} has the versions {listed}; say which one serves: adopt {found.name} {found.versions[0]}."
        return Refused(ReasonCode.UNKNOWN_VERSION, text)
    return changes if isinstance(changes, Refused) else (version, changes)


def _pinning(
    view: View, request: SurveyRequest, found: Ground, version: str, now: datetime
) -> tuple[Change, ...] | Refused:
    """What pins the service to the version, rules first; nothing where every route is pinned already."""
    rule = _rule(view, request, found, version, now)
    if isinstance(rule, Refused):
        return rule
    subset, changes = rule
    routes = _routes(view, found, subset)
    return routes if isinstance(routes, Refused) else (*changes, *routes)


def undoing(view: View, request: SurveyRequest) -> tuple[Change, ...] | Refused:
    """What was made for the service and goes again, routes first; refused when somebody edited it since."""
    service = find_service(view, request)
    if isinstance(service, Refused):
        return service
    namespace, _, name = full_name(service).partition("/")
    host = full_host(name, namespace)
    found = [*_made(view.virtual_services(), VIRTUAL_SERVICE, host), *_made(_rules(view, host), DESTINATION_RULE, host)]
    if not found:
        return Refused(ReasonCode.BAD_INPUT, f"Nothing at {name} was made by an adoption.")
    gone = {full_name(each.before or {}) for each in found if each.kind is VIRTUAL_SERVICE}
    for change in found:
        document = change.before or {}
        if not _is_untouched(document):
            text = f"{change.kind.name} {change.name} was changed since it was adopted; take it back by hand."
            return Refused(ReasonCode.DRIFT, text)
    subset = str(_note(found[0].before or {}).get("subset") or "")
    others = [each for each in users_of(view, host, subset) if each.partition(" ")[0] not in gone]
    if others:
        return Refused(ReasonCode.DRIFT, f"{', '.join(others)} names subset {subset}; it stays until that is gone.")
    return tuple(found)


def fingerprint(changes: Sequence[Change]) -> str:
    """A short name of exactly these changes, so that what was shown is what is done."""
    specs = [[each.before and each.before["spec"], each.after and each.after["spec"]] for each in changes]
    shown = [[each.kind.name, each.name, *spec] for each, spec in zip(changes, specs, strict=True)]
    return f"{zlib.crc32(canonical(shown).encode()):08x}"


def _rule(
    view: View, request: SurveyRequest, found: Ground, version: str, now: datetime
) -> tuple[str, tuple[Change, ...]] | Refused:
    namespace, label = namespace_of(found.service), request.version_label
    rules = rules_of(view.destination_rules(), found.host, namespace)
    known = subsets_of(rules, version, label)
    if known:
        return known[0], ()
    subset = free_name(rules, version)
    if not rules:
        spec = {"host": found.name, "subsets": [{"name": subset, "labels": {label: version}}]}
        return subset, (Change(DESTINATION_RULE, None, _created(DESTINATION_RULE, found, spec, subset)),)
    owner = controller_of(rules[0])
    if owner is not None:
        text = f"DestinationRule {full_name(rules[0])} belongs to {owner}; add a subset for {version} there."
        return Refused(ReasonCode.FOREIGN_OWNER, text)
    edited = add_subset(rules[0], subset, {label: version}, "", (ADOPTION, now))
    return subset, (Change(DESTINATION_RULE, rules[0], _noted(edited, {"subset": subset, "host": found.host})),)


def _routes(view: View, found: Ground, subset: str) -> tuple[Change, ...] | Refused:
    changes = []
    documents = view.virtual_services()
    for document in documents:
        places = [place for place in all_places(document) if reaches_all(place, found.host)]
        owner = controller_of(document)
        if places and owner is not None:
            text = f"VirtualService {full_name(document)} belongs to {owner}; name subset {subset} there."
            return Refused(ReasonCode.FOREIGN_OWNER, text)
        if places:
            changes.append(Change(VIRTUAL_SERVICE, document, _pinned(document, places, found.host, subset)))
    led = any(leads_to(p.entry, found.host, namespace_of(d)) for d in documents for p in all_places(d))
    if changes or led:
        return tuple(changes)
    if not any(_is_http(port) for port in found.service["spec"].get("ports") or []):
        text = f"No port of {found.name} speaks http by its name or appProtocol; write its VirtualService by hand."
        return Refused(ReasonCode.UNSUPPORTED_KIND, text)
    route = {"name": "main", "route": [{"destination": {"host": found.name, "subset": subset}}]}
    spec = {"hosts": [found.name], "http": [route]}
    return (Change(VIRTUAL_SERVICE, None, _created(VIRTUAL_SERVICE, found, spec, subset)),)


def _pinned(document: Document, places: Sequence[Place], host: str, subset: str) -> Document:
    edited = copy.deepcopy(document)
    pinned: list[list[object]] = []
    for place in places:
        entry = edited["spec"][place.route.protocol.value][place.index]
        for part, number, destination in _destinations(entry):
            if host_of({"destination": destination}, namespace_of(document)) == host and not destination.get("subset"):
                destination["subset"] = subset
                pinned.append([place.route.protocol.value, place.index, part, number])
    return _noted(edited, {"subset": subset, "host": host, "pinned": pinned})


def _destinations(entry: Document) -> Iterator[tuple[str, int, Document]]:
    for part in ("route", "mirrors"):
        for number, each in enumerate(entry.get(part) or []):
            yield part, number, each.setdefault("destination", {})
    if entry.get("mirror"):
        yield "mirror", 0, entry["mirror"]


def _created(kind: Kind, found: Ground, spec: Document, subset: str) -> Document:
    metadata = {"name": found.name, "namespace": namespace_of(found.service), "labels": {CREATED_BY: ADOPTION}}
    api_version = f"{kind.group}/{kind.versions[0]}"
    document = {"apiVersion": api_version, "kind": kind.name, "metadata": metadata, "spec": spec}
    return _noted(document, {"subset": subset, "host": found.host, "created": True})


def _noted(document: Document, note: Mapping[str, Any]) -> Document:
    annotate(document, ADOPTED, canonical({**note, "spec": _print(document)}))
    return document


def _note(document: Mapping[str, Any]) -> dict[str, Any]:
    text = annotations_of(document).get(ADOPTED)
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _print(document: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(canonical(document['spec']).encode()):08x}"


def _is_untouched(document: Mapping[str, Any]) -> bool:
    return _note(document).get("spec") == _print(document)


def _made(documents: Sequence[Document], kind: Kind, host: str) -> Iterator[Change]:
    for document in documents:
        note = _note(document)
        if note.get("host") == host:
            yield Change(kind, document, None if note.get("created") else _unmade(document, note, kind))


def _unmade(document: Document, note: Mapping[str, Any], kind: Kind) -> Document:
    if kind is DESTINATION_RULE:
        edited = remove_added(document, ADOPTION) if ours(document) else copy.deepcopy(document)
        edited = edited or copy.deepcopy(document)
    else:
        edited = copy.deepcopy(document)
        for protocol, index, part, number in note.get("pinned") or []:
            entry = edited["spec"][protocol][index]
            destination = entry["mirror"] if part == "mirror" else entry[part][number]["destination"]
            if subset_of({"destination": destination}) == note.get("subset"):
                del destination["subset"]
    annotate(edited, ADOPTED, None)
    return edited


def _rules(view: View, host: str) -> list[Document]:
    return [each for each in view.destination_rules() if _note(each).get("host") == host]


def _is_http(port: Mapping[str, Any]) -> bool:
    told = str(port.get("appProtocol") or port.get("name") or "").lower()
    return told.partition("-")[0] in HTTP or told in HTTP
