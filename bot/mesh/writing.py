"""What to write into one VirtualService, and whether the server kept it."""

import copy
from collections.abc import Sequence

from bot.errors import Fault, Transient
from bot.mesh.documents import Document, full_name
from bot.mesh.drift import find_drift, unwritable
from bot.mesh.marks import mark, marks
from bot.mesh.virtual_service import carries, describe, edit, read_split, wanted_split
from bot.ports import RouteOrder, Written
from strategies.reasons import Refused
from strategies.release import Drift


def next_document(document: Document, orders: Sequence[RouteOrder]) -> Document | Drift | None:
    """The document to send; None when it carries the orders already, Drift when somebody else's edit is in the way.

    Raises Transient when a later revision of the release stands there, Fault when the editor cannot write the order.
    """
    if all(map(is_untouched, orders)):
        return None
    name = full_name(document)
    for order in orders:
        written = marks(document).get(order.release, 0)
        # Nothing comes after a rollback, so none is late: not even of a database that was restored from yesterday.
        if written > order.revision and order.split is not None:
            text = f"VirtualService {name} carries revision {written} of {order.release}, later than {order.revision}."
            raise Transient(text)
    drift = find_drift(document, orders)
    if drift is not None:
        return drift
    if carries(document, orders):
        return None
    edited = edit(document, orders)
    if isinstance(edited, Refused):
        raise Fault(unwritable(edited, name))
    return edited


def is_untouched(order: RouteOrder) -> bool:
    """True when nothing was ever written for the order and nothing shall be: there is nothing to put back."""
    return order.split is None and not order.original


def without(orders: Sequence[RouteOrder], problem: Fault) -> Written:
    """What a deleted object means for its orders: nothing is left to take back, and a split raises the `problem`.

    Without orders nothing is missed: a rollback that ended is asked again until what stands beside its routes is tidy.
    """
    if any(order.split is not None for order in orders):
        raise problem
    return Written("", changed=False, is_gone=not all(map(is_untouched, orders)))


def needs_fence(orders: Sequence[RouteOrder]) -> bool:
    """True for a rollback from before the first confirmed write, which finds the object as it always was.

    Somebody who stalled may hold the first split and the version of the object that stands there still.
    """
    return not all(map(is_untouched, orders)) and all(
        order.split is None and order.expected is None for order in orders
    )


def fenced(document: Document, orders: Sequence[RouteOrder]) -> Document:
    """A copy with our mark alone: it makes the version anew, so that whoever holds the old one comes too late.

    The write after it takes the mark back.
    """
    marked = copy.deepcopy(document)
    for order in orders:
        mark(marked, order.release, order.revision, [order.route])
    return marked


def check_kept(answer: Document, orders: Sequence[RouteOrder]) -> None:
    """Raise Fault when the server's answer carries another split than was sent: something rewrites our fields."""
    for order in orders:
        wanted = wanted_split(order)
        kept = read_split(answer, order.route, order.target, order.original)
        if isinstance(wanted, Refused):
            continue
        if kept != wanted:
            stands = kept.text if isinstance(kept, Refused) else describe(kept)
            text = (
                f"VirtualService {full_name(answer)} was written with {describe(wanted)}, but the server kept {stands}"
            )
            raise Fault(f"{text}; an admission webhook or policy rewrites it.")
