"""The shop behind a story: made as new before it, looked at and edited in it, as anybody with kubectl would."""

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from bot.sandbox.bot_files import NAMESPACE
from bot.sandbox.cluster.client import (
    DEPLOYMENTS,
    SERVICES,
    VIRTUAL_SERVICES,
    ApiError,
    Document,
    KubernetesClient,
    Resource,
)
from bot.sandbox.cluster.shop import SERVICE, shop_objects
from bot.sandbox.mesh.load import LOAD
from bot.sandbox.route_memory import VERSIONS
from bot.sandbox.supervisor import Supervisor

ABSENT = 404
POLL_SECONDS, WARM_SECONDS, FORGOTTEN_SECONDS = 0.1, 60.0, 2.0
CREATED_BY = "sluice/created-by"


class Shop:
    """Reads and writes the objects of the shop's namespace on the sandbox's API server."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._mesh = supervisor.live_mesh

    async def as_new(self, profile: Mapping[str, object]) -> None:
        """Healthy, all traffic on v1 by untouched objects, every pod ready, and the bot with this profile."""
        self._supervisor.files.write_profile(profile)
        await self._mesh.close_gateway()
        for version in VERSIONS:
            await self._mesh.set_knob(version, error_rate=0.0, delay_ms=0.0, orders=1.0, dead=False)
        await self._mesh.set_shop(rate=LOAD, dependency=0.0)
        own = shop_objects(NAMESPACE)
        async with self._client() as client:
            names = {body["metadata"]["name"] for resource, body in own if resource is VIRTUAL_SERVICES}
            for one in (await client.list(VIRTUAL_SERVICES, NAMESPACE))[0]:
                if one["metadata"]["name"] not in names:
                    await client.delete(VIRTUAL_SERVICES, NAMESPACE, one["metadata"]["name"])
            restored = [resource for resource, body in own if await _restored(client, resource, body)]
        await self._warm()
        if VIRTUAL_SERVICES in restored:
            # The first look of the next story is not to tell of this one's traffic.
            await asyncio.sleep(FORGOTTEN_SECONDS)

    async def get(self, resource: Resource, name: str) -> Document | None:
        """An object as it is; None when there is none."""
        async with self._client() as client:
            return await _found(client, resource, name)

    async def edit(self, resource: Resource, name: str, change: Callable[[Document], None]) -> None:
        """Change an object that is there."""
        async with self._client() as client:
            document = await client.get(resource, NAMESPACE, name)
            change(document)
            await client.replace(resource, NAMESPACE, document)

    async def create(self, resource: Resource, body: Document) -> None:
        """Make an object."""
        async with self._client() as client:
            await client.create(resource, NAMESPACE, body)

    async def delete(self, resource: Resource, name: str) -> None:
        """Delete an object."""
        async with self._client() as client:
            await client.delete(resource, NAMESPACE, name)

    async def replicas(self, version: str) -> int | None:
        """How many pods the version's Deployment asks for; None without a Deployment."""
        found = await self.get(DEPLOYMENTS, f"{SERVICE}-{version}")
        return None if found is None else int(found["spec"].get("replicas", 1))

    def pods(self, version: str) -> int:
        """How many pods of a version there are, ready or not."""
        pods = self._mesh.snapshot(1)["pods"]
        return sum(1 for pod in pods if (pod["app"], pod["version"]) == (SERVICE, version))

    def ready(self, version: str) -> int:
        """How many of them are ready."""
        pods = self._mesh.snapshot(1)["pods"]
        return sum(1 for pod in pods if (pod["app"], pod["version"]) == (SERVICE, version) and pod["ready"])

    async def _warm(self) -> None:
        """Until the proxy knows a ready pod for each one that the shop begins with."""
        sizes = {
            body["metadata"]["labels"]["version"]: body["spec"]["replicas"]
            for resource, body in shop_objects(NAMESPACE)
            if resource is DEPLOYMENTS and body["metadata"]["labels"]["app"] == SERVICE
        }
        for _ in range(round(WARM_SECONDS / POLL_SECONDS)):
            if all(self.ready(version) >= size for version, size in sizes.items()):
                return
            await asyncio.sleep(POLL_SECONDS)

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[KubernetesClient]:
        async with KubernetesClient(self._supervisor.kubernetes_url, self._supervisor.kubernetes_token) as client:
            yield client


async def _found(client: KubernetesClient, resource: Resource, name: str) -> Document | None:
    try:
        return await client.get(resource, NAMESPACE, name)
    except ApiError as refusal:
        if refusal.status != ABSENT:
            raise
        return None


async def _restored(client: KubernetesClient, resource: Resource, body: Document) -> bool:
    """The object as the shop began with it, but that more pods than it had are kept. True when it differed."""
    present = await _found(client, resource, body["metadata"]["name"])
    if present is not None and CREATED_BY in present["metadata"].get("labels", {}):
        await client.delete(resource, NAMESPACE, body["metadata"]["name"])
        present = None
    if present is None:
        await client.create(resource, NAMESPACE, body)
        return True
    wanted = copy.deepcopy(present)
    wanted["metadata"].pop("annotations", None)
    if resource is DEPLOYMENTS:
        wanted["spec"]["replicas"] = max(present["spec"].get("replicas", 1), body["spec"]["replicas"])
    elif resource is SERVICES:
        wanted["spec"]["ports"] = body["spec"]["ports"]
    else:
        wanted["spec"] = body["spec"]
    if wanted != present:
        await client.replace(resource, NAMESPACE, wanted)
    return wanted != present
