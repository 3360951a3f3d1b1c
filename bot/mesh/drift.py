"""Somebody else's edit of our fields, told from our own past."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.mesh.documents import Document, full_name
from bot.mesh.marks import marks
from bot.mesh.virtual_service import describe, expected_split, read_split, wanted_split
from bot.ports import RouteOrder
from strategies.reasons import Refused
from strategies.release import Drift
from strategies.routing import Split

FIELD_MANAGER = "sluice"


def find_drift(document: Document, orders: Sequence[RouteOrder]) -> Drift | None:
    """The first order whose fields are neither as we left them nor as they should become."""
    for order in orders:
        drift = None if order.force else _drift(document, order)
        if drift is not None:
            return drift
    return None


def gone(name: str) -> Drift:
    """The drift of a VirtualService that somebody deleted."""
    return Drift(name, f"VirtualService {name} was deleted.", "somebody", None)


def _drift(document: Document, order: RouteOrder) -> Drift | None:
    # A later revision of ours stands there already; the caller's order is out of date and judges nothing.
    if marks(document).get(order.release, 0) > order.revision:
        return None
    present = read_split(document, order.route, order.target, order.original)
    expected = expected_split(order)
    if isinstance(present, Split) and present in (expected, wanted_split(order)):
        return None
    left = describe(expected) if isinstance(expected, Split) else expected.text
    stands = describe(present) if isinstance(present, Split) else present.text
    text = f'{order.route.virtual_service} route "{order.route.name}": Sluice left {left}; now {stands}'
    split = present if isinstance(present, Split) else None
    return Drift(full_name(document), text, last_editor(document), split)


def last_editor(document: Mapping[str, Any]) -> str:
    """The field manager that wrote the spec last and is not us; `somebody` when the object does not tell."""
    entries = [
        entry
        for entry in (document.get("metadata") or {}).get("managedFields") or []
        if entry.get("manager") != FIELD_MANAGER and "f:spec" in (entry.get("fieldsV1") or {})
    ]
    latest = max(entries, key=lambda entry: str(entry.get("time") or ""), default=None)
    return str(latest.get("manager")) if latest else "somebody"


def unwritable(refused: Refused, name: str) -> str:
    """The sentence of a fault: an order that the editor cannot write."""
    return f"VirtualService {name} cannot be written: {refused.text} ({refused.reason_code})"
