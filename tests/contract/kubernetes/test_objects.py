"""Create, read, list, replace: what every object carries and what is refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.contract.kubernetes.documents import config_map, deployment, destination_rule, virtual_service

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Cluster


def test_a_created_object_is_stamped_by_the_server(cluster: Cluster, virtual_services: str) -> None:
    answer = cluster.ask("POST", virtual_services, virtual_service())
    metadata = answer.body["metadata"]
    assert answer.code == 201
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert metadata["generation"] == 1
    assert int(metadata["resourceVersion"]) > 0


def test_what_was_created_is_read_back_equal(cluster: Cluster, virtual_services: str) -> None:
    created = cluster.create(virtual_services, virtual_service())
    assert cluster.get(f"{virtual_services}/reviews") == created
    assert created["spec"] == virtual_service()["spec"]


def test_creating_twice_says_that_it_already_exists(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    again = cluster.ask("POST", virtual_services, virtual_service())
    assert (again.code, again.reason) == (409, "AlreadyExists")
    assert again.body["message"] == 'virtualservices.networking.istio.io "reviews" already exists'


def test_an_absent_object_is_not_found_by_name(cluster: Cluster, deployments: str) -> None:
    absent = cluster.ask("GET", f"{deployments}/nobody")
    assert (absent.code, absent.reason) == (404, "NotFound")
    assert absent.body["details"] == {"name": "nobody", "group": "apps", "kind": "deployments"}


def test_an_unknown_resource_is_not_found(cluster: Cluster, namespace: str) -> None:
    assert cluster.ask("GET", f"/api/v1/namespaces/{namespace}/podz").code == 404


def test_a_namespace_that_does_not_exist_takes_no_object(cluster: Cluster) -> None:
    path = "/apis/networking.istio.io/v1/namespaces/nowhere/virtualservices"
    refused = cluster.ask("POST", path, virtual_service())
    assert (refused.code, refused.reason) == (404, "NotFound")
    assert refused.body["message"] == 'namespaces "nowhere" not found'


def test_a_name_is_generated_from_its_prefix(cluster: Cluster, config_maps: str) -> None:
    created = cluster.create(config_maps, {"metadata": {"generateName": "facts-"}})
    assert re.fullmatch(r"facts-[a-z0-9]{5}", created["metadata"]["name"])


def test_a_name_must_be_a_subdomain(cluster: Cluster, config_maps: str) -> None:
    refused = cluster.ask("POST", config_maps, config_map("Not_A_Name"))
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.causes[0]["field"] == "metadata.name"


def test_a_namespace_in_the_body_must_be_the_one_in_the_path(cluster: Cluster, config_maps: str) -> None:
    document = config_map()
    document["metadata"]["namespace"] = "elsewhere"
    assert cluster.ask("POST", config_maps, document).reason == "BadRequest"


def test_generation_counts_changes_of_the_spec_alone(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    cluster.create(virtual_services, virtual_service())
    labelled = cluster.patch(one, {"metadata": {"labels": {"a": "b"}}})
    changed = cluster.patch(one, {"spec": {"gateways": ["mesh"]}})
    assert labelled["metadata"]["generation"] == 1
    assert changed["metadata"]["generation"] == 2


def test_a_write_that_changes_nothing_keeps_the_version(cluster: Cluster, virtual_services: str) -> None:
    created = cluster.create(virtual_services, virtual_service())
    again = cluster.put(f"{virtual_services}/reviews", created)
    assert again["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_all_versions_show_the_same_istio_object(cluster: Cluster, virtual_services: str) -> None:
    created = cluster.create(virtual_services, virtual_service())
    for version in ("v1alpha3", "v1beta1", "v1"):
        shown = cluster.get(f"{virtual_services.replace('/v1/', f'/{version}/')}/reviews")
        assert shown["apiVersion"] == f"networking.istio.io/{version}"
        assert shown["spec"] == created["spec"]
        assert shown["metadata"] == created["metadata"]


def test_a_list_is_chosen_by_labels(cluster: Cluster, config_maps: str) -> None:
    for name, labels in (("a", {"tier": "x"}), ("b", {"tier": "y"}), ("c", {"other": "z"})):
        cluster.create(config_maps, config_map(name, labels))
    for selector, names in (
        ("tier=x", ["a"]),
        ("tier!=x", ["b", "c"]),
        ("tier in (x, y)", ["a", "b"]),
        ("tier notin (x)", ["b", "c"]),
        ("!tier", ["c"]),
        ("tier,tier!=y", ["a"]),
    ):
        listed = cluster.get(config_maps, labelSelector=selector)["items"]
        assert [each["metadata"]["name"] for each in listed] == names


def test_a_list_is_chosen_by_fields(cluster: Cluster, config_maps: str) -> None:
    for name in ("a", "b"):
        cluster.create(config_maps, config_map(name))
    listed = cluster.get(config_maps, fieldSelector="metadata.name=b")["items"]
    unknown = cluster.ask("GET", config_maps, fieldSelector="data.x=b")
    assert [each["metadata"]["name"] for each in listed] == ["b"]
    assert (unknown.code, unknown.reason) == (400, "BadRequest")


def test_pages_join_to_the_list_as_it_was_at_the_first(cluster: Cluster, config_maps: str) -> None:
    for name in "abcde":
        cluster.create(config_maps, config_map(name))
    first = cluster.get(config_maps, limit=2)
    cluster.create(config_maps, config_map("cc"))
    second = cluster.get(config_maps, limit=2, **{"continue": first["metadata"]["continue"]})
    third = cluster.get(config_maps, limit=2, **{"continue": second["metadata"]["continue"]})
    names = [each["metadata"]["name"] for page in (first, second, third) for each in page["items"]]
    assert names == list("abcde")
    assert first["metadata"]["remainingItemCount"] == 3
    assert not third["metadata"].get("continue")


def test_a_page_that_nobody_handed_out_is_refused(cluster: Cluster, config_maps: str) -> None:
    refused = cluster.ask("GET", config_maps, limit=1, **{"continue": "nonsense"})
    assert (refused.code, refused.reason) == (400, "BadRequest")


def test_a_list_from_the_future_times_out(cluster: Cluster, config_maps: str) -> None:
    refused = cluster.ask("GET", config_maps, resourceVersion="99999999")
    assert (refused.code, refused.reason) == (504, "Timeout")
    assert refused.causes[0]["reason"] == "ResourceVersionTooLarge"


def test_a_destination_rule_is_kept_whole(cluster: Cluster, virtual_services: str) -> None:
    path = virtual_services.replace("virtualservices", "destinationrules")
    policy = {"connectionPool": {"http": {"maxRetries": 3}}, "loadBalancer": {"simple": "ROUND_ROBIN"}}
    wanted = destination_rule(trafficPolicy=policy)
    assert cluster.create(path, wanted)["spec"] == wanted["spec"]


def test_a_deployment_is_filled_with_the_defaults(cluster: Cluster, deployments: str) -> None:
    spec = cluster.create(deployments, deployment())["spec"]
    pod = spec["template"]["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
    }
    assert pod["terminationGracePeriodSeconds"] == 30
    assert pod["containers"][0]["imagePullPolicy"] == "IfNotPresent"
