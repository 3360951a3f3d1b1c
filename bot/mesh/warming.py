"""Brings a baseline back before traffic comes back to it: scale up, wait for ready pods, then write the route."""

import copy
import json
import logging
from datetime import datetime, timedelta

from bot.errors import Fault, SluiceError
from bot.mesh.capacity import autoscaler_of, hold_at
from bot.mesh.cluster import Writes
from bot.mesh.destination_rule import subset_named, subsets
from bot.mesh.documents import Document, annotate, annotations_of, full_name
from bot.mesh.keepsakes import restore_beside
from bot.mesh.kube_api import DEPLOYMENT, DESTINATION_RULE
from bot.mesh.kube_errors import Missing
from bot.mesh.sizes import deployment_of, ready, wanted, workload
from bot.mesh.view import View
from bot.mesh.workloads import ready_by_version, why_not_ready
from strategies.release import Release, Target

log = logging.getLogger(__name__)

# The rollback that keeps this Deployment: written before the route, so that a retirement that stalled meets a conflict.
WARMED = "sluice/kept-warm-for"
# Whoever goes back waits this long for all pods of the baseline; then one that is ready is better than none.
PATIENCE = timedelta(seconds=60)
HALF = 50  # percent; a baseline that serves it can bear the rest for the moment that more pods take


def warm(view: View, cluster: Writes, release: Release, now: datetime, *, is_known: bool) -> str:
    """Empty when every baseline can take its traffic back, else what is waited for, as a sentence.

    `is_known` says whether the cache can be trusted for pods. Where the candidate has no ready pod either, nothing is
    lost by going back at once: the baseline is still scaled up, and nothing is waited for. Where Sluice may not scale
    the baseline up and its pods are there, nothing is waited for either.
    """
    for target in release.targets:
        hopeless = is_known and not ready_by_version(view, target)[target.candidate]
        try:
            waiting = _brought_back(cluster, release, target, now) if release.is_cold else ""
            if not release.is_cold and is_known:
                waiting = _kept_up(view, cluster, release, target, now)
        except SluiceError as problem:
            is_there = isinstance(problem, Fault) and is_known and _is_manned(view, release, target, now)
            if not hopeless and not is_there:
                raise
            log.warning("release=%s goes back to a baseline that could not be scaled up: %s", release.id, problem)
            continue
        if waiting and not hopeless:
            return waiting
    return ""


def way_back(view: View, release: Release) -> str:
    """Why there is nothing to go back to, as a sentence; empty where a rollback finds or makes the baselines' pods."""
    for target in release.targets:
        name = workload(target, target.baseline)
        if name is None or deployment_of(view, target, target.baseline) is not None:
            continue
        if not ready_by_version(view, target)[target.baseline] and f"Deployment {name}" not in release.kept:
            return _gone(name, target)
    return ""


def _gone(name: str, target: Target) -> str:
    image = f"/release start {target.service} {target.baseline} image=<its image>"
    return (
        f"Deployment {name} of {target.baseline} was deleted by somebody else, and Sluice has no copy of it: deploy "
        f"it again, or release {target.baseline} anew by {image}."
    )


def _brought_back(cluster: Writes, release: Release, target: Target, now: datetime) -> str:
    name = workload(target, target.baseline)
    if name is None:
        return ""
    document = _restored(cluster, release, name)
    if document is None:
        return f"{_gone(name, target)} Going back waits for it."
    restore_beside(cluster, release, document)
    changed = _restore_subset(cluster, release)
    size = release.sizes.get(name) or 1
    marked = _marked(document, release, size)
    if marked != document:
        document, changed = cluster.put(DEPLOYMENT, marked), True
    have, needed = ready(document), _needed(release, size, now)
    if changed:
        return f"{target.baseline} is scaled up first: {size} pods are asked for."
    if have < needed:
        return f"{target.baseline} is scaled up first: {have} of {size} pods are ready."
    return ""


def _needed(release: Release, size: int, now: datetime) -> int:
    return size if now < release.entered_at + PATIENCE else 1


def _is_manned(view: View, release: Release, target: Target, now: datetime) -> bool:
    """True while the baseline still has its pods, as when it was to be retired and nobody was allowed to."""
    size = release.sizes.get(workload(target, target.baseline) or "") or 1
    return ready_by_version(view, target)[target.baseline] >= _needed(release, size, now)


def _kept_up(view: View, cluster: Writes, release: Release, target: Target, now: datetime) -> str:
    """Nothing to do where the baseline can take its traffic back, or never had a pod that we could count.

    One without a ready pod is always waited for. One that was shrunk since the start is scaled up again and waited
    for while most of the traffic comes back to it; where nobody lets Sluice scale it, what is there has to do.
    """
    name = workload(target, target.baseline)
    size, have = release.sizes.get(name or "", 0), ready_by_version(view, target)[target.baseline]
    known = deployment_of(view, target, target.baseline)
    if not name or not size:
        return ""
    is_shrunk = known is not None and (wanted(known) < size or annotations_of(known).get(WARMED) == release.id)
    if have and not (is_shrunk and _needs_more(view, release, target, name)):
        return ""
    if known is None:
        return f"{_gone(name, target)} Going back waits for it."
    if not is_shrunk:
        return f"Going back waits for a ready pod: {why_not_ready(view, target, target.baseline)}"
    try:
        _grow(view, cluster, release, name, size)
    except SluiceError as problem:
        if not have:
            raise
        log.warning("release=%s goes back to %d of %d pods: %s", release.id, have, size, problem)
        return ""
    if not have:
        return f"{target.baseline} has no ready pod and is scaled up to {size} first."
    if have < _needed(release, size, now):
        return f"{target.baseline} is scaled up first: {have} of {size} pods are ready."
    return ""


def _needs_more(view: View, release: Release, target: Target, name: str) -> bool:
    """True when more than half of the traffic comes back at once, and pods that Sluice asks for would stay."""
    written = release.plan.stages[release.written].splits[target.service] if release.written >= 0 else None
    comes_back = written is not None and written.share(target.baseline) < HALF
    return comes_back and (release.rules.scale or autoscaler_of(view, name) is None)


def _grow(view: View, cluster: Writes, release: Release, name: str, size: int) -> None:
    if release.rules.scale:
        hold_at(view, cluster, release, name, size)
    document = cluster.get(DEPLOYMENT, name)
    marked = _marked(document, release, size)
    if marked != document:
        cluster.put(DEPLOYMENT, marked)


def _restored(cluster: Writes, release: Release, name: str) -> Document | None:
    try:
        return cluster.get(DEPLOYMENT, name)
    except Missing:
        kept = release.kept.get(f"Deployment {name}")
        return cluster.create(DEPLOYMENT, json.loads(kept)) if kept else None


def _restore_subset(cluster: Writes, release: Release) -> bool:
    changed = False
    for what, text in release.kept.items():
        kind, _, name = what.partition(" ")
        if kind != DESTINATION_RULE.name:
            continue
        rule, subset = cluster.get(DESTINATION_RULE, name), json.loads(text)
        if subset_named([rule], subset["name"]) is None:
            edited = copy.deepcopy(rule)
            edited["spec"]["subsets"] = [*subsets(edited), subset]
            cluster.put(DESTINATION_RULE, edited)
            changed = True
            log.info("release=%s subset %s is back in %s", release.id, subset["name"], full_name(rule))
    return changed


def _marked(document: Document, release: Release, size: int) -> Document:
    known = annotations_of(document).get(WARMED)
    if known == release.id and wanted(document):
        return document  # scaled up once already: an autoscaler that finds fewer enough is not fought
    edited = copy.deepcopy(document)
    annotate(edited, WARMED, release.id)
    edited["spec"]["replicas"] = max(wanted(document), size)
    return edited
