"""Istiod's place: watches the API server and tells the proxy, a moment after the last change."""

import asyncio
import logging
from dataclasses import dataclass

import aiohttp

from bot.sandbox.cluster.background import Background
from bot.sandbox.cluster.client import (
    DESTINATION_RULES,
    PODS,
    SERVICES,
    VIRTUAL_SERVICES,
    Document,
    KubernetesClient,
    Resource,
)
from bot.sandbox.cluster.reflector import Reflector
from bot.sandbox.mesh.discovery import Objects, read_mesh
from bot.sandbox.mesh.matches import Caller
from bot.sandbox.mesh.proxy import Proxy, Refusal
from bot.sandbox.mesh.routing import MeshState

log = logging.getLogger(__name__)

# Istiod's PILOT_DEBOUNCE_AFTER and PILOT_DEBOUNCE_MAX.
DEBOUNCE_SECONDS, DEBOUNCE_MAX_SECONDS = 0.1, 10.0
RETRY_SECONDS = 1.0
WATCHED = (SERVICES, DESTINATION_RULES, VIRTUAL_SERVICES, PODS)


@dataclass(frozen=True)
class Push:
    """What became of the last state that was given to the proxy."""

    number: int = 0
    accepted: int = 0
    refusal: str | None = None


class Translator:
    """Keeps a proxy in step with a namespace's objects; `served` are the VirtualServices that it serves by now."""

    def __init__(self, client: KubernetesClient, namespace: str, proxy: Proxy, *, caller: Caller) -> None:
        self._namespace = namespace
        self._proxy = proxy
        self._caller = caller
        self._changed = asyncio.Event()
        self._pushed = asyncio.Condition()
        self._reflectors = {one: Reflector(client, one, namespace, changed=self._changed.set) for one in WATCHED}
        self._background = Background()
        self.state = MeshState()
        self.push = Push()
        self.served: dict[str, Document] = {}

    async def start(self) -> None:
        """Watch and translate until stopped."""
        for resource, one in self._reflectors.items():
            self._background.spawn(one.run(), f"watch of {resource.plural}")
        self._background.spawn(self._loop(), "translator")

    async def stop(self) -> None:
        """Leave the proxy as it is."""
        await self._background.stop()

    async def serves(self, pods: int) -> None:
        """Wait until the proxy knows this many endpoints and has taken them."""
        async with self._pushed:
            await self._pushed.wait_for(lambda: self.push.refusal is None and len(self._known_pods()) >= pods)

    def _known_pods(self) -> set[str]:
        return {endpoint.pod for cluster in self.state.clusters for endpoint in cluster.endpoints}

    def objects(self, resource: Resource) -> dict[str, Document]:
        """The watched objects of one kind by name."""
        return self._reflectors[resource].objects

    async def _loop(self) -> None:
        for one in self._reflectors.values():
            await one.synced.wait()
        while True:
            await self._settle()
            written = dict(self.objects(VIRTUAL_SERVICES))
            state = read_mesh(self._read(), self._namespace, self._caller)
            if state == self.state and self.push.refusal is None and self.push.number:
                self.served = written
                continue
            if state.ignored != self.state.ignored:
                for text in state.ignored:
                    log.warning("not honoured by the sandbox: %s", text)
            await self._give(state)
            if self.push.refusal is None:
                self.served = written
            async with self._pushed:
                self._pushed.notify_all()

    async def _settle(self) -> None:
        """Wait for a change, and until it has been quiet for a moment."""
        loop = asyncio.get_running_loop()
        await self._changed.wait()
        latest = loop.time() + DEBOUNCE_MAX_SECONDS
        while loop.time() < latest:
            self._changed.clear()
            try:
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the event.
                async with asyncio.timeout(DEBOUNCE_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _give(self, state: MeshState) -> None:
        number = self.push.number + 1
        try:
            await self._proxy.apply(state)
        except Refusal as refusal:
            log.warning("the proxy keeps its routes: %s", refusal)
            self.push = Push(number, self.push.accepted, str(refusal))
            self.state = state
        except (aiohttp.ClientError, TimeoutError) as fault:
            log.warning("the proxy does not answer: %r", fault)
            self.push = Push(number, self.push.accepted, repr(fault))
            await asyncio.sleep(RETRY_SECONDS)
            self._changed.set()
        else:
            self.push = Push(number, self.push.accepted + 1)
            self.state = state

    def _read(self) -> Objects:
        lists = {one: tuple(reflector.objects.values()) for one, reflector in self._reflectors.items()}
        return Objects(lists[SERVICES], lists[DESTINATION_RULES], lists[VIRTUAL_SERVICES], lists[PODS])
