"""Scale and status, leases, events, and the kinds around a workload."""

from __future__ import annotations

from tests.contract.kubernetes.cluster import MERGE, STRATEGIC, Cluster
from tests.contract.kubernetes.documents import deployment, virtual_service


def test_scale_shows_and_sets_the_replicas(cluster: Cluster, deployments: str) -> None:
    scale = f"{deployments}/reviews-v1/scale"
    cluster.create(deployments, deployment())
    shown = cluster.get(scale)
    assert (shown["kind"], shown["spec"]) == ("Scale", {"replicas": 1})
    assert shown["status"]["selector"] == "app=reviews,version=v1"
    assert cluster.put(scale, {**shown, "spec": {"replicas": 3}})["spec"] == {"replicas": 3}
    assert cluster.patch(scale, {"spec": {"replicas": 0}})["spec"].get("replicas", 0) == 0
    assert cluster.get(f"{deployments}/reviews-v1")["spec"]["replicas"] == 0


def test_scaling_from_an_old_version_is_a_conflict(cluster: Cluster, deployments: str) -> None:
    scale = f"{deployments}/reviews-v1/scale"
    cluster.create(deployments, deployment())
    old = cluster.get(scale)
    cluster.patch(scale, {"spec": {"replicas": 2}})
    assert cluster.ask("PUT", scale, {**old, "spec": {"replicas": 9}}).reason == "Conflict"


def test_scaling_below_nought_is_invalid(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    refused = cluster.ask("PATCH", f"{deployments}/reviews-v1/scale", {"spec": {"replicas": -1}}, media=MERGE)
    assert (refused.code, refused.causes[0]["field"]) == (422, "spec.replicas")


def test_the_status_path_changes_the_status_alone(cluster: Cluster, deployments: str) -> None:
    cluster.create(deployments, deployment())
    patch = {"status": {"replicas": 2, "readyReplicas": 2}, "spec": {"replicas": 9}}
    changed = cluster.patch(f"{deployments}/reviews-v1/status", patch)
    assert changed["status"] == {"replicas": 2, "readyReplicas": 2}
    assert (changed["spec"]["replicas"], changed["metadata"]["generation"]) == (1, 1)


def test_the_main_path_never_changes_the_status(cluster: Cluster, virtual_services: str) -> None:
    wanted = {**virtual_service(), "status": {"observedGeneration": 5}}
    created = cluster.create(virtual_services, wanted)
    one = f"{virtual_services}/reviews"
    cluster.patch(f"{one}/status", {"status": {"observedGeneration": 7}})
    put = cluster.put(one, {**cluster.get(one), "status": {"observedGeneration": 9}})
    assert "status" not in created
    assert put["status"] == {"observedGeneration": 7}


def test_conditions_of_a_pod_are_merged_by_type(cluster: Cluster, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    born = cluster.create(pods, pod)
    for kind in ("Ready", "ContainersReady"):
        condition = {"type": kind, "status": "True"}
        patch = {"status": {"phase": "Running", "conditions": [condition]}}
        patched = cluster.patch(f"{pods}/p/status", patch, media=STRATEGIC)
    running = cluster.get(pods, fieldSelector="status.phase=Running")["items"]
    assert born["status"]["phase"] == "Pending"
    assert {each["type"] for each in patched["status"]["conditions"]} == {"Ready", "ContainersReady"}
    assert [each["metadata"]["name"] for each in running] == ["p"]


def test_a_lease_is_held_by_who_wrote_it_last(cluster: Cluster, namespace: str) -> None:
    leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
    spec = {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"}
    held = cluster.create(leases, {"metadata": {"name": "sluice"}, "spec": spec})
    taken = cluster.put(f"{leases}/sluice", {**held, "spec": {**spec, "holderIdentity": "two"}})
    late = cluster.ask("PUT", f"{leases}/sluice", {**held, "spec": {**spec, "holderIdentity": "three"}})
    assert taken["spec"] == {**spec, "holderIdentity": "two"}
    assert late.reason == "Conflict"


def test_a_put_makes_an_absent_lease(cluster: Cluster, namespace: str) -> None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/sluice"
    made = cluster.ask("PUT", path, {"metadata": {"name": "sluice"}, "spec": {"holderIdentity": "one"}})
    assert (made.code, made.body["spec"]["holderIdentity"]) == (201, "one")


def test_an_event_is_found_by_the_object_it_is_about(cluster: Cluster, namespace: str) -> None:
    events = f"/api/v1/namespaces/{namespace}/events"
    for name in ("a", "b"):
        about = {"kind": "Pod", "name": name, "namespace": namespace}
        cluster.create(
            events, {"metadata": {"name": f"{name}.1"}, "involvedObject": about, "reason": "Told", "message": "m"}
        )
    found = cluster.get(events, fieldSelector="involvedObject.name=b")["items"]
    assert [each["metadata"]["name"] for each in found] == ["b.1"]


def test_a_service_gets_an_address_and_default_ports(cluster: Cluster, namespace: str) -> None:
    services = f"/api/v1/namespaces/{namespace}/services"
    wanted = {"metadata": {"name": "s"}, "spec": {"selector": {"app": "s"}, "ports": [{"port": 80}]}}
    spec = cluster.create(services, wanted)["spec"]
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert (spec["type"], spec["clusterIPs"]) == ("ClusterIP", [spec["clusterIP"]])


def test_an_autoscaler_and_a_budget_are_kept(cluster: Cluster, namespace: str) -> None:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "reviews-v1"}
    scaler = {"metadata": {"name": "s"}, "spec": {"scaleTargetRef": target, "maxReplicas": 5}}
    budget = {"metadata": {"name": "b"}, "spec": {"minAvailable": "50%"}}
    path = f"namespaces/{namespace}"
    made = cluster.create(f"/apis/autoscaling/v2/{path}/horizontalpodautoscalers", scaler)
    kept = cluster.create(f"/apis/policy/v1/{path}/poddisruptionbudgets", budget)
    assert (made["spec"]["minReplicas"], made["spec"]["scaleTargetRef"]) == (1, target)
    assert kept["spec"] == {"minAvailable": "50%"}


def test_a_log_of_a_container_that_a_pod_has_not_is_a_bad_request(cluster: Cluster, namespace: str) -> None:
    pods = f"/api/v1/namespaces/{namespace}/pods"
    containers = [{"name": "reviews", "image": "shop/reviews:v1"}]
    cluster.create(pods, {"metadata": {"name": "reviews-v1-0"}, "spec": {"containers": containers}})
    asked = cluster.ask("GET", f"{pods}/reviews-v1-0/log", container="istio-proxy")
    assert (asked.code, asked.reason) == (400, "BadRequest")
    assert "container istio-proxy is not valid for pod reviews-v1-0" in str(asked.body["message"])
    assert cluster.ask("GET", f"{pods}/nobody/log").code == 404
