from datetime import UTC, datetime
from typing import Any

from bot.sandbox.cluster.pod_documents import (
    PodCounts,
    deployment_status,
    pod_document,
    pod_status,
    template_hash,
)
from bot.sandbox.cluster.pod_state import CrashLooping, ImageMissing, PodState, Running, Starting
from bot.sandbox.mesh.discovery import workload_name

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def deployment(replicas: int = 2, **status: Any) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "c", "image": "i:1"}]}}
    meta = {"name": "a-v1", "namespace": "shop", "uid": "u", "generation": 7}
    return {"metadata": meta, "spec": {"replicas": replicas, "template": template}, "status": status}


def status(state: PodState, restarts: int = 0) -> dict[str, Any]:
    return pod_status(pod_document(deployment(), "a-v1-x-y", "run"), state, restarts, NOW)


def condition(found: dict[str, Any], kind: str) -> dict[str, Any]:
    result: dict[str, Any] = next(one for one in found["conditions"] if one["type"] == kind)
    return result


def test_a_running_pod_is_ready_and_has_an_address() -> None:
    found = status(Running(4001))
    assert condition(found, "Ready")["status"] == "True"
    assert (found["phase"], found["podIP"]) == ("Running", "127.0.0.1")


def test_a_crashing_pod_says_so_as_a_kubelet_does() -> None:
    container = status(CrashLooping(137), 3)["containerStatuses"][0]
    assert container["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert container["lastState"]["terminated"]["exitCode"] == 137
    assert (container["ready"], container["restartCount"]) == (False, 3)


def test_a_missing_image_leaves_the_pod_pending() -> None:
    found = status(ImageMissing())
    assert found["phase"] == "Pending"
    assert found["containerStatuses"][0]["state"]["waiting"]["reason"] == "ImagePullBackOff"
    assert condition(status(Starting()), "Ready")["status"] == "False"


def test_a_pod_belongs_to_its_deployment_by_owner_and_by_name() -> None:
    owner = deployment()
    found = pod_document(owner, f"a-v1-{template_hash(owner)}-abcde", "run")
    assert found["metadata"]["ownerReferences"][0]["uid"] == "u"
    assert workload_name(found) == "a-v1"


def test_the_template_hash_changes_with_the_template_alone() -> None:
    changed = deployment()
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "i:2"
    assert template_hash(deployment(2)) == template_hash(deployment(5))
    assert template_hash(changed) != template_hash(deployment())


def test_a_deployment_is_available_when_all_its_pods_are_ready() -> None:
    half = deployment_status(deployment(), PodCounts(2, 2, 1), NOW)
    full = deployment_status(deployment(), PodCounts(2, 2, 2), NOW)
    assert condition(half, "Available")["status"] == "False"
    assert condition(full, "Available")["status"] == "True"
    assert condition(full, "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert (full["observedGeneration"], full["readyReplicas"], half["unavailableReplicas"]) == (7, 2, 1)


def test_a_condition_that_stays_keeps_its_transition_time() -> None:
    before = [{"type": "Available", "status": "True", "lastTransitionTime": "2020-01-01T00:00:00Z"}]
    found = deployment_status(deployment(conditions=before), PodCounts(2, 2, 2), NOW)
    assert condition(found, "Available")["lastTransitionTime"] == "2020-01-01T00:00:00Z"
    assert condition(found, "Available")["lastUpdateTime"] == "2026-01-02T03:04:05Z"


def test_pods_that_the_server_refuses_are_told_in_the_status() -> None:
    found = deployment_status(deployment(), PodCounts(0, 0, 0, "403 Forbidden: quota"), NOW)
    assert condition(found, "ReplicaFailure")["message"] == "403 Forbidden: quota"
