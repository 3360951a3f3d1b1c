"""Resolves a service and a version to routes, subsets and workloads, from a view alone."""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bot.mesh.candidates import foreign, name_of
from bot.mesh.choice import choose
from bot.mesh.destination_rule import free_name, rules_of, subset_named, subsets, subsets_of, version_of
from bot.mesh.documents import Document, full_name, labels_of
from bot.mesh.hosts import full_host
from bot.mesh.marks import is_marked
from bot.mesh.places import Place, all_places, places_to, reaches_all, subset_of
from bot.mesh.shares import Share, shares
from bot.mesh.sizes import deployment_of
from bot.mesh.view import View
from bot.mesh.workloads import deployments_of
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target
from strategies.routing import HUNDRED, percent


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is known of the service before its routes are read."""

    host: str
    namespace: str
    name: str
    workloads: Mapping[str, str]
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Serving:
    """One route's destination with the version behind it."""

    version: str
    share: Share


def survey(view: View, request: SurveyRequest) -> Target | Refused:
    """The target that a release of `request` would move; refused by name when anything about it is in doubt."""
    service = find_service(view, request)
    if isinstance(service, Refused):
        return service
    ground = _ground(view, service, request.version_label)
    if request.candidate and request.candidate not in ground.versions and not request.image:
        listed = ", ".join(ground.versions) or "none"
        text = f"{ground.name} has no version {request.candidate}{_nearest(request.candidate, ground.versions)}; "
        return Refused(ReasonCode.UNKNOWN_VERSION, f"{text}its versions are: {listed}.")
    home = request.namespace or ground.namespace
    named = [replace(each, virtual_service=_full(each.virtual_service, home)) for each in request.routes]
    places = choose(view.virtual_services(), ground.host, named)
    if isinstance(places, Refused):
        return places
    target = _target(view, request, ground, places)
    return target if isinstance(target, Refused) or not request.image else _with_image(view, request, target)


def _with_image(view: View, request: SurveyRequest, target: Target) -> Target | Refused:
    """The target of a version that is made from the baseline; refused before it would get requests unasked."""
    image = request.image
    present = deployment_of(view, target, target.candidate)
    if present is not None:
        images = {str(each.get("image")) for each in present["spec"]["template"]["spec"]["containers"]}
        if image in images:
            return target
        running = f"{target.candidate} is deployed with {', '.join(sorted(images))}"
        text = f"{running}; leave `image=` out, or name a new version."
        return Refused(ReasonCode.BAD_INPUT, text)
    for document in view.virtual_services():
        for place in all_places(document):
            if reaches_all(place, target.host):
                text = (
                    f"{place.position} sends to {target.host} without a subset, which reaches every version's pods; "
                    f"adopt the service first, then deploy {target.candidate}."
                )
                return Refused(ReasonCode.NO_SUBSET, text)
    baseline = deployment_of(view, target, target.baseline)
    if baseline is None:
        text = f"{target.baseline} of {target.service} has no Deployment that {target.candidate} could be made from."
        return Refused(ReasonCode.UNKNOWN_VERSION, text)
    known = foreign(baseline, image, request.images)
    if known:
        text = (
            f"image={image} is of another repository than {target.service} runs ({known}), and would run with its "
            "secrets and rights. Where that is meant, name the repository under `images` in its profile."
        )
        return Refused(ReasonCode.BAD_INPUT, text)
    name = name_of(baseline, target.baseline, target.candidate)
    return replace(target, workloads={**target.workloads, target.candidate: name}, image=image)


def _full(name: str, home: str) -> str:
    return name if "/" in name else f"{home}/{name}"


def find_service(view: View, request: SurveyRequest) -> Document | Refused:
    """The Service that the request names; refused with UNKNOWN_SERVICE and the nearest names."""
    known = {
        full_host(full_name(each).partition("/")[2], full_name(each).partition("/")[0]): each
        for each in view.services()
    }
    if request.namespace or "." in request.service:
        found = [known[host]] if (host := full_host(request.service, request.namespace)) in known else []
    else:
        found = [each for each in known.values() if full_name(each).partition("/")[2] == request.service]
    if len(found) == 1:
        return found[0]
    if found:
        homes = ", ".join(sorted(full_name(each) for each in found))
        text = f"{len(found)} services are called {request.service}: {homes}. Say which by its full host."
        return Refused(ReasonCode.UNKNOWN_SERVICE, text)
    where = f" in {request.namespace}" if request.namespace and "." not in request.service else ""
    names = [host if "." in request.service else host.partition(".")[0] for host in known]
    nearest = _nearest(request.service, names)
    text = f"There is no service {request.service}{where}{nearest}. Watched: {view.scope()}."
    return Refused(ReasonCode.UNKNOWN_SERVICE, text)


def _ground(view: View, service: Document, label: str) -> _Ground:
    namespace, _, name = full_name(service).partition("/")
    selector: Mapping[str, str] = (service.get("spec") or {}).get("selector") or {}
    host = full_host(name, namespace)
    own = deployments_of(view.deployments(namespace), selector, label) if selector else {}
    versions = set(own)
    for rule in rules_of(view.destination_rules(), host, namespace):
        versions.update(version_of(each, label) for each in subsets(rule))
    if selector:
        versions.update(labels_of(pod).get(label, "") for pod in view.pods(namespace, selector))
    workloads = {version: min(str(each["metadata"]["name"]) for each in all_) for version, all_ in own.items()}
    return _Ground(host, namespace, name, workloads, tuple(sorted(versions - {""})))


def _target(view: View, request: SurveyRequest, ground: _Ground, places: Sequence[Place]) -> Target | Refused:
    baselines: list[_Serving] = []
    for place in places:
        serving = _serving(view, request, ground, place)
        found = serving if isinstance(serving, Refused) else _baseline(request, place, serving)
        if isinstance(found, Refused):
            return found
        baselines.append(found)
    if len({(each.version, each.share.subset) for each in baselines}) > 1:
        listed = ", ".join(f"{p.position}: {each.version}" for p, each in zip(places, baselines, strict=True))
        return Refused(ReasonCode.BASELINE_NOT_FULL, f"The routes serve different versions: {listed}.")
    baseline = baselines[0]
    subset_names = {baseline.version: baseline.share.subset}
    if request.candidate:
        subset_names[request.candidate] = _candidate_subset(view, request, ground, places)
    return Target(
        service=ground.name,
        host=ground.host,
        namespace=ground.namespace,
        baseline=baseline.version,
        candidate=request.candidate,
        routes=tuple(place.route for place in places),
        subsets=subset_names,
        workloads={each: ground.workloads[each] for each in subset_names if each in ground.workloads},
        version_label=request.version_label,
        elsewhere=_elsewhere(view, ground.host, places),
    )


def _elsewhere(view: View, host: str, places: Sequence[Place]) -> tuple[str, ...]:
    moved = {place.route.key for place in places}
    every = (place for document in view.virtual_services() for place in places_to(document, host))
    return tuple(sorted(place.position for place in every if place.route.key not in moved))


def _serving(view: View, request: SurveyRequest, ground: _Ground, place: Place) -> list[_Serving] | Refused:
    document = view.virtual_service(f"{place.route.namespace}/{place.route.virtual_service}")
    is_ours = document is not None and is_marked(document)
    present = shares(place.entry, place.route.namespace, is_ours=is_ours)
    if isinstance(present, Refused):
        return Refused(present.reason_code, f"{place.position}: {present.text}")
    rules = rules_of(view.destination_rules(), ground.host, place.route.namespace)
    serving: list[_Serving] = []
    for share in present:
        if share.host == ground.host and not share.subset:
            text = f"{place.position} sends to {ground.host} without a subset; name the subset of each version there."
            return Refused(ReasonCode.NO_SUBSET, text)
        if share.host != ground.host and share.percent:
            return Refused(ReasonCode.FOREIGN_DESTINATION, f"{place.position} also sends to {share}.")
        found = subset_named(rules, share.subset) if share.percent else None
        version = version_of(found[1], request.version_label) if found else ""
        if share.percent and not version:
            return _unclear_subset(place, share, request.version_label, is_known=found is not None)
        if version:
            serving.append(_Serving(version, share))
    return serving


def _unclear_subset(place: Place, share: Share, label: str, *, is_known: bool) -> Refused:
    why = f"selects no {label}; set `version_label`" if is_known else "is in no DestinationRule of that host"
    return Refused(ReasonCode.NO_SUBSET, f"{place.position} sends to {share.host} subset {share.subset}, which {why}.")


def _baseline(request: SurveyRequest, place: Place, serving: Sequence[_Serving]) -> _Serving | Refused:
    listed = ", ".join(f"{each.version} {percent(each.share.percent)}" for each in serving)
    others = [each for each in serving if each.version != request.candidate]
    if not others or request.baseline == request.candidate:
        text = f"{request.candidate} already serves {place.position} ({listed}); name another version."
        return Refused(ReasonCode.SAME_VERSION, text)
    wanted = [each for each in others if each.version == request.baseline]
    baseline = wanted[0] if wanted else max(others, key=lambda each: each.share.percent)
    if request.baseline and not wanted:
        text = f"{place.position} sends nothing to {request.baseline}; now {listed}."
        return Refused(ReasonCode.BASELINE_NOT_FULL, text)
    strangers = [each for each in others if each.version != baseline.version]
    if strangers:
        text = f"{place.position} also sends to {strangers[0].version}; now {listed}."
        return Refused(ReasonCode.FOREIGN_DESTINATION, text)
    if baseline.share.percent != HUNDRED:
        text = f"{baseline.version} must serve 100 % before a release starts; {place.position} has {listed}."
        return Refused(ReasonCode.BASELINE_NOT_FULL, text)
    return baseline


def _candidate_subset(view: View, request: SurveyRequest, ground: _Ground, places: Sequence[Place]) -> str:
    rules = rules_of(view.destination_rules(), ground.host, places[0].route.namespace)
    names = subsets_of(rules, request.candidate, request.version_label)
    present = {subset_of(each) for place in places for each in place.entry.get("route") or []}
    used = next((name for name in names if name in present), None)
    return used or (names[0] if names else free_name(rules, request.candidate))


def _nearest(name: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, sorted(set(known)), n=3, cutoff=0.5)
    return f" (did you mean {' or '.join(nearest)}?)" if nearest else ""
