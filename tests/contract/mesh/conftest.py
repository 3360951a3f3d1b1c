"""The shop on the fake, on the stand-in and on a real API server; each test has a namespace of its own."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.contract.kubernetes.conftest import _real, _standing_in
from tests.contract.mesh.world import FakeWorld, WireWorld, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.contract.kubernetes.cluster import Cluster


@pytest.fixture(scope="session")
def stand_in() -> Iterator[Cluster]:
    with _standing_in() as cluster:
        yield cluster
        cluster.close()


@pytest.fixture(scope="session")
def kube_apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with _real(tmp_path_factory.mktemp("kube-apiserver")) as cluster:
        yield cluster
        cluster.close()


@pytest.fixture(params=["stand_in", "kube_apiserver"])
def wire(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WireWorld]:
    """The adapter behind a proxy, on both servers."""
    world = WireWorld(request.getfixturevalue(request.param), f"shop-{uuid.uuid4().hex[:8]}", tmp_path)
    yield world
    world.close()


@pytest.fixture(params=["fake", "stand_in", "kube_apiserver"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """The same shop behind all three implementations."""
    if request.param == "fake":
        yield FakeWorld()
        return
    wire = WireWorld(request.getfixturevalue(request.param), f"shop-{uuid.uuid4().hex[:8]}", tmp_path)
    yield wire
    wire.close()
