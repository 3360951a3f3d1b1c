"""Which version of a service everybody gets, for services that another one needs."""

from collections.abc import Sequence

from bot.mesh.destination_rule import rules_of, subset_named, version_of
from bot.mesh.documents import Document, full_name
from bot.mesh.hosts import full_host
from bot.mesh.marks import is_marked
from bot.mesh.places import Place, places_to
from bot.mesh.shares import shares
from bot.mesh.survey import find_service
from bot.mesh.view import View
from bot.mesh.workloads import is_ready
from bot.surveys import SurveyRequest
from strategies.guards import Served
from strategies.reasons import Refused


def served(view: View, request: SurveyRequest) -> Served:
    """The one version that every route to the service ends at; without a route, the one that has ready pods."""
    service = find_service(view, request)
    if isinstance(service, Refused):
        return Served("", service.text)
    namespace, _, name = full_name(service).partition("/")
    host = full_host(name, namespace)
    places = [place for each in view.virtual_services() for place in places_to(each, host)]
    found: set[str] = set()
    for place in places:
        ends = _ends(view, request, host, place)
        if isinstance(ends, Served):
            return ends
        found |= ends
    # A destination without a subset reaches the pods of every version, as a service without a route does.
    if not places or "" in found:
        found = found - {""} | _living(view, service, request.version_label)
    return _only(name, sorted(found))


def _ends(view: View, request: SurveyRequest, host: str, place: Place) -> set[str] | Served:
    document = view.virtual_service(f"{place.route.namespace}/{place.route.virtual_service}")
    present = shares(place.entry, place.route.namespace, is_ours=document is not None and is_marked(document))
    if isinstance(present, Refused):
        return Served("", f"{place.position}: {present.text}")
    rules = rules_of(view.destination_rules(), host, place.route.namespace)
    found: set[str] = set()
    for share in present:
        if share.host != host or not share.percent:
            continue
        subset = subset_named(rules, share.subset) if share.subset else None
        version = version_of(subset[1], request.version_label) if subset else ""
        if share.subset and not version:
            text = f"{place.position} sends to subset {share.subset}, which names no {request.version_label}."
            return Served("", text)
        found.add(version)
    return found


def _living(view: View, service: Document, label: str) -> set[str]:
    selector = (service.get("spec") or {}).get("selector") or {}
    pods = view.pods(full_name(service).partition("/")[0], selector) if selector else ()
    labels = [(pod["metadata"].get("labels") or {}).get(label, "") for pod in pods if is_ready(pod)]
    return {str(each) for each in labels if each}


def _only(name: str, found: Sequence[str]) -> Served:
    if len(found) == 1:
        return Served(found[0])
    if not found:
        return Served("", f"{name} has no ready pod that names its version.")
    return Served("", f"{name} serves {' and '.join(found)} side by side.")
