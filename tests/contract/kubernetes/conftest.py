"""The two clusters, each started once, and a namespace of its own for each probe."""

from __future__ import annotations

import asyncio
import threading
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from bot.sandbox.kubernetes import KubernetesApi
from tests.contract.kubernetes.cluster import Cluster
from tests.contract.patience import PATIENCE
from tests.parts.processes import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubernetes import client

TOKEN = "probe-token"


@contextmanager
def _standing_in() -> Iterator[Cluster]:
    """The stand-in on its own event loop, which this thread leaves alone."""
    port = free_ports(1)[0]
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(KubernetesApi(TOKEN).application(), access_log=None, shutdown_timeout=1)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Cluster(f"http://127.0.0.1:{port}", token=TOKEN)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()


@pytest.fixture(scope="session", params=["stand-in", "kube-apiserver"])
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    if request.param == "stand-in":
        with _standing_in() as cluster:
            yield cluster
            cluster.close()
        return
    cluster = Cluster.of(request.getfixturevalue("real_api_server"))
    yield cluster
    cluster.close()


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    name = f"probe-{uuid.uuid4().hex[:8]}"
    cluster.create("/api/v1/namespaces", {"metadata": {"name": name}})
    return name


@pytest.fixture
def virtual_services(namespace: str) -> str:
    return f"/apis/networking.istio.io/v1/namespaces/{namespace}/virtualservices"


@pytest.fixture
def deployments(namespace: str) -> str:
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


@pytest.fixture
def config_maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def api_client(cluster: Cluster) -> Iterator[client.ApiClient]:
    made = cluster.api_client()
    yield made
    made.rest_client.pool_manager.clear()
