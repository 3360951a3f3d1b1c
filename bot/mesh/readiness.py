"""What must be true of a target before its first split, and which subset is still missing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.mesh.destination_rule import add_subset, hand_over, ours, rules_of, subset_named
from bot.mesh.documents import Document, controller_of, full_name
from bot.mesh.marks import marks
from bot.mesh.sizes import deployment_of, wanted
from bot.mesh.view import View
from bot.mesh.virtual_service import capture, edit
from bot.mesh.workloads import ready_by_version, why_not_ready
from bot.ports import RouteOrder
from strategies.reasons import ReasonCode, Refused
from strategies.release import Release, Target


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A DestinationRule as it stands and as the release needs it."""

    before: Document
    after: Document


def originals(view: View, release: Release, target: Target) -> dict[str, str] | Refused:
    """Each targeted route's original fields; those captured earlier win over what our own writes left behind."""
    found: dict[str, str] = {}
    for route in target.routes:
        name = f"{route.namespace}/{route.virtual_service}"
        document = view.virtual_service(name)
        if document is None:
            return Refused(ReasonCode.NO_ROUTE, f"There is no VirtualService {name} any more.")
        if release.id in marks(document) and route.key in release.originals:
            found[route.key] = release.originals[route.key]
            continue
        captured = capture(document, route, target)
        if isinstance(captured, Refused):
            return captured
        refusal = _unwritable(document, release, target, RouteOrder(release.id, 1, route, target, None, captured))
        if refusal is not None:
            return refusal
        found[route.key] = captured
    return found


def _unwritable(document: Document, release: Release, target: Target, order: RouteOrder) -> Refused | None:
    """Why some stage of the plan cannot be written there: said before the first one, not in the middle."""
    splits = (stage.splits[target.service] for stage in release.plan.stages)
    tried = (
        edit(document, [replace(order, split=split)])
        for split in splits
        if split.matches or split.mirror or split.sticky
    )
    return next((each for each in tried if isinstance(each, Refused)), None)


def readiness(view: View, target: Target) -> Mapping[str, int] | Refused:
    """Ready pods by version; refused with NOT_READY and the cause while the candidate has none."""
    ready = ready_by_version(view, target)
    if not ready[target.candidate]:
        return Refused(ReasonCode.NOT_READY, why_not_ready(view, target, target.candidate))
    return ready


def sizes_of(view: View, target: Target, ready: Mapping[str, int]) -> dict[str, int]:
    """The baseline's pods by Deployment, for bringing it back; nothing where its ready pods cannot be told apart."""
    deployment = deployment_of(view, target, target.baseline)
    if deployment is None or not ready[target.baseline]:
        return {}
    return {full_name(deployment): wanted(deployment)}


def missing_subset(view: View, target: Target, release: str, now: datetime) -> RuleChange | Refused | None:
    """The rule with the candidate's subset added (or taken over from an earlier release); None when all is there."""
    rules = rules_of(view.destination_rules(), target.host, target.routes[0].namespace)
    name = target.subsets[target.candidate]
    present = subset_named(rules, name)
    if present is not None:
        after = hand_over(present[0], name, release)
        return RuleChange(present[0], after) if after is not None else None
    beside = subset_named(rules, target.subsets[target.baseline])
    if beside is None:
        text = f"No DestinationRule of {target.host} has the subset {target.subsets[target.baseline]}."
        return Refused(ReasonCode.NO_SUBSET, text)
    rule, neighbour = beside
    owner = controller_of(rule)
    if owner is not None:
        text = f"DestinationRule {full_name(rule)} belongs to {owner}; add the subset {name} there."
        return Refused(ReasonCode.FOREIGN_OWNER, text)
    labels = {target.version_label: target.candidate}
    after = add_subset(rule, name, labels, str(neighbour["name"]), (release, now))
    return RuleChange(rule, after)


def wait_for_subset(view: View, order: RouteOrder, now: datetime, propagation: timedelta) -> float | None:
    """Seconds until proxies know the candidate's subset: 0 when they do, None when no rule has it."""
    target = order.target
    if order.split is None or not order.split.reaches(target.candidate):
        return 0.0
    rules = rules_of(view.destination_rules(), target.host, order.route.namespace)
    present = subset_named(rules, target.subsets.get(target.candidate, target.candidate))
    if present is None:
        return None
    added = ours(present[0]).get(str(present[1]["name"]))
    if added is None:
        return 0.0
    return max(0.0, (added.at + propagation - now).total_seconds())
