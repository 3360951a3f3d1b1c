"""A baseline comes back before its traffic does: once, as large as it was, and never against everybody's loss."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.errors import Fault
from bot.mesh.warming import warm
from strategies.release import Phase, Release
from tests.builders import NOW, a_release
from tests.fakes_mesh import FakeMesh


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
    assert "is gone, and Sluice kept no copy of it" in waiting(mesh, going_back())


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
