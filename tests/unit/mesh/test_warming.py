"""A baseline comes back before its traffic does: once, as large as it was, and never against everybody's loss."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Fault
from bot.mesh.warming import warm
from strategies.release import Phase, Release, Rules
from tests.builders import NOW, a_release
from tests.fakes_mesh import FakeMesh
from tests.unit.mesh.test_capacity import an_autoscaler


def going_back(**changes: Any) -> Release:
    """A rollback to a baseline that was scaled to 0, from three pods."""
    release = a_release(phase=Phase.ROLLING_BACK, sizes={"shop/reviews-v1": 3}, is_cold=True, entered_at=NOW)
    return replace(release, **changes)


def cold() -> FakeMesh:
    """reviews with v1 scaled to 0, whose pods come when the test says so."""
    mesh = FakeMesh.shop()
    mesh.has_controllers = False
    mesh.set_ready("v1", 0)
    mesh.edit("Deployment", "shop/reviews-v1", lambda each: each["spec"].update(replicas=0))
    return mesh


def waiting(mesh: FakeMesh, release: Release, after: float = 0.0) -> str:
    return warm(mesh, mesh.cluster, release, NOW + timedelta(seconds=after), is_known=True)


def scaled(mesh: FakeMesh, replicas: int, ready: int) -> None:
    """What an autoscaler and the controllers make of the Deployment."""

    def change(each: dict[str, Any]) -> None:
        each["spec"]["replicas"] = replicas
        each["status"] = {"readyReplicas": ready}

    mesh.edit("Deployment", "shop/reviews-v1", change)


def test_all_pods_of_the_start_are_waited_for_and_then_one_is_enough() -> None:
    mesh, release = cold(), going_back()
    assert waiting(mesh, release) == "v1 is scaled up first: 3 pods are asked for."
    scaled(mesh, 3, 1)
    assert waiting(mesh, release, 30) == "v1 is scaled up first: 1 of 3 pods are ready."
    assert waiting(mesh, release, 61) == ""


def test_an_autoscaler_that_finds_fewer_enough_is_not_fought() -> None:
    mesh, release = cold(), going_back()
    waiting(mesh, release)
    scaled(mesh, 1, 1)
    assert waiting(mesh, release, 61) == ""
    found = mesh.find("Deployment", "shop/reviews-v1")
    assert found is not None
    assert found["spec"]["replicas"] == 1


def test_a_deployment_that_is_gone_without_a_copy_is_told() -> None:
    mesh = cold()
    mesh.delete("Deployment", "shop/reviews-v1")
    assert "was deleted by somebody else, and Sluice has no copy of it" in waiting(mesh, going_back())


@pytest.mark.parametrize("pods", [0, 2])
def test_a_forbidden_scale_up_holds_the_traffic_unless_nothing_is_lost(
    pods: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = cold()
    mesh.set_ready("v2", pods)

    def forbidden(*_: object) -> None:
        raise Fault("deployments: forbidden")

    monkeypatch.setattr(mesh.cluster, "put", forbidden)
    if not pods:
        assert waiting(mesh, going_back()) == ""
        return
    with pytest.raises(Fault, match="forbidden"):
        waiting(mesh, going_back())


def test_a_baseline_that_nobody_may_scale_holds_no_rollback_up_while_its_pods_are_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mesh = FakeMesh.shop()

    def forbidden(*_: object) -> None:
        raise Fault("deployments: forbidden")

    monkeypatch.setattr(mesh.cluster, "get", forbidden)
    assert waiting(mesh, going_back()) == ""
    mesh.set_ready("v1", 1)
    with pytest.raises(Fault, match="forbidden"):
        waiting(mesh, going_back())
    assert waiting(mesh, going_back(), 61) == ""


def shrunk(**changes: Any) -> tuple[FakeMesh, Release]:
    """A baseline that had three pods and was left with one, whose release goes back from 100 %."""
    mesh = FakeMesh.shop()
    mesh.has_controllers = False
    scaled(mesh, 1, 1)
    mesh.set_ready("v1", 1)
    return mesh, going_back(is_cold=False, written=3, **changes)


def test_a_baseline_that_was_shrunk_is_scaled_up_for_its_traffic_and_waited_for_for_a_minute() -> None:
    mesh, release = shrunk()
    assert waiting(mesh, release) == "v1 is scaled up first: 1 of 3 pods are ready."
    found = mesh.find("Deployment", "shop/reviews-v1")
    assert found is not None
    assert found["spec"]["replicas"] == 3
    mesh.set_ready("v1", 2)
    assert waiting(mesh, release, 30) == "v1 is scaled up first: 2 of 3 pods are ready."
    assert waiting(mesh, release, 61) == ""
    mesh.set_ready("v1", 3)
    assert waiting(mesh, release, 31) == ""


def test_a_shrunk_baseline_that_serves_half_of_the_traffic_takes_the_rest_at_once() -> None:
    mesh, release = shrunk()
    assert waiting(mesh, replace(release, written=2)) == ""
    assert waiting(mesh, replace(release, written=-1)) == ""


def test_a_pod_that_is_only_not_ready_keeps_no_rollback_waiting() -> None:
    mesh, release = shrunk()
    scaled(mesh, 3, 1)
    assert waiting(mesh, release) == ""


def test_a_shrunk_baseline_that_nobody_may_scale_has_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh, release = shrunk()

    def forbidden(*_: object) -> None:
        raise Fault("deployments: forbidden")

    monkeypatch.setattr(mesh.cluster, "put", forbidden)
    assert waiting(mesh, release) == ""
    mesh.set_ready("v1", 0)
    with pytest.raises(Fault, match="forbidden"):
        waiting(mesh, release)


def test_an_autoscaler_that_shrank_the_baseline_is_held_where_the_profile_allows_and_not_fought_otherwise() -> None:
    mesh, release = shrunk()
    mesh.put(an_autoscaler("v1", 1))
    assert waiting(mesh, release) == ""
    assert "is scaled up first" in waiting(mesh, replace(release, rules=Rules(scale=True)))
    found = mesh.find("HorizontalPodAutoscaler", "shop/reviews-v1")
    assert found is not None
    assert found["spec"]["minReplicas"] == 3


def test_a_deployment_that_somebody_deletes_during_a_release_is_told_with_what_to_do() -> None:
    mesh, release = shrunk()
    mesh.delete("Deployment", "shop/reviews-v1")
    assert waiting(mesh, release) == "", "its pods are still there"
    mesh.set_ready("v1", 0)
    told = waiting(mesh, release)
    assert "deploy it again, or release v1 anew by /release start reviews v1 image=<its image>." in told
    assert told.endswith("Going back waits for it.")
