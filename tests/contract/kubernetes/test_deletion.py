"""Deletion: answers, preconditions, finalizers, namespaces."""

from __future__ import annotations

import pytest

from tests.contract.kubernetes.cluster import MERGE, Cluster
from tests.contract.kubernetes.documents import config_map, deployment, virtual_service

FINALIZER = "example.com/probe"


def test_a_deletion_answers_with_the_uid_of_what_went(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    uid = cluster.create(virtual_services, virtual_service())["metadata"]["uid"]
    answer = cluster.delete(one)
    assert (answer["kind"], answer["status"], answer["details"]["uid"]) == ("Status", "Success", uid)
    assert cluster.ask("GET", one).code == 404


def test_deleting_an_absent_object_is_not_found(cluster: Cluster, config_maps: str) -> None:
    assert cluster.ask("DELETE", f"{config_maps}/nobody").reason == "NotFound"


@pytest.mark.parametrize("demand", ["uid", "resourceVersion"])
def test_a_deletion_holds_to_its_preconditions(cluster: Cluster, deployments: str, demand: str) -> None:
    one = f"{deployments}/reviews-v1"
    held = cluster.create(deployments, deployment())["metadata"][demand]
    refused = cluster.ask("DELETE", one, {"preconditions": {demand: "1"}})
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert cluster.delete(one, {"preconditions": {demand: held}})["status"] == "Success"


def test_a_finalizer_holds_a_deleted_object_until_it_is_removed(cluster: Cluster, virtual_services: str) -> None:
    one, wanted = f"{virtual_services}/reviews", virtual_service()
    wanted["metadata"]["finalizers"] = [FINALIZER]
    cluster.create(virtual_services, wanted)
    waiting = cluster.delete(one)["metadata"]
    assert (waiting["finalizers"], waiting["generation"]) == ([FINALIZER], 2)
    assert cluster.get(one)["metadata"]["deletionTimestamp"] == waiting["deletionTimestamp"]
    cluster.patch(one, {"metadata": {"finalizers": None}})
    assert cluster.ask("GET", one).code == 404


def test_a_dying_object_takes_no_new_finalizer(cluster: Cluster, virtual_services: str) -> None:
    one, wanted = f"{virtual_services}/reviews", virtual_service()
    wanted["metadata"]["finalizers"] = [FINALIZER]
    cluster.create(virtual_services, wanted)
    cluster.delete(one)
    patch = {"metadata": {"finalizers": [FINALIZER, "example.com/late"]}}
    refused = cluster.ask("PATCH", one, patch, media=MERGE)
    assert (refused.code, refused.causes[0]["field"]) == (422, "metadata.finalizers")


def test_deleting_twice_keeps_the_first_time(cluster: Cluster, virtual_services: str) -> None:
    one, wanted = f"{virtual_services}/reviews", virtual_service()
    wanted["metadata"]["finalizers"] = [FINALIZER]
    cluster.create(virtual_services, wanted)
    first = cluster.delete(one)
    assert cluster.delete(one)["metadata"] == first["metadata"]


def test_a_collection_is_deleted_by_selector(cluster: Cluster, config_maps: str) -> None:
    cluster.create(config_maps, config_map("a", {"tier": "x"}))
    cluster.create(config_maps, config_map("b"))
    cluster.delete(config_maps, labelSelector="tier=x")
    assert [each["metadata"]["name"] for each in cluster.get(config_maps)["items"]] == ["b"]


def test_an_unknown_propagation_is_refused(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    refused = cluster.ask("DELETE", f"{deployments}/reviews-v1", propagationPolicy="Sideways")
    assert (refused.code, refused.causes[0]["field"]) == (422, "propagationPolicy")


def test_a_foreground_deletion_is_shown_as_waiting(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    waiting = cluster.delete(f"{deployments}/reviews-v1", {"propagationPolicy": "Foreground"})
    assert waiting["metadata"]["finalizers"] == ["foregroundDeletion"]


def test_a_dying_namespace_takes_no_new_object(
    cluster: Cluster, namespace: str, virtual_services: str, config_maps: str
) -> None:
    held = virtual_service()
    held["metadata"]["finalizers"] = [FINALIZER]
    cluster.create(virtual_services, held)
    assert cluster.delete(f"/api/v1/namespaces/{namespace}")["status"]["phase"] == "Terminating"
    refused = cluster.ask("POST", config_maps, config_map("late"))
    assert (refused.code, refused.reason) == (403, "Forbidden")
    assert refused.causes[0]["reason"] == "NamespaceTerminating"
