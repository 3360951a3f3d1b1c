"""A cache of one kind of object, kept true by list and watch."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import aclosing

import aiohttp

from bot.sandbox.cluster.client import ApiError, Document, KubernetesClient, Resource

log = logging.getLogger(__name__)

GONE = 410
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0


class Reflector:
    """Holds `objects` by name and calls `changed` after each difference.

    A watch that ends goes on from the last resourceVersion; only 410 Gone, as a status or an ERROR event,
    makes it list again. An API server that is away is asked for ever: the sandbox outlives its restarts.
    """

    def __init__(
        self, client: KubernetesClient, resource: Resource, namespace: str, *, changed: Callable[[], None]
    ) -> None:
        self._client = client
        self._resource = resource
        self._namespace = namespace
        self._changed = changed
        self._version: str | None = None
        self.objects: dict[str, Document] = {}
        self.synced = asyncio.Event()

    async def run(self) -> None:
        """Keep the cache true until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self._follow()
                pause = FIRST_PAUSE
            except ApiError as refusal:
                if refusal.status == GONE:
                    self._version = None
                    continue
                log.warning("watching %s: %s", self._resource.plural, refusal)
                pause = await _wait(pause)
            except (aiohttp.ClientError, TimeoutError, OSError, json.JSONDecodeError) as fault:
                log.warning("watching %s: %r", self._resource.plural, fault)
                pause = await _wait(pause)

    async def _follow(self) -> None:
        if self._version is None:
            items, self._version = await self._client.list(self._resource, self._namespace)
            self.objects = {item["metadata"]["name"]: item for item in items}
            self.synced.set()
            self._changed()
        # An event may end the loop by a refusal: the connection has to go with it, not when memory is collected.
        async with aclosing(self._client.watch(self._resource, self._namespace, self._version)) as events:
            async for event in events:
                self._take(event["type"], event["object"])

    def _take(self, kind: str, item: Document) -> None:
        if kind == "ERROR":
            raise ApiError(item.get("code", 500), item.get("reason", "Unknown"), item.get("message", ""))
        self._version = item["metadata"]["resourceVersion"]
        if kind == "BOOKMARK":
            return
        name = item["metadata"]["name"]
        if kind == "DELETED":
            self.objects.pop(name, None)
        else:
            self.objects[name] = item
        self._changed()


async def _wait(pause: float) -> float:
    await asyncio.sleep(pause)
    return min(pause * 2, LONGEST_PAUSE)
