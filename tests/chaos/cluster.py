"""The cluster: an API server's stand-in, its pods without processes, and everything that was ever stored in it."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.sandbox.cluster.client import (
    DEPLOYMENTS,
    DESTINATION_RULES,
    NAMESPACES,
    PODS,
    SERVICES,
    VIRTUAL_SERVICES,
    ApiError,
    KubernetesClient,
)
from bot.sandbox.cluster.pod_documents import PodCounts, deployment_status, pod_document, pod_status
from bot.sandbox.cluster.pod_state import Running, Starting
from bot.sandbox.kubernetes import KubernetesApi
from bot.sandbox.web_server import WebServer
from tests.chaos.shop import NAMESPACE, objects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.chaos.shop import Service

Document = dict[str, Any]
RESOURCES = {
    each.plural: each for each in (DEPLOYMENTS, DESTINATION_RULES, NAMESPACES, PODS, SERVICES, VIRTUAL_SERVICES)
}
FOLLOWED = ("deployments", "destinationrules", "virtualservices")
TICK = 0.2


@dataclass(frozen=True, slots=True)
class Version:
    """An object as it stood from this moment on; None: it was deleted."""

    at: float
    revision: int
    document: Document | None


class Cluster:
    """`history` is by plural and name, oldest first, read from watches like anybody's."""

    def __init__(self, services: Sequence[Service]) -> None:
        self.api = KubernetesApi()
        self.history: dict[tuple[str, str], list[Version]] = {}
        self._services = {one.name: one for one in services}
        self._server = WebServer(self.api.application())
        self._client: KubernetesClient | None = None
        self._pods: dict[str, bool] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self.faults: list[str] = []

    @property
    def client(self) -> KubernetesClient:
        """The driver's own way in, past every door."""
        assert self._client is not None
        return self._client

    async def start(self) -> None:
        """Serve, plant the shop, and follow it."""
        self._client = await KubernetesClient(await self._server.start()).__aenter__()
        await self.client.create(
            NAMESPACES, None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        )
        for one in self._services.values():
            for plural, document in objects(one):
                await self.client.create(RESOURCES[plural], NAMESPACE, document)
        self._tasks = [asyncio.create_task(self._follow(plural)) for plural in FOLLOWED]
        self._tasks.append(asyncio.create_task(self._keep_pods()))

    async def stop(self) -> None:
        """End."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.client.__aexit__(None, None, None)
        await self._server.stop()

    def now(self, plural: str, name: str) -> Document | None:
        """The object as it stands."""
        versions = self.history.get((plural, name))
        return versions[-1].document if versions else None

    async def edit(self, plural: str, name: str, edit: Callable[[Document], None]) -> Document | None:
        """Somebody else's edit; None where the object is not there."""
        for _ in range(5):
            with contextlib.suppress(ApiError):
                document = copy.deepcopy(await self.client.get(RESOURCES[plural], NAMESPACE, name))
                edit(document)
                return await self.client.replace(RESOURCES[plural], NAMESPACE, document)
        return None

    async def delete(self, plural: str, name: str) -> None:
        """Somebody deletes an object."""
        await self.client.delete(RESOURCES[plural], NAMESPACE, name)

    async def create(self, plural: str, document: Document) -> None:
        """Somebody makes an object; one that is there stays."""
        with contextlib.suppress(ApiError):
            await self.client.create(RESOURCES[plural], NAMESPACE, document)

    async def _follow(self, plural: str) -> None:
        items, version = await self.client.list(RESOURCES[plural], NAMESPACE)
        for each in items:
            self._note(plural, each, each)
        while True:
            try:
                async for event in self.client.watch(RESOURCES[plural], NAMESPACE, version):
                    version = event["object"]["metadata"]["resourceVersion"]
                    if event["type"] != "BOOKMARK":
                        self._note(plural, event["object"], None if event["type"] == "DELETED" else event["object"])
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.05)

    def _note(self, plural: str, head: Document, document: Document | None) -> None:
        revision = int(head["metadata"]["resourceVersion"])
        found = self.history.setdefault((plural, head["metadata"]["name"]), [])
        found.append(Version(time.time(), revision, document))

    async def _keep_pods(self) -> None:
        while True:
            for (plural, name), versions in list(self.history.items()):
                if plural == "deployments":
                    try:
                        await self._reconcile(name, versions[-1].document)
                    except ApiError as refusal:
                        self.faults.append(f"pods of {name}: {refusal}")
            await asyncio.sleep(TICK)

    async def _reconcile(self, name: str, found: Document | None) -> None:
        wanted = {f"{name}-{n}" for n in range(found["spec"].get("replicas", 1))} if found else set()
        there = {each for each in self._pods if each.rpartition("-")[0] == name}
        for pod in there - wanted:
            await self.client.delete(PODS, NAMESPACE, pod)
            del self._pods[pod]
        if found is None:
            return
        service, _, version = name.rpartition("-")
        ready = version not in self._services[service].unready
        for pod in sorted(wanted - there):
            await self.client.create(PODS, NAMESPACE, pod_document(found, pod, "1"))
            await self._say(pod, found, ready=ready)
        for pod in sorted(wanted & there):
            if self._pods[pod] != ready:
                await self._say(pod, found, ready=ready)
        await self._count(name, found, len(wanted) if ready else 0)

    async def _say(self, pod: str, found: Document, *, ready: bool) -> None:
        status = pod_status(pod_document(found, pod, "1"), Running(1) if ready else Starting(), 0, datetime.now(UTC))
        await self.client.patch_status(PODS, NAMESPACE, pod, status)
        self._pods[pod] = ready

    async def _count(self, name: str, found: Document, ready: int) -> None:
        status, wanted = found.get("status") or {}, found["spec"].get("replicas", 1)
        told = (status.get("readyReplicas", 0), status.get("replicas", 0), status.get("observedGeneration"))
        if told != (ready, wanted, found["metadata"].get("generation")):
            counts = PodCounts(wanted, wanted, ready)
            with contextlib.suppress(ApiError):
                said = deployment_status(found, counts, datetime.now(UTC))
                await self.client.patch_status(DEPLOYMENTS, NAMESPACE, name, said)

    def ready(self, service: str, version: str) -> int:
        """How many pods of a version are ready."""
        return sum(is_ready for pod, is_ready in self._pods.items() if pod.rpartition("-")[0] == f"{service}-{version}")
