"""Retires the baseline: its routes' empty destinations, its Deployment, its subset, in this order.

What Sluice did not create is scaled down where the profile says so, and never deleted.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

from bot.errors import Transient
from bot.mesh.cluster import Writes
from bot.mesh.destination_rule import remove_subset, rules_of
from bot.mesh.documents import Document, full_name
from bot.mesh.kube_api import DEPLOYMENT, DESTINATION_RULE, VIRTUAL_SERVICE
from bot.mesh.kube_errors import Missing
from bot.mesh.retirement import in_the_way, own_subset, users_of, without_baseline
from bot.mesh.sizes import created_by, deployment_of, wanted, warm_up, workload
from bot.mesh.view import View
from bot.mesh.workloads import pods_of
from bot.ports import Baseline
from strategies.release import Decommission, Release, Target

Still = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Retiring:
    """One retirement: what is read, what writes, and whether it is wanted still."""

    view: View
    cluster: Writes
    release: Release
    is_wanted: Still
    propagation: float = 0.0


def baseline(view: View, release: Release) -> Baseline:
    """What stands in the way of the baselines' end, and the pods that they have; from the cache alone."""
    blocked: list[str] = []
    sizes: dict[str, int] = {}
    times = []
    for target in release.targets:
        blocked += in_the_way(view, release, target)
        document, pods = deployment_of(view, target, target.baseline), pods_of(view, target, target.baseline)
        if document is not None and wanted(document):
            sizes[full_name(document)] = wanted(document)
        taken = warm_up(pods)
        times += [taken] if taken is not None else []
    left = any(pods_of(view, target, target.baseline) for target in release.targets)
    return Baseline(tuple(blocked), sizes, max(times, default=None), is_gone=not sizes and not left)


def retire(work: Retiring) -> str:
    """Do what the release's rules say with every baseline; a repeat finds less to do and does the rest.

    Raises Transient while proxies still have to forget a destination, or when somebody goes back meanwhile.
    """
    match work.release.rules.decommission:
        case Decommission.KEEP:
            targets = work.release.targets
            return " ".join(f"{target.baseline} of {target.service} was kept." for target in targets)
        case Decommission.SCALE_TO_ZERO:
            return " ".join(_scale(work, target) for target in work.release.targets)
        case Decommission.DELETE:
            return " ".join(_delete(work, target) for target in work.release.targets)


def _scale(work: Retiring, target: Target, why: str = "") -> str:
    document = _deployment(work.cluster, target)
    if document is None:
        return f"{target.baseline} of {target.service} has no Deployment any more."
    if wanted(document):
        edited = copy.deepcopy(document)
        edited["spec"]["replicas"] = 0
        # Asked after the read: whoever goes back writes the Deployment first, and this write meets a conflict then.
        _require(work)
        work.cluster.put(DEPLOYMENT, edited)
    return f"Deployment {full_name(document)} was scaled to 0{why}."


def _delete(work: Retiring, target: Target) -> str:
    document = _deployment(work.cluster, target)
    if document is not None and not created_by(document):
        return _scale(work, target, " and kept, because Sluice did not create it; delete it where it is defined")
    if document is not None:
        # Its destination and subset go beside it: none of them before it may go.
        work.cluster.require([("delete", DEPLOYMENT)], target.namespace)
    subset = own_subset(work.view, target)
    if subset is not None:
        _forget_destinations(work, target)
    told = []
    if document is not None:
        _require(work)
        work.cluster.delete(DEPLOYMENT, document)
        told.append(f"Deployment {full_name(document)} was deleted")
    if subset is not None and not any(users_of(work.view, target.host, subset)):
        told += _remove_subset(work, target, subset)
    elif target.subsets.get(target.baseline):
        told.append(f"subset {target.subsets[target.baseline]} was kept, because Sluice did not create it")
    return f"{'; '.join(told)}." if told else f"{target.baseline} of {target.service} was gone already."


def _forget_destinations(work: Retiring, target: Target) -> None:
    changed = False
    for name in target.objects:
        edited = without_baseline(work.cluster.get(VIRTUAL_SERVICE, name), work.release, target)
        if edited is not None:
            _require(work)
            work.cluster.put(VIRTUAL_SERVICE, edited)
            changed = True
    if changed and work.propagation:
        text = f"Proxies forget the destination {target.baseline} before its subset goes."
        raise Transient(text, retry_after=work.propagation)


def _remove_subset(work: Retiring, target: Target, subset: str) -> list[str]:
    told = []
    for rule in rules_of(work.view.destination_rules(), target.host, target.routes[0].namespace):
        edited = remove_subset(work.cluster.get(DESTINATION_RULE, full_name(rule)), subset)
        if edited is not None:
            _require(work)
            work.cluster.put(DESTINATION_RULE, edited)
            told.append(f"subset {subset} was removed from DestinationRule {full_name(rule)}")
    return told


def _require(work: Retiring) -> None:
    if not work.is_wanted():
        raise Transient(f"{work.release.id} does not retire {work.release.target.baseline} any more.")


def _deployment(cluster: Writes, target: Target) -> Document | None:
    name = workload(target, target.baseline)
    try:
        return cluster.get(DEPLOYMENT, name) if name else None
    except Missing:
        return None
