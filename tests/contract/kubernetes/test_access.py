"""Who may speak, what they may do, and what the server says of itself."""

from __future__ import annotations

import pytest

from tests.contract.kubernetes.cluster import Cluster

REVIEWS = "/apis/authorization.k8s.io/v1"
ACTION = {"verb": "patch", "group": "networking.istio.io", "resource": "virtualservices", "namespace": "shop"}


def test_a_wrong_token_is_unauthorised(cluster: Cluster) -> None:
    stranger = Cluster(cluster.url, token="wrong", ca_path=cluster.ca_path)
    refused = stranger.ask("GET", "/api/v1/namespaces")
    stranger.close()
    assert (refused.code, refused.reason) == (401, "Unauthorized")


def test_the_holder_of_the_token_may_do_everything(cluster: Cluster) -> None:
    review = cluster.create(f"{REVIEWS}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": ACTION}})
    assert review["status"]["allowed"] is True


def test_a_stranger_may_do_nothing(cluster: Cluster) -> None:
    spec = {"user": "stranger", "resourceAttributes": ACTION}
    review = cluster.create(f"{REVIEWS}/subjectaccessreviews", {"spec": spec})
    assert review["status"]["allowed"] is False
    assert review["spec"]["resourceAttributes"] == ACTION


def test_a_master_of_the_system_may_do_everything(cluster: Cluster) -> None:
    spec = {"user": "somebody", "groups": ["system:masters"], "resourceAttributes": ACTION}
    assert cluster.create(f"{REVIEWS}/subjectaccessreviews", {"spec": spec})["status"]["allowed"] is True


def test_a_review_of_nobody_is_invalid(cluster: Cluster) -> None:
    refused = cluster.ask("POST", f"{REVIEWS}/subjectaccessreviews", {"spec": {"resourceAttributes": ACTION}})
    assert (refused.code, refused.causes[0]["field"]) == (422, "spec.user")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/livez"])
def test_a_healthy_server_says_ok(cluster: Cluster, path: str) -> None:
    assert cluster.ask("GET", path).body == {"text": "ok"}


def test_the_version_names_a_release(cluster: Cluster) -> None:
    version = cluster.get("/version")
    assert (version["major"], version["minor"]) == ("1", "34")
    assert version["gitVersion"].startswith("v1.34.")


def test_istio_is_found_in_its_three_versions(cluster: Cluster) -> None:
    groups = {each["name"]: each for each in cluster.get("/apis")["groups"]}
    istio = groups["networking.istio.io"]
    assert [each["version"] for each in istio["versions"]] == ["v1", "v1beta1", "v1alpha3"]
    assert istio["preferredVersion"]["version"] == "v1"
    assert istio == {
        key: value
        for key, value in cluster.get("/apis/networking.istio.io").items()
        if key not in ("kind", "apiVersion")
    }


def test_resources_are_listed_with_their_parts(cluster: Cluster) -> None:
    listed = {each["name"]: each for each in cluster.get("/apis/apps/v1")["resources"]}
    assert listed["deployments"]["kind"] == "Deployment"
    assert listed["deployments/scale"]["kind"] == "Scale"
    assert set(listed["deployments/status"]["verbs"]) == {"get", "patch", "update"}


def test_a_group_that_is_not_served_is_not_found(cluster: Cluster) -> None:
    assert cluster.ask("GET", "/apis/example.com/v1").code == 404


def test_a_method_that_a_path_does_not_take_is_refused(cluster: Cluster, deployments: str) -> None:
    assert cluster.ask("POST", f"{deployments}/reviews-v1", {}).reason == "MethodNotAllowed"
