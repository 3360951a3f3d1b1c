"""Properties of the editor over generated documents, splits and strangers' edits."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from bot.mesh.documents import canonical
from bot.mesh.virtual_service import edit, read_split
from strategies.reasons import Refused
from strategies.routing import Split
from tests.mesh_documents import Document, a_destination, a_virtual_service
from tests.unit.mesh.orders import an_order, back

if TYPE_CHECKING:
    from bot.ports import RouteOrder

shares = st.integers(0, 10_000).map(lambda hundredths: Decimal(hundredths) / 100)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)
extras = st.dictionaries(
    st.sampled_from(["timeout", "retries", "fault", "corsPolicy", "headers", "rewrite"]),
    values,
)
beginnings = st.sampled_from(
    [
        [a_destination("v1")],
        [a_destination("v1", 100)],
        [a_destination("v1", 100), a_destination("v2", 0)],
        [a_destination("v2", 0), a_destination("v1", 100)],
        [a_destination("v0", 0), a_destination("v1", 100)],
        [
            a_destination(
                "v1",
                host="reviews.shop.svc.cluster.local",
                headers={"request": {"set": {"a": "b"}}},
            )
        ],
    ]
)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A VirtualService with our route among others, all of them with fields we know nothing of."""
    main: Document = {"name": "main", "route": copy.deepcopy(draw(beginnings))} | draw(extras)
    others: list[Document] = draw(st.lists(extras.map(lambda more: {"redirect": {"uri": "/"}} | more), max_size=2))
    others.insert(draw(st.integers(0, len(others))), main)
    document = a_virtual_service(*others, version=draw(st.sampled_from(["v1alpha3", "v1beta1", "v1"])))
    document["spec"] |= draw(st.dictionaries(st.sampled_from(["gateways", "exportTo"]), values))
    return document


def applied(document: Document, order: RouteOrder) -> Document:
    result = edit(document, [order])
    assert not isinstance(result, Refused)
    return result


def without_ours(document: Document) -> str:
    rest: dict[str, Any] = copy.deepcopy(document)
    for route in rest["spec"]["http"]:
        route.pop("route", None)
    rest["metadata"].pop("annotations", None)
    return canonical(rest)


@given(documents(), shares)
def test_what_was_written_is_read_and_the_rest_is_untouched(document: Document, share: Decimal) -> None:
    split = Split.between("v1", "v2", share)
    order = an_order(document, split)
    written = applied(document, order)
    assert read_split(written, order.route, order.target, order.original) == split
    assert without_ours(written) == without_ours(document)


@given(documents(), shares)
def test_writing_twice_is_writing_once(document: Document, share: Decimal) -> None:
    order = an_order(document, Split.between("v1", "v2", share))
    written = applied(document, order)
    assert applied(written, order) == written


@given(documents(), st.lists(shares, min_size=1, max_size=4))
def test_putting_back_gives_the_document_as_it_was(document: Document, steps: list[Decimal]) -> None:
    order = an_order(document)
    current = document
    for share in steps:
        current = applied(current, an_order(document, Split.between("v1", "v2", share)))
    restored = applied(current, back(order))
    assert canonical(restored) == canonical(document)


@given(
    documents(),
    shares,
    st.dictionaries(st.sampled_from(["timeout", "mirror", "fault"]), values, min_size=1),
)
def test_a_strangers_edit_between_writing_and_putting_back_survives(
    document: Document, share: Decimal, edit_of_somebody: dict[str, Any]
) -> None:
    order = an_order(document, Split.between("v1", "v2", share))
    written = applied(document, order)
    index = next(i for i, route in enumerate(written["spec"]["http"]) if route.get("name") == "main")
    written["spec"]["http"][index] |= edit_of_somebody
    expected = copy.deepcopy(document)
    expected["spec"]["http"][index] |= edit_of_somebody
    assert canonical(applied(written, back(order))) == canonical(expected)
