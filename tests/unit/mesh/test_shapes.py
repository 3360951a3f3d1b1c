"""Each shape goes through every stage and back to the letter; outside the targeted routes nothing changes."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.mesh.choice import choose
from bot.mesh.documents import canonical, full_name
from bot.mesh.names import release_of
from bot.mesh.places import Place, locate
from bot.mesh.virtual_service import capture, edit, read_split
from strategies.reasons import Refused
from tests.shapes import SHAPES, Shape, orders

if TYPE_CHECKING:
    from bot.ports import RouteOrder
    from tests.mesh_documents import Document

NAMESPACE = "shop"
EVERY = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)


def services(shape: Shape) -> list[Document]:
    return [each for each in shape.documents() if each["kind"] == "VirtualService"]


def ordered(shape: Shape) -> list[tuple[Document, list[RouteOrder]]]:
    """Each VirtualService with the orders for its routes."""
    documents = services(shape)
    places = choose(documents, f"{shape.service}.{NAMESPACE}.svc.cluster.local", shape.named(NAMESPACE))
    assert not isinstance(places, Refused), places
    target = shape.target(places, NAMESPACE)
    originals: dict[str, str] = {}
    for place in places:
        document = next(each for each in documents if full_name(each) == home(place))
        captured = capture(document, place.route, target)
        assert isinstance(captured, str), captured
        originals[place.route.key] = captured
    every = orders(shape, places, NAMESPACE, originals)
    return [
        (each, [o for o in every if f"{NAMESPACE}/{o.route.virtual_service}" == full_name(each)]) for each in documents
    ]


def home(place: Place) -> str:
    return f"{place.route.namespace}/{place.route.virtual_service}"


def outside(document: Document, orders: list[RouteOrder]) -> str:
    """The spec without what a release may write: its routes' destinations and mirror, and routes of ours."""
    rest = copy.deepcopy(document)
    for order in orders:
        place = locate(rest, order.route, order.target.host, order.original)
        assert place is not None
        for field in ("route", "mirror", "mirrorPercentage"):
            place.entry.pop(field, None)
    if "http" in rest["spec"]:
        rest["spec"]["http"] = [each for each in rest["spec"]["http"] if not release_of(each)]
    return canonical(rest["spec"])


@EVERY
def test_every_stage_is_read_as_it_was_written_and_leaves_the_rest_alone(shape: Shape) -> None:
    for document, wanted in ordered(shape):
        current = document
        for split in shape.splits() if wanted else ():
            edited = edit(current, [replace(order, split=split) for order in wanted])
            assert not isinstance(edited, Refused), edited
            current = edited
            found = [read_split(current, order.route, order.target, order.original) for order in wanted]
            assert found == [split] * len(wanted)
            assert outside(current, wanted) == outside(document, wanted)


@EVERY
def test_from_every_stage_the_way_back_ends_at_the_very_same_document(shape: Shape) -> None:
    for document, wanted in ordered(shape):
        for split in shape.splits() if wanted else ():
            written = edit(document, [replace(order, split=split) for order in wanted])
            assert not isinstance(written, Refused), written
            undone = edit(written, [replace(order, expected=split, force=True) for order in wanted])
            assert not isinstance(undone, Refused), undone
            assert canonical(undone) == canonical(document)


def test_the_root_of_a_delegate_has_no_orders() -> None:
    (root, none), (_, some) = ordered(SHAPES["delegated"])
    assert (root["metadata"]["name"], none, len(some)) == ("front", [], 2)
