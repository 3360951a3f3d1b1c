"""Somebody else's edit is told from our own past, and named."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.errors import Fault, Transient
from bot.mesh.drift import find_drift, last_editor
from bot.mesh.virtual_service import edit
from bot.mesh.writing import check_kept, next_document
from strategies.reasons import Refused
from strategies.release import Drift
from strategies.routing import Split
from tests.mesh_documents import Document, a_destination, a_virtual_service
from tests.unit.mesh.orders import FIVE, an_order

FIFTY = Split.between("v1", "v2", Decimal(50))


def with_weights(*weights: int) -> Document:
    """The document as our first write left it, then edited by hand."""
    written = edit(a_virtual_service(), [an_order(a_virtual_service())])
    assert not isinstance(written, Refused)
    for destination, weight in zip(written["spec"]["http"][0]["route"], weights, strict=True):
        destination["weight"] = weight
    return written


def test_what_we_left_and_what_is_ordered_are_no_drift() -> None:
    order = an_order(a_virtual_service(), FIFTY, expected=FIVE)
    assert find_drift(with_weights(95, 5), [order]) is None
    assert find_drift(with_weights(50, 50), [order]) is None


def test_other_weights_are_drift_with_their_author() -> None:
    document = with_weights(60, 40)
    entry: Document = {"fieldsV1": {"f:spec": {}}}
    document["metadata"]["managedFields"] = [
        {"manager": "argocd", "operation": "Apply", "time": "2026-03-02T09:00:00Z"} | entry,
        {"manager": "kubectl-edit", "operation": "Update", "time": "2026-03-02T09:30:00Z"} | entry,
        {"manager": "sluice", "time": "2026-03-02T09:31:00Z"} | entry,
    ]
    drift = find_drift(document, [an_order(a_virtual_service(), FIFTY, expected=FIVE)])
    assert drift == Drift(
        "shop/reviews",
        'reviews route "main": Sluice left v1 95 %, v2 5 %; now v1 60 %, v2 40 %',
        "kubectl-edit (Update, 2026-03-02 09:30:00 UTC)",
        Split.between("v1", "v2", Decimal(40)),
    )


def test_who_owns_the_routes_is_told_rather_than_who_wrote_another_part_later() -> None:
    document = with_weights(60, 40)
    document["metadata"]["managedFields"] = [
        {"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": {"f:spec": {"f:http": {}}}},
        {"manager": "kubectl-label", "time": "2026-03-02T09:30:00Z", "fieldsV1": {"f:spec": {"f:hosts": {}}}},
    ]
    assert last_editor(document) == "kustomize-controller (Apply)"
    assert last_editor(a_virtual_service()) == "somebody"


def test_all_changed_routes_of_an_object_are_told_together() -> None:
    document = a_virtual_service(*({"name": name, "route": [a_destination()]} for name in ("main", "api")))
    orders = [an_order(document, name="main", expected=FIVE), an_order(document, name="api", expected=FIVE)]
    drift = find_drift(document, [replace(order, split=FIFTY) for order in orders])
    assert drift is not None
    assert [line.partition(":")[0] for line in drift.difference.splitlines()] == [
        'reviews route "main"',
        'reviews route "api"',
    ]
    assert drift.split == Split.between("v1", "v2", Decimal(0))


def test_routes_that_were_changed_apart_have_no_split_to_adopt() -> None:
    document = a_virtual_service(*({"name": name, "route": [a_destination()]} for name in ("main", "api")))
    orders = [an_order(document, name=name, expected=FIVE) for name in ("main", "api")]
    document["spec"]["http"][0]["route"] = [a_destination("v1", 60), a_destination("v2", 40)]
    drift = find_drift(document, orders)
    assert drift is not None
    assert drift.split is None


def test_a_destination_added_by_hand_is_drift_without_a_split() -> None:
    document = with_weights(95, 5)
    document["spec"]["http"][0]["route"] = [a_destination("v1", 90), a_destination("v3", 10)]
    drift = find_drift(document, [an_order(a_virtual_service(), FIFTY, expected=FIVE)])
    assert drift is not None
    assert (drift.split, "subset v3 at 10 %" in drift.difference) == (None, True)


def test_a_route_that_is_gone_is_drift() -> None:
    document = a_virtual_service({"name": "other", "match": [{}], "route": [a_destination()]})
    drift = find_drift(document, [an_order(a_virtual_service(), FIFTY, expected=FIVE)])
    assert drift is not None
    assert 'no http route "main"' in drift.difference


def test_a_weight_of_zero_that_the_server_dropped_is_no_drift() -> None:
    full = Split.between("v1", "v2", Decimal(100))
    document = with_weights(0, 100)
    del document["spec"]["http"][0]["route"][0]["weight"]
    assert find_drift(document, [an_order(a_virtual_service(), full, expected=full)]) is None


def test_force_sees_no_drift() -> None:
    order = an_order(a_virtual_service(), FIFTY, expected=FIVE, force=True)
    assert find_drift(with_weights(60, 40), [order]) is None


def test_an_older_revision_judges_nothing_and_writes_nothing() -> None:
    order = an_order(a_virtual_service(), FIFTY, revision=1, expected=FIVE)
    assert find_drift(with_weights(60, 40), [order]) is None
    with pytest.raises(Transient, match="revision 2 of reviews-1, later than 1"):
        next_document(with_weights(60, 40), [order])


def test_even_force_does_not_overwrite_a_later_revision() -> None:
    order = an_order(a_virtual_service(), FIFTY, revision=1, force=True)
    with pytest.raises(Transient, match="later than 1"):
        next_document(with_weights(95, 5), [order])


def test_an_answer_with_other_weights_is_a_fault() -> None:
    order = an_order(a_virtual_service())
    check_kept(with_weights(95, 5), [order])
    with pytest.raises(Fault, match="the server kept v1 90 %, v2 10 %"):
        check_kept(with_weights(90, 10), [order])


def test_an_order_that_cannot_be_written_is_a_fault() -> None:
    order = replace(an_order(a_virtual_service(), force=True), original="")
    document = a_virtual_service({"name": "other", "route": [a_destination(host="ratings")]})
    with pytest.raises(Fault, match="NO_ROUTE"):
        next_document(document, [order])
