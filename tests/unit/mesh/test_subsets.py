"""The candidate's subset is where the baseline's is: for every caller that has rules of its own."""

from __future__ import annotations

from datetime import timedelta

from bot.mesh.documents import full_name
from bot.mesh.subsets import RuleChange, lost_subset, missing_subset, wait_for_subset
from strategies.reasons import ReasonCode, Refused
from tests.fakes_mesh import START, FakeMesh
from tests.mesh_documents import Document, a_rule, a_subset, a_virtual_service
from tests.unit.mesh.orders import an_order, the_target

HOST = "reviews.shop.svc.cluster.local"
POOL = {"connectionPool": {"tcp": {"maxConnections": 100}}, "outlierDetection": {"consecutive5xxErrors": 7}}


def shop(*rules: Document) -> FakeMesh:
    """The shop with these rules alone."""
    mesh = FakeMesh.shop()
    mesh.delete("DestinationRule", "shop/reviews")
    for rule in rules:
        mesh.put(rule)
    return mesh


def changes(mesh: FakeMesh) -> list[Document]:
    """Every rule as it is written for the release, until nothing is missing."""
    found = []
    while (change := missing_subset(mesh, the_target(), "reviews-1", START)) is not None:
        assert isinstance(change, RuleChange), change
        found.append(mesh.put(change.after))
    return found


def names(rule: Document) -> list[str]:
    return [each["name"] for each in rule["spec"]["subsets"]]


def test_the_subset_goes_into_every_rule_that_serves_the_baseline() -> None:
    callers = a_rule(a_subset("v1"), host=HOST, namespace="web")
    picky = a_rule(a_subset("v1"), name="batch")
    picky["spec"]["workloadSelector"] = {"matchLabels": {"app": "batch"}}
    strangers = a_rule(a_subset("v7"), host=HOST, namespace="old")
    written = changes(shop(a_rule(a_subset("v1")), callers, picky, strangers))
    assert [full_name(each) for each in written] == ["shop/batch", "shop/reviews", "web/reviews"]
    assert all(names(each) == ["v1", "v2"] for each in written)


def test_rules_of_one_namespace_are_read_together() -> None:
    assert changes(shop(a_rule(a_subset("v1")), a_rule(a_subset("v2"), name="more"))) == []


def test_pools_and_outlier_detection_come_along_and_other_subsets_stay() -> None:
    rule = a_rule(a_subset("v0"), a_subset("v1", trafficPolicy=POOL))
    rule["spec"]["trafficPolicy"] = {"tls": {"mode": "ISTIO_MUTUAL"}}
    (written,) = changes(shop(rule))
    assert written["spec"]["subsets"] == [*rule["spec"]["subsets"], a_subset("v2", trafficPolicy=POOL)]
    assert written["spec"]["trafficPolicy"] == rule["spec"]["trafficPolicy"]


def test_a_subset_of_the_name_that_selects_another_version_is_refused() -> None:
    mesh = shop(a_rule(a_subset("v1"), {"name": "v2", "labels": {"version": "v9"}}))
    refused = missing_subset(mesh, the_target(), "reviews-1", START)
    assert isinstance(refused, Refused)
    assert (refused.reason_code, "selects version=v9, not v2" in refused.text) == (ReasonCode.NO_SUBSET, True)


def test_a_route_waits_for_the_rule_that_was_written_last() -> None:
    mesh = shop(a_rule(a_subset("v1"), a_subset("v2")), a_rule(a_subset("v1"), host=HOST, namespace="web"))
    order, propagation = an_order(a_virtual_service()), timedelta(seconds=2)
    assert wait_for_subset(mesh, order, START, propagation) is None
    changes(mesh)
    assert wait_for_subset(mesh, order, START, propagation) == 2.0
    assert wait_for_subset(mesh, order, START + propagation, propagation) == 0.0


def test_where_the_baseline_was_retired_one_rule_with_the_candidate_is_enough() -> None:
    strangers = a_rule(a_subset("v7"), host=HOST, namespace="old")
    order = an_order(a_virtual_service())
    assert lost_subset(shop(a_rule(a_subset("v2")), strangers), [order], START) is None
    assert lost_subset(shop(strangers), [order], START) is not None


def test_a_caller_whose_rule_lost_the_subset_is_named() -> None:
    mesh = shop(a_rule(a_subset("v1"), a_subset("v2")), a_rule(a_subset("v1"), host=HOST, namespace="web"))
    drift = lost_subset(mesh, [an_order(a_virtual_service())], START)
    assert drift is not None
    assert "DestinationRule web/reviews has no subset v2 any more" in drift.difference
