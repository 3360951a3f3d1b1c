"""The shop on the fake, on the stand-in and on a real API server; each test has a namespace of its own."""

from __future__ import annotations

import uuid
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from bot.mesh import kube_api, watch_source
from tests.contract.kubernetes.cluster import Cluster
from tests.contract.kubernetes.conftest import _standing_in
from tests.contract.mesh.world import FakeWorld, Reach, WireWorld, World
from tests.contract.patience import PATIENCE
from tests.parts.service_account import HOME, ROLES, ServiceAccount, administrator, apply

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx

    from tests.parts.kube_apiserver import KubeApiServer


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server on a slow machine is not one that does not answer."""
    monkeypatch.setattr(kube_api, "TIMEOUT", (PATIENCE, PATIENCE))
    monkeypatch.setattr(watch_source, "LIST_TIMEOUT", (PATIENCE, PATIENCE))
    monkeypatch.setattr(watch_source, "CONNECT_SECONDS", PATIENCE)


@pytest.fixture(scope="package")
def stand_in() -> Iterator[Cluster]:
    with _standing_in() as cluster:
        yield cluster
        cluster.close()


@pytest.fixture(scope="package")
def kube_apiserver(real_api_server: KubeApiServer) -> Iterator[Cluster]:
    with closing(Cluster.of(real_api_server)) as cluster:
        yield cluster


@pytest.fixture(scope="package")
def on_stand_in(stand_in: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reach]:
    """One adapter for all tests that leave its connection alone; it watches every namespace."""
    with closing(Reach(stand_in, tmp_path_factory.mktemp("reach"))) as reach:
        reach.mesh.start()
        yield reach


@pytest.fixture(scope="package")
def admin(real_api_server: KubeApiServer) -> Iterator[httpx.Client]:
    """Who applied deploy/rbac.yaml and binds its roles."""
    with administrator(real_api_server) as session:
        apply(session)
        yield session


@pytest.fixture(scope="package")
def on_kube_apiserver(
    kube_apiserver: Cluster, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reach]:
    """The same on the real server, where the adapter has the rights of deploy/rbac.yaml and no others."""
    account = ServiceAccount(admin, HOME)
    bind_all(account, None)
    with closing(Reach(kube_apiserver, tmp_path_factory.mktemp("reach"), token=account.token())) as reach:
        reach.mesh.start()
        yield reach


def a_namespace() -> str:
    return f"shop-{uuid.uuid4().hex[:8]}"


def bind_all(account: ServiceAccount, namespace: str | None) -> None:
    for role in ROLES:
        account.bind(role, namespace)


def _shared(request: pytest.FixtureRequest) -> WireWorld:
    world = WireWorld(request.getfixturevalue(f"on_{request.param}"), a_namespace())
    world.until_watched()
    world.proxy.calm()
    return world


@pytest.fixture(params=["stand_in", "kube_apiserver"])
def wire(request: pytest.FixtureRequest) -> WireWorld:
    """The adapter behind a proxy, on both servers."""
    return _shared(request)


@pytest.fixture(params=["stand_in", "kube_apiserver"])
def lonely(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[WireWorld]:
    """The same with an adapter of its own that watches its namespace only: what happens to it disturbs nobody.

    On the real server it has no right in any other namespace.
    """
    namespace, token, own = a_namespace(), "", None
    if request.param == "kube_apiserver":
        own = ServiceAccount(request.getfixturevalue("admin"), namespace)
        token = own.token()
    with closing(Reach(request.getfixturevalue(request.param), tmp_path, (namespace,), token=token)) as reach:
        world = WireWorld(reach, namespace)
        if own is not None:
            bind_all(own, namespace)
        reach.mesh.start()
        world.until_watched()
        yield world


@pytest.fixture(params=["fake", "stand_in", "kube_apiserver"])
def world(request: pytest.FixtureRequest) -> World:
    """The same shop behind all three implementations."""
    return FakeWorld() if request.param == "fake" else _shared(request)
