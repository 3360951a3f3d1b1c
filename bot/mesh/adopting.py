"""Makes and takes back what an adoption needs: one write per object, in the order in which proxies must learn of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff

from bot.errors import Transient
from bot.mesh.adoption import Change, adoption, fingerprint, undoing
from bot.mesh.cluster import Writes
from bot.mesh.documents import Document, canonical
from bot.mesh.kube_api import Kind
from bot.mesh.kube_errors import Missing
from bot.mesh.preview import as_yaml, readable
from bot.mesh.view import View
from bot.ports import Adoption
from bot.surveys import SurveyRequest
from strategies.reasons import ReasonCode, Refused


@dataclass(frozen=True, slots=True)
class Order:
    """What a person confirmed: the changes of this fingerprint."""

    request: SurveyRequest
    fingerprint: str
    is_undo: bool


def shown(view: View, request: SurveyRequest, now: datetime, *, is_undo: bool) -> Adoption | Refused:
    """The changes as people read them."""
    found = _found(view, request, now, is_undo=is_undo)
    if isinstance(found, Refused):
        return found
    version, changes = found
    objects = tuple(f"{change.kind.name} {change.name}" for change in changes)
    diff = "".join(_diff(change) for change in changes)
    return Adoption(request.service, version, objects, diff, fingerprint(changes), is_undo)


def done(view: View, cluster: Writes, order: Order, now: datetime, propagation: float) -> str | Refused:
    """Make the changes that were confirmed; refused when others would be made by now."""
    found = _found(view, order.request, now, is_undo=order.is_undo)
    if isinstance(found, Refused):
        return found
    if fingerprint(found[1]) != order.fingerprint:
        text = f"What is there changed since you were asked; ask again: adopt {order.request.service}."
        return Refused(ReasonCode.STALE_REVISION, text)
    return apply(cluster, found[1], propagation)


def _found(
    view: View, request: SurveyRequest, now: datetime, *, is_undo: bool
) -> tuple[str, tuple[Change, ...]] | Refused:
    if not is_undo:
        return adoption(view, request, now)
    changes = undoing(view, request)
    return changes if isinstance(changes, Refused) else ("", changes)


def _diff(change: Change) -> str:
    before, after = (_lines(each) for each in (change.before, change.after))
    here, there = f"{change.kind.name} {change.name} now", f"{change.kind.name} {change.name} then"
    return "".join(unified_diff(before, after, fromfile=here, tofile=there))


def _lines(document: Document | None) -> list[str]:
    return as_yaml(readable(document)).splitlines(keepends=True) if document is not None else []


def apply(cluster: Writes, changes: Sequence[Change], propagation: float) -> str:
    """Do the changes in their order; says what was done. Raises Transient when an object changed since it was shown."""
    for namespace, wanted in _needed(changes).items():
        cluster.require(wanted, namespace)
    told = []
    for number, change in enumerate(changes):
        if number and changes[number - 1].kind is not change.kind:
            # A subset is known to proxies before a route names it, and forgotten by routes before it goes.
            time.sleep(propagation)
        told.append(_applied(cluster, change))
    return f"{'; '.join(told)}."


def _needed(changes: Sequence[Change]) -> dict[str, list[tuple[str, Kind]]]:
    """The verbs that the changes take, by namespace."""
    needed: dict[str, list[tuple[str, Kind]]] = {}
    for change in changes:
        verb = "create" if change.before is None else "delete" if change.after is None else "update"
        needed.setdefault(change.name.partition("/")[0], []).append((verb, change.kind))
    return needed


def _applied(cluster: Writes, change: Change) -> str:
    what = f"{change.kind.name} {change.name}"
    if change.before is None:
        cluster.create(change.kind, change.after or {})
        return f"{what} was created"
    try:
        present = cluster.get(change.kind, change.name)
    except Missing:
        if change.after is None:
            return f"{what} was gone already"
        raise
    if canonical(present["spec"]) != canonical(change.before["spec"]):
        raise Transient(f"{what} was changed meanwhile; ask again to see what is there now.")
    if change.after is None:
        cluster.delete(change.kind, present)
        return f"{what} was deleted"
    fresh = {**change.after, "metadata": {**change.after["metadata"]}}
    fresh["metadata"]["resourceVersion"] = present["metadata"]["resourceVersion"]
    cluster.put(change.kind, fresh)
    return f"{what} was changed"
