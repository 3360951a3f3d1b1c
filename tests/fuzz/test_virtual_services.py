"""The editor on VirtualServices of the CRD's own schema."""

import copy
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bot.mesh.choice import choose
from bot.mesh.documents import canonical
from bot.mesh.places import all_places, places_to
from bot.mesh.virtual_service import capture, edit, read_split
from bot.ports import RouteOrder
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Split
from tests.fuzz import effort
from tests.fuzz.mesh_documents import movable_virtual_services, outside, shares, virtual_services
from tests.mesh_documents import Document
from tests.unit.mesh.orders import an_order, back, the_target

HOST = "reviews.shop.svc.cluster.local"
ANNOTATIONS = {"sluice/release", "sluice/revision", "sluice/routes"}


def order_for(document: Document, share: Decimal) -> RouteOrder:
    return an_order(document, Split.between("v1", "v2", share), "ours")


def applied(document: Document, order: RouteOrder) -> Document:
    edited = edit(document, [order])
    assert not isinstance(edited, Refused), edited
    return edited


def our_route(document: Document) -> list[Document]:
    found: list[Document] = next(each for each in document["spec"]["http"] if each.get("name") == "ours")["route"]
    return found


def without_weight(destination: Document) -> str:
    return canonical({name: value for name, value in destination.items() if name != "weight"})


@effort.documents
@given(movable_virtual_services(), shares)
def test_what_is_written_is_read_back(document: Document, share: Decimal) -> None:
    order = order_for(document, share)
    assert read_split(applied(document, order), order.route, order.target, order.original) == order.split


@effort.documents
@given(movable_virtual_services(), shares)
def test_only_weights_and_the_candidates_destination_change(document: Document, share: Decimal) -> None:
    before = canonical(document)
    edited = applied(document, order_for(document, share))
    assert canonical(document) == before
    assert outside(edited) == outside(document)
    kept = [without_weight(each) for each in our_route(document)]
    assert [without_weight(each) for each in our_route(edited)][: len(kept)] == kept
    assert {each["destination"].get("subset") for each in our_route(edited)[len(kept) :]} <= {"v2"}


@effort.documents
@given(movable_virtual_services(), shares)
def test_only_our_own_annotations_are_added(document: Document, share: Decimal) -> None:
    before = document["metadata"].get("annotations", {})
    after = applied(document, order_for(document, share))["metadata"]["annotations"]
    assert {name: after[name] for name in after.keys() - ANNOTATIONS} == before


@effort.documents
@given(movable_virtual_services(), shares)
def test_writing_twice_is_writing_once(document: Document, share: Decimal) -> None:
    order = order_for(document, share)
    once = applied(document, order)
    assert canonical(applied(once, order)) == canonical(once)


@effort.documents
@given(movable_virtual_services(), st.lists(shares, min_size=1, max_size=4))
def test_any_way_there_leads_back_to_the_very_same_document(document: Document, steps: list[Decimal]) -> None:
    current = document
    for share in steps:
        current = applied(current, order_for(document, share))
    assert canonical(applied(current, back(order_for(document, steps[-1])))) == canonical(document)


@effort.documents
@given(virtual_services(), shares)
def test_any_document_is_edited_or_refused_by_name(document: Document, share: Decimal) -> None:
    before = canonical(document)
    chosen = choose([document], HOST)
    for place in places_to(document, HOST) if isinstance(chosen, Refused) else chosen:
        target = the_target(place.route.name, routes=(place.route,))
        original = capture(document, place.route, target)
        order = RouteOrder("reviews-1", 2, place.route, target, Split.between("v1", "v2", share), "")
        if isinstance(original, Refused):
            assert original.reason_code in ReasonCode
            assert original.text
            result = edit(document, [order])
            assert isinstance(result, Refused | dict)
        else:
            assert read_split(applied(document, order), place.route, target) == order.split
    assert canonical(document) == before
    assert not isinstance(chosen, Refused) or (chosen.reason_code in ReasonCode and chosen.text)


@effort.documents
@given(movable_virtual_services(), virtual_services(), shares)
def test_a_rollback_after_somebody_rewrote_the_rest_keeps_their_rewrite(
    document: Document, stranger: Document, share: Decimal
) -> None:
    order = order_for(document, share)
    written = applied(document, order)
    ours = next(each for each in written["spec"]["http"] if each.get("name") == "ours")
    others = [each for each in stranger["spec"]["http"] if each.get("name") != "ours"]
    rewritten = written | {"spec": stranger["spec"] | {"http": [*others, ours]}}
    restored = applied(rewritten, back(order))
    assert outside(restored) == outside(rewritten)
    assert canonical(our_route(restored)) == canonical(our_route(document))


@effort.documents
@given(movable_virtual_services(), shares)
def test_a_rollback_keeps_what_somebody_set_at_a_destination(document: Document, share: Decimal) -> None:
    order = order_for(document, share)
    written, wanted = applied(document, order), copy.deepcopy(document)
    for edited in (written, wanted):
        our_route(edited)[0]["headers"] = {"request": {"set": {"x-by": "hand"}}}
    assert canonical(applied(written, back(order))) == canonical(wanted)


@effort.documents
@given(virtual_services())
def test_every_route_of_a_document_has_one_place(document: Document) -> None:
    places = list(all_places(document))
    listed = [entry for protocol in ("http", "tcp", "tls") for entry in document["spec"].get(protocol, [])]
    assert sorted(canonical(place.entry) for place in places) == sorted(canonical(entry) for entry in listed)
    assert len({place.route.key for place in places}) == len(places)
