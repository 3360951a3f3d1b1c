"""What must be true of a target before its first split."""

from collections.abc import Mapping
from dataclasses import replace

from bot.mesh.documents import Document, full_name
from bot.mesh.marks import marks
from bot.mesh.sizes import deployment_of, wanted
from bot.mesh.view import View
from bot.mesh.virtual_service import capture, edit
from bot.mesh.workloads import ready_by_version, why_not_ready
from bot.ports import RouteOrder
from strategies.plan import Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import Release, Target


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
        order = RouteOrder(release.id, 1, route, target, None, captured)
        refusal = _unwritable(document, release.plan, order)
        if refusal is not None:
            return refusal
        found[route.key] = captured
    return found


def unwritable(view: View, target: Target, plan: Plan) -> Refused | None:
    """Why a stage of the plan cannot be written to a route as it stands now; None when all can."""
    for route in target.routes:
        document = view.virtual_service(f"{route.namespace}/{route.virtual_service}")
        captured = capture(document, route, target) if document is not None else ""
        if isinstance(captured, Refused) or document is None:
            # Preparing says that better: it may be cured by then.
            continue
        refusal = _unwritable(document, plan, RouteOrder("preview-1", 1, route, target, None, captured))
        if refusal is not None:
            return refusal
    return None


def _unwritable(document: Document, plan: Plan, order: RouteOrder) -> Refused | None:
    """Why some stage of the plan cannot be written there: said before the first one, not in the middle."""
    splits = (stage.splits[order.target.service] for stage in plan.stages)
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
    own = deployment_of(view, target, target.candidate) if target.image else None
    if own is not None and ready[target.candidate] < wanted(own):
        text = f"{ready[target.candidate]} of {wanted(own)} pods of {target.candidate} are ready"
        return Refused(ReasonCode.NOT_READY, f"{text}: {why_not_ready(view, target, target.candidate)}")
    return ready


def sizes_of(view: View, target: Target, ready: Mapping[str, int]) -> dict[str, int]:
    """The baseline's pods by Deployment, for bringing it back; nothing where its ready pods cannot be told apart."""
    deployment = deployment_of(view, target, target.baseline)
    if deployment is None or not ready[target.baseline]:
        return {}
    return {full_name(deployment): wanted(deployment)}
