"""Server-side apply and the ownership of fields."""

from __future__ import annotations

from typing import Any

from tests.contract.kubernetes.cluster import APPLY, MERGE, Answer, Cluster
from tests.contract.kubernetes.documents import applied, deployment, virtual_service


def _apply(cluster: Cluster, path: str, document: dict[str, Any], manager: str, **query: Any) -> Answer:
    name = document["metadata"]["name"]
    return cluster.ask("PATCH", f"{path}/{name}", document, media=APPLY, **({"fieldManager": manager} | query))


def _owned(document: dict[str, Any], manager: str) -> dict[str, Any]:
    entries = [each for each in document["metadata"]["managedFields"] if each["manager"] == manager]
    assert len(entries) == 1
    fields: dict[str, Any] = entries[0]["fieldsV1"]
    return fields


def test_applying_an_absent_object_creates_it(cluster: Cluster, virtual_services: str) -> None:
    answer = _apply(cluster, virtual_services, virtual_service(), "one")
    assert answer.code == 201
    assert _owned(answer.body, "one") == {"f:spec": {"f:hosts": {}, "f:http": {}}}


def test_applying_again_changes_nothing(cluster: Cluster, virtual_services: str) -> None:
    first = _apply(cluster, virtual_services, virtual_service(), "one").body
    again = _apply(cluster, virtual_services, virtual_service(), "one")
    assert (again.code, again.body) == (200, first)


def test_an_apply_needs_a_field_manager(cluster: Cluster, virtual_services: str) -> None:
    refused = _apply(cluster, virtual_services, virtual_service(), "")
    assert (refused.code, refused.causes[0]["field"]) == (422, "fieldManager")


def test_a_plain_create_owns_what_it_wrote(cluster: Cluster, virtual_services: str) -> None:
    created = cluster.create(virtual_services, virtual_service(), fieldManager="writer")
    assert _owned(created, "writer") == {"f:spec": {".": {}, "f:hosts": {}, "f:http": {}}}
    assert created["metadata"]["managedFields"][0]["operation"] == "Update"


def test_the_client_names_the_manager_when_nobody_else_does(cluster: Cluster, virtual_services: str) -> None:
    created = cluster.create(virtual_services, virtual_service())
    assert created["metadata"]["managedFields"][0]["manager"] == "probe"


def test_taking_a_field_from_another_manager_is_a_conflict(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(), "one")
    wanted = applied(virtual_service(), hosts=["other"])
    refused = _apply(cluster, virtual_services, wanted, "two")
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert refused.body["message"] == 'Apply failed with 1 conflict: conflict with "one": .spec.hosts'
    assert refused.causes == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one"', "field": ".spec.hosts"}
    ]


def test_a_plain_writer_is_named_with_its_version_in_a_conflict(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service(), fieldManager="writer")
    refused = _apply(cluster, virtual_services, applied(virtual_service(), hosts=["other"]), "two")
    assert refused.causes[0]["message"].startswith('conflict with "writer" using networking.istio.io/v1')


def test_force_takes_the_field_and_its_ownership(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(), "one")
    wanted = applied(virtual_service(), hosts=["other"])
    taken = _apply(cluster, virtual_services, wanted, "two", force="true").body
    assert taken["spec"]["hosts"] == ["other"]
    assert _owned(taken, "one") == {"f:spec": {"f:http": {}}}
    assert _owned(taken, "two") == {"f:spec": {"f:hosts": {}}}


def test_two_managers_share_a_field_they_agree_on(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(), "one")
    wanted = applied(virtual_service(), hosts=["reviews"])
    shared = _apply(cluster, virtual_services, wanted, "two").body
    assert _owned(shared, "one")["f:spec"]["f:hosts"] == _owned(shared, "two")["f:spec"]["f:hosts"] == {}


def test_a_field_that_is_no_longer_applied_is_removed(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(gateways=["mesh"]), "one")
    left = _apply(cluster, virtual_services, virtual_service(), "one").body
    assert "gateways" not in left["spec"]


def test_a_field_that_another_still_owns_stays(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(gateways=["mesh"]), "one")
    _apply(cluster, virtual_services, applied(virtual_service(), gateways=["mesh"]), "two")
    assert _apply(cluster, virtual_services, virtual_service(), "one").body["spec"]["gateways"] == ["mesh"]


def test_the_http_routes_are_owned_and_replaced_whole(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(), "one")
    routes = [{"name": "mine", "route": [{"destination": {"host": "x"}}]}]
    taken = _apply(cluster, virtual_services, applied(virtual_service(), http=routes), "two", force="true")
    assert taken.body["spec"]["http"] == routes


def test_a_merge_patch_takes_the_field_from_its_applier(cluster: Cluster, virtual_services: str) -> None:
    _apply(cluster, virtual_services, virtual_service(), "one")
    one = f"{virtual_services}/reviews"
    patched = cluster.patch(one, {"spec": {"hosts": ["other"]}}, media=MERGE, fieldManager="hand")
    assert _owned(patched, "one") == {"f:spec": {"f:http": {}}}
    assert _owned(patched, "hand") == {"f:spec": {"f:hosts": {}}}


def test_labels_are_owned_one_by_one(cluster: Cluster, virtual_services: str) -> None:
    for manager, label in (("one", "a"), ("two", "b")):
        wanted = virtual_service()
        wanted["metadata"]["labels"] = {label: "x"}
        shared = _apply(cluster, virtual_services, wanted, manager).body
    assert shared["metadata"]["labels"] == {"a": "x", "b": "x"}
    assert _owned(shared, "two")["f:metadata"] == {"f:labels": {"f:b": {}}}


def test_containers_are_owned_by_their_names(cluster: Cluster, deployments: str) -> None:
    _apply(cluster, deployments, deployment(), "one")
    sidecar = {"name": "sidecar", "image": "registry.example/sidecar:1"}
    added = applied(deployment(), template={"spec": {"containers": [sidecar]}})
    both = _apply(cluster, deployments, added, "two").body
    names = [each["name"] for each in both["spec"]["template"]["spec"]["containers"]]
    owned = _owned(both, "two")["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert names == ["reviews", "sidecar"]
    assert owned == {'k:{"name":"sidecar"}': {".": {}, "f:image": {}, "f:name": {}}}


def test_a_container_goes_when_its_manager_lets_it_go(cluster: Cluster, deployments: str) -> None:
    _apply(cluster, deployments, deployment(), "one")
    sidecar = {"name": "sidecar", "image": "registry.example/sidecar:1"}
    _apply(cluster, deployments, applied(deployment(), template={"spec": {"containers": [sidecar]}}), "two")
    left = _apply(cluster, deployments, applied(deployment()), "two").body
    assert [each["name"] for each in left["spec"]["template"]["spec"]["containers"]] == ["reviews"]


def test_an_applied_field_outside_the_schema_is_refused(cluster: Cluster, virtual_services: str) -> None:
    refused = _apply(cluster, virtual_services, virtual_service(unheard=1), "one")
    assert refused.code == 500
    assert refused.body["message"].endswith(".spec.unheard: field not declared in schema")


def test_yaml_is_applied_as_json_is(cluster: Cluster, virtual_services: str) -> None:
    text = (
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\n"
        "metadata: {name: reviews}\nspec: {hosts: [2026-01-01]}\n"
    )
    answer = cluster.ask("PATCH", f"{virtual_services}/reviews", text, media=APPLY, fieldManager="one")
    assert answer.body["spec"] == {"hosts": ["2026-01-01"]}


def test_who_scales_owns_the_replicas(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment(), fieldManager="one")
    cluster.patch(f"{deployments}/reviews-v1/scale", {"spec": {"replicas": 3}}, fieldManager="scaler")
    scaled = cluster.get(f"{deployments}/reviews-v1")
    entry = next(each for each in scaled["metadata"]["managedFields"] if each["manager"] == "scaler")
    assert (entry["subresource"], entry["fieldsV1"]) == ("scale", {"f:spec": {"f:replicas": {}}})
