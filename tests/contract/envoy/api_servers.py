"""API servers for a test's event loop, and what a test does with them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.sandbox.cluster.client import (
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    VIRTUAL_SERVICES,
    ApiError,
    Document,
    KubernetesClient,
)
from bot.sandbox.kubernetes.server import KubernetesApi
from tests.contract.patience import PATIENCE

TOKEN = "a-token"
NAMESPACE_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Reached:
    """A server that answers, and a namespace nobody else uses."""

    url: str
    token: str
    ca: Path | None
    namespace: str = field(default_factory=lambda: f"shop-{next(NAMESPACE_NUMBERS)}")

    @asynccontextmanager
    async def client(self) -> AsyncIterator[KubernetesClient]:
        async with KubernetesClient(self.url, self.token, self.ca) as client:
            try:
                await client.create(NAMESPACES, None, {"metadata": {"name": self.namespace}})
            except ApiError as refusal:
                assert refusal.status == 409
            yield client


class StandIn:
    @asynccontextmanager
    async def reached(self) -> AsyncIterator[Reached]:
        runner = web.AppRunner(KubernetesApi(TOKEN).application(), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield Reached(f"http://127.0.0.1:{runner.addresses[0][1]}", TOKEN, None)
        finally:
            await runner.cleanup()


@dataclass(frozen=True)
class RealServer:
    url: str
    token: str
    ca: Path

    @asynccontextmanager
    async def reached(self) -> AsyncIterator[Reached]:
        yield Reached(self.url, self.token, self.ca)


ApiServer = StandIn | RealServer


async def eventually(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.02)


async def change(
    client: KubernetesClient, namespace: str, edit: Callable[[Document], None], kind: str = "route"
) -> str:
    """Read, edit and PUT `reviews` (its VirtualService) or `app` (a Deployment), again when it was stale.

    Returns the version that it has by that.
    """
    resource, name = (VIRTUAL_SERVICES, "reviews") if kind == "route" else (DEPLOYMENTS, "app")
    for _ in range(20):
        document = await client.get(resource, namespace, name)
        edit(document)
        try:
            kept = await client.replace(resource, namespace, document)
            version: str = kept["metadata"]["resourceVersion"]
            return version
        except ApiError as refusal:
            assert refusal.status == 409
    raise AssertionError("somebody writes all the time")


def weights(v1: int, v2: int) -> Callable[[Document], None]:
    """Shares on the shop's main route."""

    def edit(document: Document) -> None:
        shares = {"v1": v1, "v2": v2}
        document["spec"]["http"][1]["route"] = [
            {"destination": {"host": "reviews", "subset": name}, "weight": weight} for name, weight in shares.items()
        ]

    return edit


async def pods(client: KubernetesClient, namespace: str) -> list[Document]:
    return (await client.list(PODS, namespace))[0]


def is_ready(pod: Document) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def waiting(pod: Document) -> str:
    statuses = pod.get("status", {}).get("containerStatuses", [])
    reasons = [one["state"].get("waiting", {}).get("reason", "") for one in statuses]
    return reasons[0] if reasons else ""
