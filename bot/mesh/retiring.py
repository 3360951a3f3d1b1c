"""Retires the baseline: its routes' empty destinations, its Deployment, its subset, in this order."""

from collections.abc import Mapping

from bot.errors import Fault
from bot.mesh.cluster import Cluster
from bot.mesh.destination_rule import remove_subset, rules_of
from bot.mesh.documents import Document, full_name
from bot.mesh.kube_api import DEPLOYMENT, DESTINATION_RULE, VIRTUAL_SERVICE
from bot.mesh.kube_errors import Missing
from bot.mesh.retirement import positions_of, users_of, without_baseline
from bot.mesh.view import View
from strategies.release import Decommission, Release, Target


def retire(view: View, cluster: Cluster, release: Release) -> str:
    """Do what the release's rules say with every baseline; a repeat finds less to do and does the rest.

    Raises Fault when another route still names the baseline's subset.
    """
    match release.rules.decommission:
        case Decommission.KEEP:
            return " ".join(f"{target.baseline} of {target.service} was kept." for target in release.targets)
        case Decommission.SCALE_TO_ZERO:
            return " ".join(_scale(view, cluster, release, target) for target in release.targets)
        case Decommission.DELETE:
            return " ".join(_delete(view, cluster, release, target) for target in release.targets)


def _scale(view: View, cluster: Cluster, release: Release, target: Target) -> str:
    _refuse_while_used(view, target, release.originals)
    deployment = _deployment(view, cluster, target)
    if deployment is None:
        return f"{target.baseline} of {target.service} has no Deployment any more."
    cluster.scale_to_zero(full_name(deployment))
    return f"Deployment {full_name(deployment)} was scaled to 0."


def _delete(view: View, cluster: Cluster, release: Release, target: Target) -> str:
    _refuse_while_used(view, target, release.originals)
    for name in target.objects:
        document = cluster.get(VIRTUAL_SERVICE, name)
        edited = without_baseline(document, release, target)
        if edited is not None:
            cluster.put(VIRTUAL_SERVICE, edited)
    told = []
    deployment = _deployment(view, cluster, target)
    if deployment is not None:
        cluster.delete_deployment(deployment)
        told.append(f"Deployment {full_name(deployment)} was deleted")
    subset = target.subsets.get(target.baseline, target.baseline)
    users = list(users_of(view, target.host, subset))
    if users:
        raise Fault(f"Subset {subset} of {target.host} was kept: {', '.join(users)} still names it.")
    for rule in rules_of(view.destination_rules(), target.host, target.routes[0].namespace):
        fresh = cluster.get(DESTINATION_RULE, full_name(rule))
        edited = remove_subset(fresh, subset)
        if edited is not None:
            cluster.put(DESTINATION_RULE, edited)
            told.append(f"subset {subset} was removed from DestinationRule {full_name(rule)}")
    return f"{'; '.join(told)}." if told else f"{target.baseline} of {target.service} was gone already."


def _refuse_while_used(view: View, target: Target, originals: Mapping[str, str]) -> None:
    subset = target.subsets.get(target.baseline, target.baseline)
    others = sorted(set(users_of(view, target.host, subset)) - positions_of(view, target))
    if others:
        raise Fault(
            f"{target.baseline} of {target.service} is still needed: {', '.join(others)} names subset {subset}."
        )


def _deployment(view: View, cluster: Cluster, target: Target) -> Document | None:
    name = target.workloads.get(target.baseline)
    if name is None:
        return None
    try:
        return cluster.get(DEPLOYMENT, f"{target.namespace}/{name}")
    except Missing:
        return None
