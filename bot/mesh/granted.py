"""What a release will ask of the cluster beside its routes: looked at before the first write, not missed later."""

from bot.mesh.capacity import autoscaler_of
from bot.mesh.kube_api import AUTOSCALER, BUDGET, DEPLOYMENT, Kind
from bot.mesh.sizes import workload
from bot.mesh.view import View
from strategies.release import Decommission, Release, Target


def needed(view: View, release: Release, target: Target) -> list[tuple[str, Kind]]:
    """The verbs of the role for workloads that the release's rules take in the target's namespace."""
    rules, verbs = release.rules, list[tuple[str, Kind]]()
    if rules.scale or rules.decommission is not Decommission.KEEP:
        verbs += [("get", DEPLOYMENT), ("update", DEPLOYMENT)]
    sized = (workload(target, version) for version in (target.baseline, target.candidate))
    if rules.scale and any(autoscaler_of(view, name) for name in sized if name):
        verbs += [("get", AUTOSCALER), ("update", AUTOSCALER)]
    if rules.decommission is Decommission.DELETE:
        verbs += [("delete", DEPLOYMENT), ("list", BUDGET)]
    return verbs
