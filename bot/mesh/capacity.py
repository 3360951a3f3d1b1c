"""Pods for a share: counts them, and scales where the profile allows it."""

import logging
from collections.abc import Callable, Iterator

from bot.mesh.cluster import Writes
from bot.mesh.documents import Document, controller_of, full_name
from bot.mesh.holding import LEAST, REPLICAS, free, hold
from bot.mesh.kube_api import AUTOSCALER, DEPLOYMENT, Kind
from bot.mesh.kube_errors import Missing
from bot.mesh.sizes import deployment_named, wanted, workload
from bot.mesh.view import View
from bot.mesh.workloads import ready_by_version, why_not_ready
from strategies.capacity import pods_for
from strategies.release import Phase, Release, Target

log = logging.getLogger(__name__)

GROWS = "it is being scaled up."

Edit = Callable[[Document], Document | None]


def missing(view: View, cluster: Writes, release: Release) -> str:
    """Empty when every candidate has the ready pods that its wanted share takes, else how many are missing, and why.

    Where the profile allows it the candidate is scaled up meanwhile. A baseline of unknown size asks for nothing.
    """
    for target, have, needed in _short(view, release):
        grown = _grow(view, cluster, release, target, needed) if release.rules.scale else ""
        return _told(view, target, have, needed, grown)
    return ""


def shortage(view: View, release: Release) -> str:
    """What `missing` would say, changing nothing; empty where the pods are there, or something is to be scaled."""
    for target, have, needed in _short(view, release):
        grown = ""
        if release.rules.scale:
            name = workload(target, target.candidate)
            grown = _obstacle(view, name, needed)
            if not grown and not _is_held(view, str(name), needed):
                return ""
        return _told(view, target, have, needed, grown or (GROWS if release.rules.scale else ""))
    return ""


def set_sizes(view: View, cluster: Writes, release: Release) -> None:
    """Hold each baseline at its size at the start while the release is active; give sizes back once it is over."""
    if not release.rules.scale:
        return
    for target in release.targets:
        for version in (target.baseline, target.candidate):
            name = workload(target, version)
            if name is None:
                continue
            size = release.sizes.get(name, 0)
            if release.is_over:
                _free(view, cluster, release, name, is_left=_is_left(release, target, version))
            elif size and version == target.baseline and release.phase is not Phase.DECOMMISSIONING:
                hold_at(view, cluster, release, name, size)


def autoscaler_of(view: View, deployment: str) -> Document | None:
    """The HorizontalPodAutoscaler that sizes the Deployment `namespace/name`."""
    namespace, _, name = deployment.partition("/")
    for each in view.autoscalers(namespace):
        scaled = each["spec"].get("scaleTargetRef") or {}
        if scaled.get("kind") == DEPLOYMENT.name and scaled.get("name") == name:
            return each
    return None


def _told(view: View, target: Target, have: int, needed: int, grown: str) -> str:
    pods = "1 ready pod" if have == 1 else f"{have} ready pods"
    text = f"{target.candidate} has {pods} and needs {needed} for its share"
    if grown:
        return f"{text}; {grown}"
    if not have:
        return f"{text}: {why_not_ready(view, target, target.candidate)}"
    return f"{text}; scale it up, or let Sluice do it by `scale: true` in the profile."


def _short(view: View, release: Release) -> Iterator[tuple[Target, int, int]]:
    """Every candidate with fewer ready pods than its wanted share takes: how many there are, and how many it takes."""
    for target in release.targets:
        size = release.sizes.get(workload(target, target.baseline) or "", 0)
        split = release.wanted(target.service)
        needed = pods_for(split, target.candidate, size, release.rules.capacity) if split is not None and size else 0
        have = ready_by_version(view, target)[target.candidate]
        if have < needed:
            yield target, have, needed


def _grow(view: View, cluster: Writes, release: Release, target: Target, needed: int) -> str:
    name = workload(target, target.candidate)
    obstacle = _obstacle(view, name, needed)
    if obstacle or name is None:
        return obstacle
    hold_at(view, cluster, release, name, needed)
    return GROWS


def _obstacle(view: View, name: str | None, needed: int) -> str:
    """Why Sluice cannot scale the Deployment up; empty when it can."""
    if name is None:
        return "it has no Deployment that could be scaled."
    scaler = autoscaler_of(view, name)
    owner = _foreign(view, name, scaler)
    if owner:
        return f"{owner}, which would undo a change made here: scale it up there."
    if scaler is not None and int(scaler["spec"].get("maxReplicas") or 0) < needed:
        most = scaler["spec"].get("maxReplicas")
        return f"HorizontalPodAutoscaler {full_name(scaler)} allows {most} at most (maxReplicas)."
    return ""


def _is_held(view: View, name: str, size: int) -> bool:
    """True when so many pods are asked for already."""
    scaler, known = autoscaler_of(view, name), deployment_named(view, name)
    if scaler is not None:
        return int(scaler["spec"].get(LEAST) or 1) >= size
    return known is not None and wanted(known) >= size


def hold_at(view: View, cluster: Writes, release: Release, name: str, size: int) -> None:
    """Keep the Deployment `namespace/name` at `size` pods or more, by its autoscaler where it has one."""
    scaler = autoscaler_of(view, name)
    owner = _foreign(view, name, scaler)
    if owner:
        log.warning("release=%s %s is not held at %d pods: %s", release.id, name, size, owner)
        return
    if scaler is not None:
        # Under an autoscaler the Deployment's own number is not ours to set: its least number is.
        least = min(size, int(scaler["spec"].get("maxReplicas") or size))
        _put(cluster, AUTOSCALER, full_name(scaler), lambda each: hold(each, LEAST, least, release.id))
        return
    known = deployment_named(view, name)
    if known is None or wanted(known) < size:
        _put(cluster, DEPLOYMENT, name, lambda each: hold(each, REPLICAS, size, release.id))


def _free(view: View, cluster: Writes, release: Release, name: str, *, is_left: bool) -> None:
    scaler = autoscaler_of(view, name)
    if scaler is not None and free(scaler, LEAST, release.id, restores=True) is not None:
        _put(cluster, AUTOSCALER, full_name(scaler), lambda each: free(each, LEAST, release.id, restores=True))
    known = deployment_named(view, name)
    if known is not None and free(known, REPLICAS, release.id, restores=is_left) is not None:
        _put(cluster, DEPLOYMENT, name, lambda each: free(each, REPLICAS, release.id, restores=is_left))


def _foreign(view: View, name: str, scaler: Document | None) -> str:
    """Which controller sizes the Deployment `namespace/name` and would not leave our number; empty when none does."""
    kind, sized = (AUTOSCALER, scaler) if scaler is not None else (DEPLOYMENT, deployment_named(view, name))
    owner = controller_of(sized) if sized is not None else None
    return f"{kind.name} {full_name(sized)} belongs to {owner}" if sized is not None and owner else ""


def _is_left(release: Release, target: Target, version: str) -> bool:
    """True for the version that serves nobody once the release is over: its size becomes what it was."""
    is_back = release.phase is Phase.ROLLED_BACK or release.is_leaving
    return version == (target.candidate if is_back else target.baseline) and not release.is_cold


def _put(cluster: Writes, kind: Kind, name: str, edit: Edit) -> None:
    try:
        document = cluster.get(kind, name)
    except Missing:
        return
    edited = edit(document)
    if edited is not None:
        cluster.put(kind, edited)
