"""Splits are written into the targeted fields and taken out again; nothing else moves."""

from __future__ import annotations

import copy
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.mesh.marks import marks
from bot.mesh.virtual_service import capture, carries, edit, read_split
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Split
from tests.mesh_documents import Document, a_destination, a_virtual_service
from tests.unit.mesh.orders import an_order, back, the_target


def edited(document: Document, *orders: object) -> Document:
    result = edit(document, orders)  # type: ignore[arg-type]  # the orders of this module
    assert not isinstance(result, Refused), result
    return result


def weights(document: Document, index: int = 0) -> list[int | None]:
    return [each.get("weight") for each in document["spec"]["http"][index]["route"]]


def code(result: object) -> ReasonCode:
    assert isinstance(result, Refused)
    return result.reason_code


@pytest.mark.parametrize("version", ["v1alpha3", "v1beta1", "v1"])
def test_the_api_version_is_kept(version: str) -> None:
    document = a_virtual_service(version=version)
    assert edited(document, an_order(document))["apiVersion"] == f"networking.istio.io/{version}"


def test_a_lone_destination_without_weight_gets_a_neighbour_and_loses_it_again() -> None:
    document = a_virtual_service()
    order = an_order(document)
    written = edited(document, order)
    assert weights(written) == [95, 5]
    assert edited(written, back(order)) == document


def test_the_new_destination_is_a_copy_of_the_baselines() -> None:
    headers = {"response": {"add": {"x-from": "reviews"}}}
    lone = a_destination(headers=headers)
    lone["destination"]["port"] = {"number": 9080}
    document = a_virtual_service({"name": "main", "match": [{"uri": {"prefix": "/"}}], "route": [lone]})
    new = edited(document, an_order(document))["spec"]["http"][0]["route"][1]
    assert new["headers"] == headers
    assert new["destination"] == {
        "host": "reviews",
        "subset": "v2",
        "port": {"number": 9080},
    }


def test_a_candidate_at_zero_stays_at_zero_after_rollback() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination("v1", 100), a_destination("v2", 0)]})
    order = an_order(document)
    written = edited(document, order)
    assert weights(written) == [95, 5]
    assert edited(written, back(order)) == document


@pytest.mark.parametrize(
    ("share", "expected"),
    [("5", [95, 5]), ("0.5", [995, 5]), ("12.5", [875, 125]), ("0.01", [9999, 1])],
)
def test_weights_are_scaled_only_when_needed(share: str, expected: list[int]) -> None:
    document = a_virtual_service()
    split = Split.between("v1", "v2", Decimal(share))
    order = an_order(document, split)
    written = edited(document, order)
    assert weights(written) == expected
    assert read_split(written, order.route, order.target) == split


def test_a_scaled_sum_is_refused_where_we_left_no_mark() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination("v1", 995), a_destination("v2", 5)]})
    assert code(read_split(document, the_target().routes[0], the_target())) is ReasonCode.WEIGHTS_SUM


@pytest.mark.parametrize("pair", [(90, 5), (None, None), (0, 0), ("90", "10"), (True, 99), (-10, 110)])
def test_any_other_sum_than_100_is_refused(pair: tuple[object, object]) -> None:
    route = [
        a_destination("v1") | {"weight": pair[0]},
        a_destination("v2") | {"weight": pair[1]},
    ]
    document = a_virtual_service({"name": "main", "route": route})
    assert code(read_split(document, the_target().routes[0], the_target())) is ReasonCode.WEIGHTS_SUM


def test_a_third_version_with_a_share_is_foreign() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination("v1", 90), a_destination("v3", 10)]})
    assert code(capture(document, the_target().routes[0], the_target())) is ReasonCode.FOREIGN_DESTINATION


def test_a_third_version_at_zero_is_left_alone() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination("v0", 0), a_destination("v1", 100)]})
    order = an_order(document)
    written = edited(document, order)
    assert weights(written) == [0, 95, 5]
    assert edited(written, back(order)) == document


def test_a_destination_of_another_host_is_foreign() -> None:
    route = [a_destination("v1", 90), a_destination("v1", 10, host="reviews-extra")]
    document = a_virtual_service({"name": "main", "route": route})
    assert code(capture(document, the_target().routes[0], the_target())) is ReasonCode.FOREIGN_DESTINATION


def test_a_destination_without_subset_is_refused() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination(None)]})
    assert code(capture(document, the_target().routes[0], the_target())) is ReasonCode.NO_SUBSET


def test_a_baseline_that_shares_already_is_refused() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination("v1", 90), a_destination("v2", 10)]})
    assert code(capture(document, the_target().routes[0], the_target())) is ReasonCode.BASELINE_NOT_FULL


def test_an_object_of_another_controller_is_refused() -> None:
    document = a_virtual_service()
    document["metadata"]["ownerReferences"] = [{"kind": "Rollout", "name": "reviews", "controller": True}]
    assert code(capture(document, the_target().routes[0], the_target())) is ReasonCode.FOREIGN_OWNER


def test_a_subset_may_be_called_otherwise_than_its_version() -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination("blue")]})
    target = the_target(subsets={"v1": "blue", "v2": "green"}, version_label="color")
    written = edited(document, an_order(document, target=target))
    assert [each["destination"]["subset"] for each in written["spec"]["http"][0]["route"]] == ["blue", "green"]


@pytest.mark.parametrize("host", ["reviews", "reviews.shop.svc.cluster.local"])
def test_short_and_full_hosts_are_the_same_service(host: str) -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination(host=host)]})
    assert weights(edited(document, an_order(document))) == [95, 5]


@pytest.mark.parametrize(
    "host",
    ["reviews-extra", "reviews.other.svc.cluster.local", "reviews.shop", "review"],
)
def test_a_host_that_only_looks_alike_is_another_service(host: str) -> None:
    document = a_virtual_service({"name": "main", "route": [a_destination(host=host)]})
    assert code(capture(document, the_target().routes[0], the_target())) is ReasonCode.FOREIGN_DESTINATION


def test_only_the_named_route_of_several_is_written() -> None:
    other = {
        "name": "beta",
        "match": [{"headers": {"x-beta": {"exact": "yes"}}}],
        "route": [a_destination("v2")],
    }
    document = a_virtual_service(other, {"name": "main", "route": [a_destination()]})
    written = edited(document, an_order(document))
    assert (weights(written, 0), weights(written, 1)) == ([None], [95, 5])


def test_a_nameless_route_is_found_again_behind_an_inserted_one() -> None:
    document = a_virtual_service({"match": [{"uri": {"prefix": "/"}}], "route": [a_destination()]})
    order = an_order(document, name="#0")
    written = edited(document, order)
    inserted = {
        "match": [{"headers": {"x-beta": {"exact": "yes"}}}],
        "route": [a_destination("v2")],
    }
    written["spec"]["http"].insert(0, inserted)
    restored = edited(written, back(order))
    assert restored["spec"]["http"] == [inserted, document["spec"]["http"][0]]


def test_a_stranger_added_by_hand_keeps_its_place_but_no_share_after_a_rollback() -> None:
    document = a_virtual_service()
    order = an_order(document)
    written = edited(document, order)
    written["spec"]["http"][0]["route"].append(a_destination("v3", 10))
    restored = edited(written, back(order))["spec"]["http"][0]["route"]
    assert restored == [a_destination("v1", 100), a_destination("v3", 0)]


def test_the_marks_come_and_go_without_touching_other_metadata() -> None:
    document = a_virtual_service()
    document["metadata"]["annotations"] = {"team": "shop"}
    order = an_order(document)
    written = edited(document, order)
    ours = {"sluice/release": "reviews-1", "sluice/revision": "2", "sluice/routes": '{"reviews-1":["http/main"]}'}
    assert written["metadata"]["annotations"] == {"team": "shop"} | ours
    assert edited(written, back(order))["metadata"] == document["metadata"]


def test_two_releases_mark_one_object_side_by_side() -> None:
    beta = {
        "name": "beta",
        "match": [{"uri": {"prefix": "/beta"}}],
        "route": [a_destination()],
    }
    document = a_virtual_service(beta, {"name": "main", "route": [a_destination()]})
    first, second = (
        an_order(document),
        an_order(document, name="beta", release="ratings-3", revision=7),
    )
    both = edited(edited(document, first), second)
    assert both["metadata"]["annotations"]["sluice/release"] == "ratings-3,reviews-1"
    assert both["metadata"]["annotations"]["sluice/revision"] == "7,2"
    assert edited(edited(both, back(first)), back(second)) == document


def test_two_releases_of_one_service_keep_their_marks_on_their_own_routes() -> None:
    beta = {"name": "beta", "match": [{"uri": {"prefix": "/beta"}}], "route": [a_destination()]}
    document = a_virtual_service(beta, {"name": "main", "route": [a_destination()]})
    first, second = an_order(document), an_order(document, name="beta", release="reviews-2", revision=7)
    both = edited(edited(document, first), second)
    assert marks(both) == {"reviews-1": 2, "reviews-2": 7}
    assert marks(edited(both, replace(first, revision=3))) == {"reviews-1": 3, "reviews-2": 7}
    assert edited(edited(both, back(first)), back(second)) == document


@pytest.mark.parametrize("damaged", ["{", "[]", '{"reviews-1": 3}', ""])
def test_a_damaged_record_of_routes_gives_way_to_the_next_release(damaged: str) -> None:
    document = a_virtual_service()
    written = edited(document, an_order(document))
    written["metadata"]["annotations"]["sluice/routes"] = damaged
    again = edited(written, replace(an_order(document), release="reviews-2"))
    assert marks(again) == {"reviews-2": 2}
    assert edited(again, replace(back(an_order(document)), release="reviews-2")) == document


def test_a_new_release_takes_over_the_mark_of_the_one_before() -> None:
    document = a_virtual_service()
    promoted = edited(document, an_order(document, Split.between("v1", "v2", Decimal(100))))
    target = the_target(baseline="v2", candidate="v1")
    split = Split.between("v2", "v1", Decimal(5))
    following = edited(promoted, an_order(promoted, split, release="reviews-2", target=target))
    assert following["metadata"]["annotations"]["sluice/release"] == "reviews-2"


def test_an_order_that_stands_already_is_recognised() -> None:
    document = a_virtual_service()
    order = an_order(document)
    written = edited(document, order)
    assert carries(written, [order])
    assert not carries(document, [order])
    assert not carries(written, [back(order)])


def test_the_given_document_is_never_changed() -> None:
    document = a_virtual_service()
    before = copy.deepcopy(document)
    edited(document, an_order(document))
    assert document == before
