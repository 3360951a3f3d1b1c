"""Deploys a candidate that an image names: its Deployment from the baseline's, with autoscaler and budget."""

from collections.abc import Sequence

from bot.mesh import candidates
from bot.mesh.capacity import autoscaler_of
from bot.mesh.cluster import Writes
from bot.mesh.documents import Document, full_name, namespace_of
from bot.mesh.kube_api import AUTOSCALER, BUDGET, DEPLOYMENT, Kind
from bot.mesh.kube_errors import Conflict, Missing
from bot.mesh.sizes import created_by, deployment_of, workload
from bot.mesh.view import View
from strategies.reasons import ReasonCode, Refused
from strategies.release import Target


def deploy(view: View, cluster: Writes, release: str, target: Target) -> Refused | None:
    """Create what is missing of the candidate; a repeat finds it. Refused when the baseline is no model for it."""
    name = workload(target, target.candidate)
    if not target.image or name is None:
        return None
    baseline = deployment_of(view, target, target.baseline)
    if baseline is None:
        text = f"{target.baseline} of {target.service} has no Deployment that {target.candidate} could be made from."
        return Refused(ReasonCode.UNKNOWN_VERSION, text)
    label = (target.version_label, target.candidate)
    made = candidates.deployment(baseline, name.partition("/")[2], label, target.image, release)
    if isinstance(made, Refused):
        return made
    scaler = autoscaler_of(view, workload(target, target.baseline) or "")
    owner = _created(cluster, made, beside=[AUTOSCALER] if scaler is not None else [])
    if not created_by(owner):
        text = f"Deployment {name} is there already and is not made by Sluice; leave `image=` out to release it."
        return Refused(ReasonCode.BAD_INPUT, text)
    _beside(cluster, release, target, owner, scaler)
    return None


def _created(cluster: Writes, made: Document, *, beside: Sequence[Kind]) -> Document:
    try:
        return cluster.get(DEPLOYMENT, full_name(made))
    except Missing:
        # A Deployment whose autoscaler may not be made would stand there with whatever size it has.
        needed = [("create", DEPLOYMENT), ("list", BUDGET), ("create", BUDGET)]
        for kind in beside:
            needed += [("get", kind), ("create", kind)]
        cluster.require(needed, namespace_of(made))
        return cluster.create(DEPLOYMENT, made)


def _beside(cluster: Writes, release: str, target: Target, owner: Document, scaler: Document | None) -> None:
    if scaler is not None:
        made = candidates.autoscaler(scaler, owner, release)
        try:
            cluster.get(AUTOSCALER, full_name(made))
        except Missing:
            cluster.create(AUTOSCALER, made)
    label = (target.version_label, target.candidate)
    for each in cluster.list(BUDGET, target.namespace):
        if candidates.selects(each, target.version_label, target.baseline):
            try:
                cluster.create(BUDGET, candidates.budget(each, owner, label, release))
            except Conflict:
                continue
