"""Why a version is not ready, in words; and what a preview shows."""

from __future__ import annotations

import pytest

from bot.mesh.pod_index import PodIndex, slim_pod
from bot.mesh.preview import preview
from bot.mesh.workloads import ready_by_version, why_not_ready
from strategies.reasons import Refused
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import Document, a_deployment, a_pod, a_virtual_service, ready_status, waiting_status
from tests.unit.mesh.orders import an_order, the_target


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (
            waiting_status("ErrImagePull", "no such image"),
            "its image cannot be pulled (container reviews, ErrImagePull",
        ),
        (waiting_status("CrashLoopBackOff", "back-off 5m"), "it crashes again and again"),
        ({"phase": "Running"}, "its readiness probe has not passed yet"),
        ({"phase": "Pending"}, "it has not started yet"),
        (
            {"conditions": [{"status": "False", "reason": "Unschedulable", "message": "0/3 nodes"}]},
            "no node can take it (Unschedulable, 0/3 nodes)",
        ),
    ],
)
def test_the_cause_is_told_in_words(status: Document, expected: str) -> None:
    mesh = FakeMesh.shop()
    mesh.set_ready("v2", 0)
    mesh.put(a_pod("v2") | {"status": status})
    assert f"pod reviews-v2-0: {expected}" in why_not_ready(mesh, the_target(), "v2")


def test_a_deployment_scaled_to_nothing_is_named() -> None:
    mesh = FakeMesh.shop()
    mesh.set_ready("v2", 0)
    mesh.edit("Deployment", "shop/reviews-v2", lambda each: each["spec"].update(replicas=0))
    assert why_not_ready(mesh, the_target(), "v2") == "Deployment reviews-v2 is scaled to 0; scale it up."


def test_a_version_without_deployment_is_named_by_its_label() -> None:
    text = why_not_ready(FakeMesh.shop(), the_target(candidate="v3"), "v3")
    assert text == "No Deployment in shop gives its pods version=v3."


def test_a_deployment_that_cannot_create_pods_says_why() -> None:
    mesh = FakeMesh.shop()
    mesh.set_ready("v2", 0)
    failing = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    mesh.put(a_deployment("v2") | {"status": {"conditions": [failing]}})
    assert "Deployment reviews-v2: exceeded quota" in why_not_ready(mesh, the_target(), "v2")


def test_pods_on_their_way_out_and_of_other_services_do_not_count() -> None:
    mesh = FakeMesh.shop()
    mesh.set_ready("v2", 4, app="ratings")
    mesh.edit("Pod", "shop/reviews-v2-0", lambda pod: pod["metadata"].update(deletionTimestamp="now"))
    assert ready_by_version(mesh, the_target()) == {"v1": 3, "v2": 1}


def test_the_pod_index_follows_labels_that_change() -> None:
    index = PodIndex()
    index.put(a_pod("v1"))
    changed = a_pod("v1")
    changed["metadata"]["labels"]["version"] = "v2"
    index.put(changed)
    assert index.select("shop", {"app": "reviews", "version": "v1"}) == []
    assert index.select("shop", {"app": "reviews", "version": "v2"}) == [changed]
    index.remove(changed)
    assert index.select("shop", {"app": "reviews"}) == []


def test_a_pod_is_kept_without_what_nobody_reads() -> None:
    pod = a_pod("v1") | {"status": ready_status() | {"hostIP": "10.0.0.1"}}
    slimmed = slim_pod(pod)
    assert "spec" not in slimmed
    assert slimmed["status"] == ready_status()


def test_a_preview_shows_the_changed_lines_alone() -> None:
    document = a_virtual_service()
    document["metadata"] |= {"resourceVersion": "7", "managedFields": [{"manager": "kubectl"}]}
    shown = preview(document, [an_order(document)])
    assert not isinstance(shown, Refused)
    after, diff = shown
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    assert "+      weight: 95" in changed
    assert all(line.startswith("+") for line in changed)
    assert "managedFields" not in after["metadata"]


def test_a_preview_of_what_cannot_be_written_is_refused() -> None:
    document = a_virtual_service()
    order = an_order(document)
    document["spec"]["http"] = []
    assert isinstance(preview(document, [order]), Refused)
