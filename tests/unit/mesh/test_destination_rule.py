"""Subsets are found, added once and removed exactly."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from bot.mesh.destination_rule import add_subset, free_name, hand_over, ours, remove_added, rules_of, subsets_of
from tests.mesh_documents import Document, a_rule, a_subset

HOST = "reviews.shop.svc.cluster.local"
AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
POOL = {"connectionPool": {"tcp": {"maxConnections": 100}}}


def with_v3(rule: Document, release: str = "reviews-1") -> Document:
    return add_subset(rule, "v3", {"version": "v3"}, "v1", (release, AT))


def test_the_rule_beside_the_route_comes_before_the_one_beside_the_service() -> None:
    beside_service, elsewhere = a_rule(host=HOST), a_rule(host=HOST, namespace="other")
    ingress = a_rule(host=HOST, namespace="ingress")
    found = rules_of([elsewhere, beside_service, ingress, a_rule(host="reviews-extra")], HOST, "ingress")
    assert found == [ingress, beside_service, elsewhere]


def test_subsets_are_found_by_the_label_and_not_by_their_name() -> None:
    rule = a_rule({"name": "stable", "labels": {"color": "blue"}}, {"name": "green", "labels": {"color": "red"}})
    assert subsets_of([rule], "blue", "color") == ["stable"]
    assert subsets_of([rule], "green", "color") == []


def test_a_new_subset_takes_the_traffic_policy_of_its_neighbour() -> None:
    added = with_v3(a_rule(a_subset("v1", trafficPolicy=POOL)))
    assert added["spec"]["subsets"][1] == {"name": "v3", "labels": {"version": "v3"}, "trafficPolicy": POOL}
    assert ours(added)["v3"].at == AT


def test_removing_gives_the_rule_as_it_was() -> None:
    rule = a_rule(a_subset("v1", trafficPolicy=POOL), a_subset("v2"))
    rule["metadata"]["annotations"] = {"team": "shop"}
    assert remove_added(with_v3(rule), "reviews-1") == rule


def test_a_subset_that_somebody_edited_is_left_in_place() -> None:
    rule = with_v3(a_rule())
    rule["spec"]["subsets"][-1]["trafficPolicy"] = POOL
    removed = remove_added(rule, "reviews-1")
    assert removed is not None
    assert [each["name"] for each in removed["spec"]["subsets"]] == ["v1", "v2", "v3"]
    assert "annotations" not in removed["metadata"]


def test_the_subset_of_another_release_is_not_removed() -> None:
    assert remove_added(with_v3(a_rule()), "reviews-2") is None


def test_a_later_release_takes_the_subset_over() -> None:
    rule = hand_over(with_v3(a_rule()), "v3", "reviews-2")
    assert rule is not None
    assert remove_added(rule, "reviews-1") is None
    assert remove_added(rule, "reviews-2") == a_rule()


def test_a_subset_we_did_not_add_is_never_taken_over() -> None:
    assert hand_over(a_rule(), "v2", "reviews-2") is None


def test_a_broken_record_is_read_as_nothing_of_ours() -> None:
    rule = a_rule()
    rule["metadata"]["annotations"] = {"sluice/added-subsets": '{"v2": 3}'}
    assert (ours(rule), remove_added(rule, "reviews-1")) == ({}, None)


def test_a_name_is_made_that_istio_takes_and_nobody_has() -> None:
    rule = a_rule(a_subset("v1"), {"name": "1-2-3", "labels": {"version": "old"}})
    assert free_name([rule], "1.2.3") == "1-2-3-2"
    assert free_name([rule], "V3_beta") == "v3-beta"


def test_the_given_rule_is_never_changed() -> None:
    rule = a_rule()
    before = copy.deepcopy(rule)
    with_v3(rule)
    assert rule == before
