"""Dry runs, field validation, and what the definitions of Istio prune and refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.kubernetes.cluster import MERGE, Cluster
from tests.contract.kubernetes.documents import config_map, deployment, destination_rule, virtual_service


def test_a_dry_run_answers_and_stores_nothing(cluster: Cluster, virtual_services: str) -> None:
    answer = cluster.ask("POST", virtual_services, virtual_service(), dryRun="All")
    assert answer.code == 201
    assert "resourceVersion" not in answer.body["metadata"]
    assert cluster.ask("GET", f"{virtual_services}/reviews").code == 404


def test_a_dry_run_of_a_change_leaves_the_object(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    created = cluster.create(virtual_services, virtual_service())
    tried = cluster.patch(one, {"spec": {"gateways": ["mesh"]}}, dryRun="All")
    assert tried["spec"]["gateways"] == ["mesh"]
    assert cluster.get(one) == created


def test_a_dry_run_refuses_what_the_write_would(cluster: Cluster, config_maps: str) -> None:
    cluster.create(config_maps, config_map("a"))
    assert cluster.ask("POST", config_maps, config_map("a"), dryRun="All").reason == "AlreadyExists"


def test_a_dry_run_of_a_deletion_deletes_nothing(cluster: Cluster, config_maps: str) -> None:
    cluster.create(config_maps, config_map("a"))
    cluster.delete(f"{config_maps}/a", dryRun="All")
    assert cluster.get(f"{config_maps}/a")["metadata"]["name"] == "a"


def test_an_unknown_dry_run_is_refused(cluster: Cluster, config_maps: str) -> None:
    assert cluster.ask("POST", config_maps, config_map("a"), dryRun="Some").code == 422


def test_strict_validation_names_every_unknown_field(cluster: Cluster, virtual_services: str) -> None:
    wanted = virtual_service(unheard=1)
    wanted["spec"]["http"][0]["untold"] = True
    refused = cluster.ask("POST", virtual_services, wanted, fieldValidation="Strict")
    assert (refused.code, refused.reason) == (400, "BadRequest")
    assert 'unknown field "spec.http[0].untold", unknown field "spec.unheard"' in refused.body["message"]


def test_strict_validation_holds_for_deployments_too(cluster: Cluster, deployments: str) -> None:
    refused = cluster.ask("POST", deployments, deployment(unheard=1), fieldValidation="Strict")
    assert (refused.code, 'unknown field "spec.unheard"' in refused.body["message"]) == (400, True)


def test_a_strict_patch_is_refused_as_invalid(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    one, patch = f"{virtual_services}/reviews", {"spec": {"unheard": 1}}
    refused = cluster.ask("PATCH", one, patch, media=MERGE, fieldValidation="Strict")
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert 'unknown field "spec.unheard"' in refused.body["message"]


def test_an_unknown_field_is_pruned_with_a_warning(cluster: Cluster, virtual_services: str) -> None:
    answer = cluster.ask("POST", virtual_services, virtual_service(unheard=1))
    assert "unheard" not in answer.body["spec"]
    assert answer.warnings == ['299 - "unknown field \\"spec.unheard\\""']


def test_an_ignored_unknown_field_is_pruned_in_silence(cluster: Cluster, virtual_services: str) -> None:
    answer = cluster.ask("POST", virtual_services, virtual_service(unheard=1), fieldValidation="Ignore")
    assert "unheard" not in answer.body["spec"]
    assert answer.warnings == []


def test_a_null_that_may_not_be_is_dropped(cluster: Cluster, virtual_services: str) -> None:
    route = [{"destination": {"host": "reviews", "subset": None}, "weight": None}]
    created = cluster.create(virtual_services, virtual_service(http=[{"route": route, "timeout": None}]))
    assert created["spec"]["http"] == [{"route": [{"destination": {"host": "reviews"}}]}]


def test_a_null_that_may_be_is_kept(cluster: Cluster, virtual_services: str) -> None:
    policy = {"allowOrigins": [{"exact": "*"}], "allowCredentials": None}
    route = {"route": [{"destination": {"host": "reviews"}}], "corsPolicy": policy}
    created = cluster.create(virtual_services, virtual_service(http=[route]))
    assert created["spec"]["http"][0]["corsPolicy"] == policy


def test_weights_that_miss_the_hundred_are_taken(cluster: Cluster, virtual_services: str) -> None:
    route = [{"destination": {"host": "reviews", "subset": "v1"}, "weight": 7}]
    created = cluster.create(virtual_services, virtual_service(http=[{"route": route}]))
    assert created["spec"]["http"][0]["route"] == route


WRONG_ROUTES = {
    "a weight in words": ({"route": [{"destination": {"host": "a"}, "weight": "ten"}]}, "FieldValueTypeInvalid"),
    "a fraction of a weight": (
        {"route": [{"destination": {"host": "a"}, "weight": 0.5}]},
        "FieldValueTypeInvalid",
    ),
    "no destination": ({"route": [{"weight": 1}]}, "FieldValueRequired"),
    "no host": ({"route": [{"destination": {"subset": "v1"}}]}, "FieldValueRequired"),
    "two kinds of match": ({"match": [{"uri": {"exact": "/a", "prefix": "/"}}]}, "FieldValueInvalid"),
    "a timeout without unit": ({"timeout": "5"}, "FieldValueInvalid"),
    "a timeout too short": ({"timeout": "10us"}, "FieldValueInvalid"),
    "an unknown choice": ({"corsPolicy": {"unmatchedPreflights": "MAYBE"}}, "FieldValueNotSupported"),
    "a list for a map": ({"headers": []}, "FieldValueTypeInvalid"),
}


@pytest.mark.parametrize("case", WRONG_ROUTES)
def test_a_virtual_service_against_its_schema_is_invalid(cluster: Cluster, virtual_services: str, case: str) -> None:
    route, reason = WRONG_ROUTES[case]
    refused = cluster.ask("POST", virtual_services, virtual_service(http=[route]))
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.causes[0]["reason"] == reason


WRONG_RULES: dict[str, dict[str, Any]] = {
    "hosts for host": {"host": ["reviews"]},
    "a subset without a name": {"subsets": [{"labels": {"version": "v1"}}]},
    "a wildcard in a label": {"workloadSelector": {"matchLabels": {"app": "*"}}},
    "two balancers": {"trafficPolicy": {"loadBalancer": {"simple": "RANDOM", "consistentHash": {}}}},
    "a negative number of probes": {"trafficPolicy": {"connectionPool": {"tcp": {"tcpKeepalive": {"probes": -1}}}}},
}


@pytest.mark.parametrize("case", WRONG_RULES)
def test_a_destination_rule_against_its_schema_is_invalid(cluster: Cluster, virtual_services: str, case: str) -> None:
    path = virtual_services.replace("virtualservices", "destinationrules")
    refused = cluster.ask("POST", path, destination_rule(**WRONG_RULES[case]))
    assert (refused.code, refused.reason) == (422, "Invalid")


def test_a_wrong_patch_leaves_the_virtual_service(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    created = cluster.create(virtual_services, virtual_service())
    assert cluster.ask("PATCH", one, {"spec": {"hosts": 3}}, media=MERGE).reason == "Invalid"
    assert cluster.get(one) == created


def test_a_wrong_type_in_a_deployment_is_a_bad_request(cluster: Cluster, deployments: str) -> None:
    refused = cluster.ask("POST", deployments, deployment(replicas="two"))
    assert (refused.code, refused.reason) == (400, "BadRequest")
    assert "cannot unmarshal string" in refused.body["message"]


def test_a_selector_must_match_and_never_changes(cluster: Cluster, deployments: str) -> None:
    other = {"matchLabels": {"app": "other"}}
    refused = cluster.ask("POST", deployments, deployment(selector=other))
    assert [each["field"] for each in refused.causes] == ["spec.template.metadata.labels"]
    cluster.create(deployments, deployment())
    narrower = deployment(selector={"matchLabels": {"app": "reviews"}})
    refused = cluster.ask("PUT", f"{deployments}/reviews-v1", narrower)
    assert [each["field"] for each in refused.causes] == ["spec.selector"]


def test_an_object_of_another_kind_or_version_is_refused(cluster: Cluster, virtual_services: str) -> None:
    older = {**virtual_service(), "apiVersion": "networking.istio.io/v1beta1"}
    assert cluster.ask("POST", virtual_services, destination_rule()).causes[0]["field"] == "kind"
    assert cluster.ask("POST", virtual_services, older).reason == "BadRequest"
    assert cluster.ask("POST", virtual_services, "{bad").reason == "BadRequest"
