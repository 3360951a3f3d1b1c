"""Real Envoy, fed by files that are renamed into place."""

import asyncio
import json
import logging
import os
import signal
from collections import deque
from contextlib import suppress
from pathlib import Path

import aiohttp

from bot.sandbox.cluster.background import Background
from bot.sandbox.cluster.client import Document
from bot.sandbox.cluster.signals import send
from bot.sandbox.mesh import leash
from bot.sandbox.mesh.access_log import AccessLog
from bot.sandbox.mesh.envoy_admin import CLUSTERS, LISTENERS, ROUTES, EnvoyAdmin
from bot.sandbox.mesh.envoy_config import (
    NAME,
    bootstrap,
    cluster_resource,
    discovery_response,
    endpoints_resource,
    tcp_listener,
)
from bot.sandbox.mesh.envoy_routes import route_configuration
from bot.sandbox.mesh.proxy import Counters, Hear, Refusal
from bot.sandbox.mesh.routing import Cluster, ClusterName, MeshState, TcpRoute
from bot.sandbox.ports import HOST, free_port

log = logging.getLogger(__name__)

# Patience with a slow machine: a start takes half a second, and a new configuration some milliseconds.
START_SECONDS, TAKE_SECONDS, STOP_SECONDS = 30.0, 15.0, 1.0
WORDS_SECONDS = 2.0  # in which the reason of a refusal, or of an end, comes by the log
POLL_SECONDS = 0.005
FLAGS = (
    *("--use-dynamic-base-id", "--concurrency", "1"),
    *("--log-level", "warning", "--file-flush-interval-msec", "100"),
)


class EnvoyStartError(Exception):
    """Envoy ended or stayed unready; the message carries its last words."""


class EnvoyProxy:
    """One Envoy process and the folder it reads its configuration from."""

    stand_in_reason = None

    def __init__(self, binary: Path, folder: Path, *, hear: Hear) -> None:
        self._binary = binary
        self._folder = folder
        self._log = AccessLog(folder / "access.pipe", hear)
        self._words: deque[str] = deque(maxlen=50)
        self._has_spoken, self._is_silent = asyncio.Event(), asyncio.Event()
        self._background = Background()
        self._process: asyncio.subprocess.Process | None = None
        self._session: aiohttp.ClientSession | None = None
        self._admin: EnvoyAdmin | None = None
        self._version = 0
        self._files: dict[ClusterName, Path] = {}
        self._endpoints: dict[ClusterName, Cluster] = {}
        self._clusters: frozenset[ClusterName] | None = None
        self._hosts: Document | None = None
        self._tcp: tuple[TcpRoute, ...] = ()
        self._ports: dict[int, int] = {}
        self._ledger = _Ledger()
        self._ending = False
        self.url = ""

    @property
    def admin_url(self) -> str:
        """Where Envoy's admin interface answers."""
        return self._ready_admin.url

    @property
    def pid(self) -> int:
        """Envoy's process id."""
        if self._process is None:
            raise RuntimeError("Envoy has not been started")
        return self._process.pid

    async def start(self) -> None:
        """Start Envoy and wait until it serves; EnvoyStartError with its last words otherwise."""
        self._folder.mkdir(parents=True, exist_ok=True)
        await self._log.open()
        self._write("cds.json", [])
        self._write("lds.json", [])
        self._write("rds.json", [route_configuration(NAME, ())])
        config, address = self._folder / "bootstrap.json", self._folder / "admin.address"
        config.write_text(json.dumps(bootstrap(self._folder, self._log.path)))
        address.unlink(missing_ok=True)
        program = [str(self._binary), "-c", str(config), "--admin-address-path", str(address), *FLAGS]
        self._session = aiohttp.ClientSession()
        self._process = await asyncio.create_subprocess_exec(
            *leash.command(program),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        self._background.spawn(self._listen(self._process), "Envoy's log")
        try:
            async with asyncio.timeout(START_SECONDS):
                self._admin = await self._wait_until_ready(self._session, self._process, address)
                self.url = f"http://127.0.0.1:{await self._admin.listener_port()}"
        except TimeoutError as fault:
            raise EnvoyStartError(f"not ready within {START_SECONDS:g} s: {self._last_words()}") from fault

    async def apply(self, state: MeshState) -> None:
        """Endpoints, new clusters, routes, and last the end of unused clusters: no request falls between."""
        wanted = frozenset(one.name for one in state.clusters)
        for cluster in state.clusters:
            self._write_endpoints(cluster)
        if self._clusters is None or wanted - self._clusters:
            await self._take_clusters(wanted | (self._clusters or frozenset()))
        routes = route_configuration(NAME, state.hosts)
        if routes != self._hosts:
            await self._taken(ROUTES, "rds.json", [routes])
            self._hosts = routes
        if state.tcp != self._tcp:
            await self._take_listeners(state.tcp)
        if self._clusters is not None and self._clusters - wanted:
            # What a cluster has counted goes with it.
            await self.counters()
            await self._take_clusters(wanted)

    async def counters(self) -> Counters:
        """Envoy's own counters, of clusters that have gone too."""
        return self._ledger.add(await self._ready_admin.counters())

    async def under_way(self) -> dict[ClusterName, int]:
        """Envoy's own gauges of requests that have not ended."""
        return await self._ready_admin.under_way()

    def tcp_address(self, port: int) -> tuple[str, int] | None:
        """Where the listener for a service's port is."""
        known = any(one.port == port for one in self._tcp)
        return (HOST, self._ports[port]) if known else None

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL to an Envoy that does not obey."""
        self._ending = True
        if self._process is not None:
            send(self._process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await self._process.wait()
            send(self._process, signal.SIGKILL)
            await self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
        await self._background.stop()
        if self._session is not None:
            await self._session.close()
        self._log.close()

    @property
    def _ready_admin(self) -> EnvoyAdmin:
        if self._admin is None:
            raise RuntimeError("Envoy has not been started")
        return self._admin

    async def _take_clusters(self, names: frozenset[ClusterName]) -> None:
        resources = [cluster_resource(self._endpoints[one], self._files[one]) for one in sorted(names, key=str)]
        await self._taken(CLUSTERS, "cds.json", resources)
        async with asyncio.timeout(TAKE_SECONDS):
            await self._warmed()
        self._clusters = names

    async def _take_listeners(self, routes: tuple[TcpRoute, ...]) -> None:
        for one in routes:
            self._ports.setdefault(one.port, free_port())
        listeners = [tcp_listener(one, self._ports[one.port]) for one in routes]
        await self._taken(LISTENERS, "lds.json", listeners)
        self._tcp = routes

    async def _warmed(self) -> None:
        while True:
            if not await self._ready_admin.warming():
                return
            await asyncio.sleep(POLL_SECONDS)

    def _write_endpoints(self, cluster: Cluster) -> None:
        if self._endpoints.get(cluster.name) == cluster:
            return
        path = self._files.setdefault(cluster.name, self._folder / f"eds-{len(self._files)}.json")
        self._write(path.name, [endpoints_resource(cluster)])
        self._endpoints[cluster.name] = cluster

    def _write(self, name: str, resources: list[Document]) -> int:
        """Write a new version beside the old file and rename it: Envoy never sees half of it."""
        self._version += 1
        path = self._folder / name
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(discovery_response(self._version, resources)))
        os.replace(draft, path)
        return self._version

    async def _taken(self, prefix: str, name: str, resources: list[Document]) -> None:
        """Write a file and wait until Envoy has taken it; Refusal with its reason."""
        before = await self._ready_admin.subscription(prefix)
        self._has_spoken.clear()
        version = self._write(name, resources)
        async with asyncio.timeout(TAKE_SECONDS):
            while True:
                now = await self._ready_admin.subscription(prefix)
                if now.version == str(version):
                    return
                if now.rejected > before.rejected:
                    # Its reason is in the log, which may be behind the counters.
                    await self._told(self._has_spoken)
                    raise Refusal(f"Envoy refused version {version}: {self._last_words()}")
                await asyncio.sleep(POLL_SECONDS)

    @staticmethod
    async def _told(words: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(WORDS_SECONDS):
                await words.wait()

    async def _wait_until_ready(
        self, session: aiohttp.ClientSession, process: asyncio.subprocess.Process, address: Path
    ) -> EnvoyAdmin:
        while process.returncode is None:
            told = _told(address)
            with suppress(aiohttp.ClientError):
                admin = EnvoyAdmin(f"http://{told}", session)
                if told and await admin.is_ready():
                    return admin
            await asyncio.sleep(POLL_SECONDS)
        await self._told(self._is_silent)
        raise EnvoyStartError(f"ended with {process.returncode}: {self._last_words()}")

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stderr is None:
            raise RuntimeError("Envoy is always started with a pipe")
        async for line in process.stderr:
            text = line.decode("utf-8", "replace").rstrip()
            self._words.append(text)
            self._has_spoken.set()
            log.debug("envoy: %s", text)
        self._is_silent.set()
        code = await process.wait()
        if not self._ending:
            log.error("Envoy has ended with %s: %s", code, self._last_words())

    def _last_words(self) -> str:
        return " / ".join(list(self._words)[-3:]) or "it said nothing"


def _told(address: Path) -> str:
    """The address Envoy has written, or nothing yet."""
    return address.read_text() if address.exists() else ""


class _Ledger:
    """Keeps totals growing although Envoy forgets a cluster's counters with the cluster."""

    def __init__(self) -> None:
        self._requests, self._connections = _Totals(), _Totals()

    def add(self, now: Counters) -> Counters:
        return Counters(self._requests.add(now.by_cluster), now.failed, self._connections.add(now.connections))


class _Totals:
    def __init__(self) -> None:
        self._last: dict[ClusterName, int] = {}
        self._kept: dict[ClusterName, int] = {}

    def add(self, now: dict[ClusterName, int]) -> dict[ClusterName, int]:
        for name, last in self._last.items():
            if now.get(name, 0) < last:
                self._kept[name] = self._kept.get(name, 0) + last
        self._last = dict(now)
        names = self._kept.keys() | now.keys()
        return {one: self._kept.get(one, 0) + now.get(one, 0) for one in names}
