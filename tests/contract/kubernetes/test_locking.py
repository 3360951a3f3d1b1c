"""Optimistic locking, one writer and several."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.contract.kubernetes.cluster import MERGE, Cluster
from tests.contract.kubernetes.documents import config_map, deployment, virtual_service
from tests.contract.patience import PATIENCE

WRITERS = 3
WRITES = 25


def test_a_put_from_an_old_version_is_a_conflict(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    old = cluster.create(virtual_services, virtual_service())
    cluster.patch(one, {"spec": {"gateways": ["mesh"]}})
    refused = cluster.ask("PUT", one, {**old, "spec": {"hosts": ["lost"]}})
    assert (refused.code, refused.reason) == (409, "Conflict")
    assert "the object has been modified" in refused.body["message"]
    assert cluster.get(one)["spec"]["gateways"] == ["mesh"]


def test_a_put_without_a_version_is_refused_for_istio_objects(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    refused = cluster.ask("PUT", f"{virtual_services}/reviews", virtual_service())
    assert (refused.code, refused.reason) == (422, "Invalid")
    assert refused.causes[0]["field"] == "metadata.resourceVersion"


def test_a_put_without_a_version_overwrites_a_deployment(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    assert cluster.put(f"{deployments}/reviews-v1", deployment(replicas=4))["spec"]["replicas"] == 4


def test_a_put_of_an_absent_object_is_not_found(cluster: Cluster, deployments: str) -> None:
    assert cluster.ask("PUT", f"{deployments}/reviews-v1", deployment()).code == 404


def test_a_put_under_another_name_is_refused(cluster: Cluster, config_maps: str) -> None:
    cluster.create(config_maps, config_map("a"))
    assert cluster.ask("PUT", f"{config_maps}/a", config_map("b")).reason == "BadRequest"


def test_a_patch_may_carry_the_version_it_expects(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    old = cluster.create(virtual_services, virtual_service())["metadata"]["resourceVersion"]
    cluster.patch(one, {"metadata": {"resourceVersion": old}, "spec": {"gateways": ["mesh"]}})
    late = {"metadata": {"resourceVersion": old}, "spec": {"gateways": ["late"]}}
    assert cluster.ask("PATCH", one, late, media=MERGE).reason == "Conflict"


def test_the_uid_cannot_be_changed(cluster: Cluster, virtual_services: str) -> None:
    cluster.create(virtual_services, virtual_service())
    patch = {"metadata": {"uid": "another"}}
    refused = cluster.ask("PATCH", f"{virtual_services}/reviews", patch, media=MERGE)
    assert (refused.code, refused.causes[0]["field"]) == (422, "metadata.uid")


def test_no_write_of_three_concurrent_writers_is_lost(cluster: Cluster, virtual_services: str) -> None:
    one = f"{virtual_services}/reviews"
    cluster.create(virtual_services, virtual_service())

    together = Barrier(WRITERS)

    def write(writer: int) -> int:
        done = refused = 0
        while done < WRITES:
            held = cluster.get(one)
            if done == refused == 0:
                # All hold the same version once, so that all but one are refused.
                together.wait(PATIENCE)
            held["metadata"].setdefault("annotations", {})[f"probe/{writer}-{done}"] = "written"
            answer = cluster.ask("PUT", one, held)
            done += answer.code == 200
            refused += answer.reason == "Conflict"
        return refused

    with ThreadPoolExecutor(WRITERS) as pool:
        refusals = sum(pool.map(write, range(WRITERS)))
    assert refusals >= WRITERS - 1
    assert len(cluster.get(one)["metadata"]["annotations"]) == WRITERS * WRITES
