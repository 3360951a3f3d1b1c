"""What Sluice deletes of a baseline comes back whole: with the autoscaler and the budget that went with it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.errors import Fault
from bot.mesh.kube_api import AUTOSCALER
from bot.mesh.retiring import Retiring, retire
from bot.mesh.warming import warm, way_back
from strategies.release import Decommission, Phase, Release, Rules
from tests.builders import NOW, a_release
from tests.unit.mesh.test_capacity import an_autoscaler
from tests.unit.mesh.test_retiring import created

if TYPE_CHECKING:
    import pytest

    from bot.mesh.documents import Document
    from bot.mesh.kube_api import Kind
    from tests.fakes_mesh import FakeMesh

DELETE = Rules(decommission=Decommission.DELETE)
BESIDE = ("HorizontalPodAutoscaler", "PodDisruptionBudget")


def dressed() -> FakeMesh:
    """reviews whose v1 Sluice deployed, with an autoscaler and a budget that belong to it and one of somebody else."""
    mesh = created()
    mesh.edit("Deployment", "shop/reviews-v1", lambda each: each["metadata"].update(uid="first"))
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "reviews", "version": "v1"}}}
    mesh.put(owned(an_autoscaler("v1", 2)))
    mesh.put(owned({"kind": "PodDisruptionBudget", "metadata": {"name": "reviews-v1"}, "spec": budget}))
    strange = {"kind": "PodDisruptionBudget", "metadata": {"name": "all", "namespace": "shop"}, "spec": budget}
    mesh.put(strange)
    return mesh


def owned(document: Document) -> Document:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "reviews-v1", "uid": "first"}
    document["metadata"] |= {"namespace": "shop", "ownerReferences": [reference]}
    document["metadata"]["labels"] = {"sluice/created-by": "reviews-0"}
    return document


def gone(mesh: FakeMesh) -> Release:
    """The release once its baseline was deleted, and everything that belonged to it with it, as Kubernetes does."""
    release = replace(a_release(phase=Phase.DECOMMISSIONING), rules=DELETE, sizes={"shop/reviews-v1": 3})
    kept = mesh.keepsakes(release)
    retire(Retiring(mesh, mesh.cluster, release, lambda: True))
    for kind in BESIDE:
        mesh.delete(kind, "shop/reviews-v1")
    return replace(release, phase=Phase.ROLLING_BACK, is_cold=True, kept=kept, entered_at=NOW)


def test_autoscaler_and_budget_come_back_with_the_deployment_and_belong_to_it() -> None:
    mesh = dressed()
    before = {kind: found(mesh, kind)["spec"] for kind in BESIDE}
    release = gone(mesh)
    warm(mesh, mesh.cluster, release, NOW, is_known=True)
    uid = found(mesh, "Deployment")["metadata"]["uid"]
    for kind in BESIDE:
        back = found(mesh, kind)
        assert back["spec"] == before[kind]
        assert [each["uid"] for each in back["metadata"]["ownerReferences"]] == [uid]
        assert back["metadata"]["labels"] == {"sluice/created-by": "reviews-0"}
    assert uid != "first"


def test_only_what_goes_with_the_deployment_is_kept() -> None:
    mesh = dressed()
    release = replace(a_release(), rules=DELETE)
    assert sorted(mesh.keepsakes(release)) == [
        "Deployment shop/reviews-v1",
        "DestinationRule shop/reviews",
        "HorizontalPodAutoscaler shop/reviews-v1",
        "PodDisruptionBudget shop/reviews-v1",
    ]
    assert mesh.keepsakes(replace(release, rules=Rules(decommission=Decommission.SCALE_TO_ZERO))) == {}


def test_a_number_that_sluice_holds_is_not_kept_as_the_autoscalers_own() -> None:
    mesh = dressed()
    release = replace(a_release(), rules=replace(DELETE, scale=True), sizes={"shop/reviews-v1": 3})
    mesh.set_sizes(replace(release, phase=Phase.SOAKING))
    assert found(mesh, "HorizontalPodAutoscaler")["spec"]["minReplicas"] == 3
    assert '"minReplicas":2' in mesh.keepsakes(release)["HorizontalPodAutoscaler shop/reviews-v1"]


def test_an_autoscaler_that_may_not_be_created_keeps_no_traffic_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = dressed()
    release, create = gone(mesh), mesh.cluster.create

    def forbidden(kind: Kind, document: Document) -> Document:
        if kind is AUTOSCALER:
            raise Fault("horizontalpodautoscalers: forbidden")
        return create(kind, document)

    monkeypatch.setattr(mesh.cluster, "create", forbidden)
    assert "is scaled up first" in warm(mesh, mesh.cluster, release, NOW, is_known=True)
    assert warm(mesh, mesh.cluster, release, NOW, is_known=True) == ""
    assert mesh.find("PodDisruptionBudget", "shop/reviews-v1") is not None


def test_a_baseline_that_somebody_deleted_by_hand_leaves_no_way_back_and_says_what_to_do() -> None:
    mesh, release = created(), replace(a_release(), phase=Phase.COMPLETED)
    assert way_back(mesh, release) == ""
    mesh.delete("Deployment", "shop/reviews-v1")
    assert way_back(mesh, release) == "", "its pods are still there"
    mesh.set_ready("v1", 0)
    assert way_back(mesh, release) == (
        "Deployment shop/reviews-v1 of v1 was deleted by somebody else, and Sluice has no copy of it: deploy it "
        "again, or release v1 anew by /release start reviews v1 image=<its image>."
    )
    assert way_back(mesh, replace(release, kept={"Deployment shop/reviews-v1": "{}"})) == ""


def found(mesh: FakeMesh, kind: str) -> dict[str, Any]:
    document = mesh.find(kind, "shop/reviews-v1")
    assert document is not None
    return document
