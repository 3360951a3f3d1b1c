"""Merge, JSON and strategic merge patch."""

from __future__ import annotations

from tests.contract.kubernetes.cluster import JSON, MERGE, STRATEGIC, Cluster
from tests.contract.kubernetes.documents import deployment, virtual_service

SIDECAR = {"name": "sidecar", "image": "registry.example/sidecar:1"}


def _containers(document: dict[str, object]) -> list[str]:
    return [each["name"] for each in document["spec"]["template"]["spec"]["containers"]]  # type: ignore[index]


def test_a_merge_patch_replaces_a_list_whole(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    route = [{"destination": {"host": "reviews", "subset": "v2"}}]
    patched = cluster.patch(f"{virtual_services}/reviews", {"spec": {"http": [{"route": route}]}})
    assert patched["spec"]["http"] == [{"route": route}]
    assert patched["spec"]["hosts"] == ["reviews"]


def test_a_null_in_a_merge_patch_removes_the_field(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service(gateways=["mesh"]))
    patched = cluster.patch(f"{virtual_services}/reviews", {"spec": {"gateways": None}})
    assert "gateways" not in patched["spec"]


def test_a_json_patch_behind_a_test_changes_one_weight(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    operations = [
        {"op": "test", "path": "/spec/http/0/name", "value": "main"},
        {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 95},
        {"op": "add", "path": "/spec/gateways", "value": ["mesh"]},
    ]
    patched = cluster.patch(f"{virtual_services}/reviews", operations, media=JSON)
    assert [each["weight"] for each in patched["spec"]["http"][0]["route"]] == [95, 0]
    assert patched["spec"]["gateways"] == ["mesh"]


def test_a_json_patch_whose_test_fails_changes_nothing(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    created = cluster.create(virtual_services, virtual_service())
    operations = [
        {"op": "replace", "path": "/spec/http/0/route/0/weight", "value": 95},
        {"op": "test", "path": "/spec/http/0/name", "value": "other"},
    ]
    refused = cluster.ask("PATCH", one, operations, media=JSON)
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert cluster.get(one) == created


def test_a_json_patch_of_an_absent_path_is_refused(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    operations = [{"op": "remove", "path": "/spec/tls"}]
    assert cluster.ask("PATCH", f"{virtual_services}/reviews", operations, media=JSON).code == 422


def test_a_patch_of_the_wrong_shape_is_a_bad_request(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    cluster.create(virtual_services, virtual_service())
    assert cluster.ask("PATCH", one, {"a": 1}, media=JSON).reason == "BadRequest"
    assert cluster.ask("PATCH", one, [1], media=MERGE).reason == "BadRequest"


def test_istio_objects_take_no_strategic_patch(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    refused = cluster.ask("PATCH", f"{virtual_services}/reviews", {}, media=STRATEGIC)
    assert (refused.code, refused.reason) == (415, "UnsupportedMediaType")


def test_a_strategic_patch_merges_containers_by_name(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    pod = {"containers": [{"name": "reviews", "image": "registry.example/reviews:2"}, SIDECAR]}
    patch = {"spec": {"template": {"spec": pod}}}
    patched = cluster.patch(f"{deployments}/reviews-v1", patch, media=STRATEGIC)
    first = patched["spec"]["template"]["spec"]["containers"][0]
    assert _containers(patched) == ["reviews", "sidecar"]
    assert (first["image"], first["terminationMessagePolicy"]) == ("registry.example/reviews:2", "File")


def test_a_strategic_patch_deletes_an_element_by_its_name(cluster: Cluster, deployments: str) -> None:
    one, wanted = f"{deployments}/reviews-v1", deployment()
    wanted["spec"]["template"]["spec"]["containers"].append(SIDECAR)
    cluster.create(deployments, wanted)
    gone = {"containers": [{"name": "sidecar", "$patch": "delete"}]}
    patched = cluster.patch(one, {"spec": {"template": {"spec": gone}}}, media=STRATEGIC)
    assert _containers(patched) == ["reviews"]


def test_a_merge_patch_replaces_the_containers(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    patch = {"spec": {"template": {"spec": {"containers": [SIDECAR]}}}}
    assert _containers(cluster.patch(f"{deployments}/reviews-v1", patch)) == ["sidecar"]


def test_a_patch_of_an_absent_object_is_not_found(cluster: Cluster, virtual_services: str) -> None:
    assert cluster.ask("PATCH", f"{virtual_services}/reviews", {}, media=MERGE).reason == "NotFound"
