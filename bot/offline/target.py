"""Finds what a plan would move in the manifests of files: the route, the subsets, the rule."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.mesh.choice import choose
from bot.mesh.destination_rule import free_name, rules_of, subset_named, subsets, with_subset
from bot.mesh.documents import Document, controller_of, full_name, namespace_of
from bot.mesh.hosts import full_host, service_of
from bot.mesh.places import Place, all_places, host_of, places_to
from bot.offline.manifests import VERSIONS, Manifest
from bot.offline.route_names import by_option, named_places
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which service, between which versions, on which routes; none named means the only one there is."""

    service: str
    baseline: str
    candidate: str
    namespace: str = ""
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The VirtualServices to edit and, where the candidate's subset is missing, the rule with it added.

    `knows_subsets` is False when no rule of the host was given: subsets are then taken to be called like versions.
    """

    target: Target
    objects: tuple[tuple[Manifest, Document], ...]
    rule: Manifest | None = None
    rule_after: Document | None = None
    knows_subsets: bool = False


def settled(manifest: Manifest, namespace: str) -> Document:
    """A copy that says its namespace, as `kubectl -n` would have it."""
    document = copy.deepcopy(manifest.document)
    document["metadata"].setdefault("namespace", namespace or DEFAULT_NAMESPACE)
    return document


def unsettled(document: Document, manifest: Manifest) -> Document:
    """A copy that says its namespace only where the file does."""
    copied = copy.deepcopy(document)
    if "namespace" not in manifest.document["metadata"]:
        del copied["metadata"]["namespace"]
    return copied


def find(manifests: Sequence[Manifest], wanted: Wanted) -> Found | Refused:
    """The routes that lead to the service, with the subsets of both versions; refused, never guessed."""
    candidates = [each for each in manifests if each.kind == "VirtualService"]
    if not candidates:
        return _no_virtual_service(manifests)
    documents = [settled(each, wanted.namespace) for each in candidates]
    host = _host(documents, wanted)
    if isinstance(host, Refused):
        return host
    places = _places(documents, host, wanted.routes)
    if isinstance(places, Refused):
        return places
    # Two objects of one name may stand in one file; a place belongs to the one that holds its entry.
    held = [
        n
        for n, document in enumerate(documents)
        if any(each.entry is place.entry for each in all_places(document) for place in places)
    ]
    rules = [(each, settled(each, wanted.namespace)) for each in manifests if each.kind == "DestinationRule"]
    found = Found(_target(host, places, wanted), tuple((candidates[n], documents[n]) for n in held))
    return _with_subsets(found, rules)


def _no_virtual_service(manifests: Sequence[Manifest]) -> Refused:
    strange = [each.document for each in manifests if each.document.get("kind") == "VirtualService"]
    if strange:
        said = strange[0].get("apiVersion")
        text = f"The VirtualService has {f'apiVersion {said}' if said else 'no apiVersion'}; known are "
        return Refused(ReasonCode.UNSUPPORTED_KIND, f"{text}{', '.join(sorted(VERSIONS))}.")
    kinds = sorted({str(each.document.get("kind") or "object without a kind") for each in manifests})
    if any(str(each.document.get("apiVersion", "")).startswith("gateway.networking.k8s.io/") for each in manifests):
        text = "The file holds routes of the Gateway API; Sluice moves traffic of Istio VirtualServices."
        return Refused(ReasonCode.UNSUPPORTED_KIND, text)
    return Refused(ReasonCode.NO_ROUTE, f"The file holds no VirtualService, but {', '.join(kinds) or 'nothing'}.")


def _host(documents: Sequence[Document], wanted: Wanted) -> str | Refused:
    if wanted.namespace or "." in wanted.service:
        return full_host(wanted.service, wanted.namespace)
    homes = sorted(
        {namespace_of(each) for each in documents if places_to(each, full_host(wanted.service, namespace_of(each)))}
    )
    if len(homes) > 1:
        text = f"Services called {wanted.service} are routed to in {', '.join(homes)}; name one with --namespace."
        return Refused(ReasonCode.AMBIGUOUS_ROUTE, text)
    return full_host(wanted.service, homes[0] if homes else namespace_of(documents[0]))


def _places(documents: Sequence[Document], host: str, named: Sequence[str]) -> Sequence[Place] | Refused:
    chosen = named_places(documents, host, named) if named else choose(documents, host, hint=by_option)
    if not isinstance(chosen, Refused) or chosen.reason_code is not ReasonCode.NO_ROUTE or named:
        return chosen
    hosts = sorted({name for each in documents for name in _hosts(each)})
    return Refused(chosen.reason_code, f"{chosen.text} The file's routes lead to {', '.join(hosts) or 'nobody'}.")


def _hosts(document: Document) -> Iterator[str]:
    for place in all_places(document):
        for each in place.entry.get("route") or []:
            if (each.get("destination") or {}).get("host"):
                yield host_of(each, namespace_of(document))


def _target(host: str, places: Sequence[Place], wanted: Wanted) -> Target:
    service = service_of(host)
    return Target(
        service=service[1] if service else wanted.service,
        host=host,
        namespace=service[0] if service else places[0].route.namespace,
        baseline=wanted.baseline,
        candidate=wanted.candidate,
        routes=tuple(place.route for place in places),
        subsets={each: each for each in (wanted.baseline, wanted.candidate)},
    )


def _with_subsets(found: Found, rules: Sequence[tuple[Manifest, Document]]) -> Found | Refused:
    """The target with the subsets of the rules, where there are rules; a candidate that has none gets one."""
    target = found.target
    known = rules_of([document for _, document in rules], target.host, target.routes[0].namespace)
    if not known:
        return found
    baseline, candidate = _subset_of(known, target.baseline), _subset_of(known, target.candidate)
    if not baseline:
        names = ", ".join(str(each.get("name")) for rule in known for each in subsets(rule)) or "none"
        text = f"{full_name(known[0])} has no subset for {target.baseline}; its subsets are: {names}."
        return Refused(ReasonCode.NO_SUBSET, text)
    named = candidate or free_name(known, target.candidate)
    subset_names = {target.baseline: baseline, target.candidate: named}
    found = replace(found, target=replace(target, subsets=subset_names), knows_subsets=True)
    if candidate:
        return found
    after = _rule_with(known, found.target, baseline, named)
    if isinstance(after, Refused):
        return after
    rule, document = after
    manifest = next(manifest for manifest, each in rules if each is rule)
    return replace(found, rule=manifest, rule_after=document)


def _subset_of(rules: Sequence[Document], version: str) -> str:
    """The subset that selects the version by any label, one that is called like it first; empty when none does."""
    all_ = [each for rule in rules for each in subsets(rule)]
    selecting = [str(each.get("name")) for each in all_ if version in (each.get("labels") or {}).values()]
    called = [str(each.get("name")) for each in all_ if each.get("name") == version]
    return next((name for name in selecting if name == version), None) or next(iter((*selecting, *called)), "")


def _rule_with(
    rules: Sequence[Document], target: Target, beside: str, name: str
) -> tuple[Document, Document] | Refused:
    found = subset_named(rules, beside)
    if found is None:  # `beside` came from these rules
        raise AssertionError(f"no subset {beside}")
    rule, neighbour = found
    labels: dict[str, str] = neighbour.get("labels") or {}
    if target.baseline not in labels.values():
        text = f"Subset {beside} does not select {target.baseline} by a label; add the subset of {target.candidate}."
        return Refused(ReasonCode.NO_SUBSET, text)
    owner = controller_of(rule)
    if owner is not None:
        return Refused(ReasonCode.FOREIGN_OWNER, f"{full_name(rule)} belongs to {owner}; add the subset {name} there.")
    changed = {key: target.candidate if value == target.baseline else value for key, value in labels.items()}
    return rule, with_subset(rule, name, changed, beside)
