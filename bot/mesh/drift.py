"""Somebody else's edit of our fields, told from our own past."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.mesh.documents import Document, full_name
from bot.mesh.marks import marks
from bot.mesh.virtual_service import describe, expected_split, read_split, wanted_split
from bot.ports import RouteOrder
from strategies.reasons import Refused
from strategies.release import Drift
from strategies.routing import Protocol, Split

FIELD_MANAGER = "sluice"


def find_drift(document: Document, orders: Sequence[RouteOrder]) -> Drift | None:
    """What is neither as we left it nor as it should become, of all the orders' routes together.

    The drift has a split, which can be adopted, when every changed route of one service carries the same.
    """
    found = [(order, drift) for order in orders if not order.force and (drift := _drift(document, order)) is not None]
    if not found:
        return None
    first = found[0][1]
    is_one = all(drift.split == first.split for _, drift in found) and len({o.target.service for o, _ in found}) == 1
    difference = "\n".join(drift.difference for _, drift in found)
    return replace(first, difference=difference, split=first.split if is_one else None)


def gone(name: str) -> Drift:
    """The drift of a VirtualService that somebody deleted."""
    return Drift(name, f"VirtualService {name} was deleted.", "somebody", None)


def _drift(document: Document, order: RouteOrder) -> Drift | None:
    # A later revision of ours stands there already; the caller's order is out of date and judges nothing.
    if marks(document).get(order.release, 0) > order.revision:
        return None
    present = read_split(document, order.route, order.target, order.original)
    expected = expected_split(order)
    if isinstance(present, Split) and present in (expected, wanted_split(order), *order.earlier):
        return None
    left = describe(expected) if isinstance(expected, Split) else expected.text
    stands = describe(present) if isinstance(present, Split) else present.text
    protocol = "" if order.route.protocol is Protocol.HTTP else f"{order.route.protocol} "
    text = f'{order.route.virtual_service} {protocol}route "{order.route.name}": Sluice left {left}; now {stands}'
    split = present if isinstance(present, Split) else None
    return Drift(full_name(document), text, last_editor(document), split)


def last_editor(document: Mapping[str, Any]) -> str:
    """Who wrote the routes last and is not us, how and when: `kubectl-edit (Update, 2026-03-02 09:30:00 UTC)`.

    The object's own account tells field managers, not people; `somebody` when it does not tell.
    """
    entries = [
        entry
        for entry in (document.get("metadata") or {}).get("managedFields") or []
        if entry.get("manager") != FIELD_MANAGER and "f:spec" in (entry.get("fieldsV1") or {})
    ]
    # Whoever owns a list of routes wrote it; another part of the spec is the second best trace.
    owners = [entry for entry in entries if any(f"f:{each}" in entry["fieldsV1"]["f:spec"] for each in Protocol)]
    latest = max(owners or entries, key=lambda entry: str(entry.get("time") or ""), default=None)
    if latest is None:
        return "somebody"
    how = [str(latest.get("operation") or ""), _moment(str(latest.get("time") or ""))]
    told = ", ".join(each for each in how if each)
    return f"{latest.get('manager')} ({told})" if told else str(latest.get("manager"))


def _moment(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return ""


def unwritable(refused: Refused, name: str) -> str:
    """The sentence of a fault: an order that the editor cannot write."""
    return f"VirtualService {name} cannot be written: {refused.text} ({refused.reason_code})"
