"""Every part of the sandbox, started side by side, told where the others are, and ended together."""

import asyncio
import logging
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from bot.sandbox.bot_files import NAMESPACE, BotFiles, Neighbours
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.cluster.background import Background
from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.kubernetes import KubernetesApi
from bot.sandbox.mesh.demo import DemoMesh
from bot.sandbox.ports import free_port
from bot.sandbox.prometheus import Mode, Target, choose
from bot.sandbox.route_memory import RouteMemory, everything_asked
from bot.sandbox.slack import SlackStandIn
from bot.sandbox.watchers import Watchers
from bot.sandbox.web_server import WebServer

log = logging.getLogger(__name__)

READY_SECONDS = 90.0  # on a slow machine
STOP_SECONDS = 2.5
ROUTE_SECONDS, COPIES_SECONDS = 0.1, 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the person chose."""

    seed: int = 0
    prometheus: Mode = "auto"


@dataclass(slots=True)
class Times:
    """Seconds from the start until a part was up."""

    began: float = field(default_factory=time.monotonic)
    parts: dict[str, float] = field(default_factory=dict)

    async def of(self, part: str, work: Awaitable[object]) -> None:
        """Wait for a part and note when it was up."""
        await work
        self.parts[part] = round(time.monotonic() - self.began, 2)


class Supervisor:
    """The running sandbox; `watchers` tells whoever follows that something is to be seen."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.folder = Path(tempfile.mkdtemp(prefix="sluice-sandbox-"))
        self.files = BotFiles(self.folder)
        self.watchers = Watchers()
        self.times = Times()
        self.slack = SlackStandIn()
        self._token = secrets.token_hex(12)
        self._kubernetes = WebServer(KubernetesApi(self._token, self._log_of).application())
        self.prometheus = choose(options.prometheus, self._targets)
        self.bot = BotProcess(self.folder, self.files.log, free_port(), self.watchers.tell)
        self.mesh: DemoMesh | None = None
        self._page: WebServer | None = None
        self.route = RouteMemory()
        self.copies = 0.0
        self._background = Background()
        self.is_up = False

    @property
    def live_mesh(self) -> DemoMesh:
        """The mesh; only once started."""
        if self.mesh is None:
            raise RuntimeError("the sandbox has not been started")
        return self.mesh

    @property
    def page_url(self) -> str:
        """Where the page is."""
        return self._page.url if self._page is not None else ""

    @property
    def kubernetes_url(self) -> str:
        """Where the API server stand-in answers."""
        return self._kubernetes.url

    @property
    def kubernetes_token(self) -> str:
        """The one token it takes."""
        return self._token

    async def show(self, page: web.Application, bound: socket.socket) -> None:
        """Serve the page first of all, so that a browser finds something from the first moment."""
        self._page = WebServer(page)
        await self._page.start(bound)

    async def start(self) -> None:
        """Start every part and return once the bot is ready; what was started is ended by `stop`."""
        self._background.spawn(self._follow_slack(), "Slack's changes")
        await _all(
            self.times.of("slack", self.slack.start()),
            self.times.of("kubernetes", self._kubernetes.start()),
            self.times.of("prometheus", self.prometheus.start()),
        )
        self.mesh = DemoMesh(
            self.kubernetes_url, self._token, namespace=NAMESPACE, seed=self.options.seed, folder=self.folder / "mesh"
        )
        neighbours = self._neighbours()
        self.files.write(neighbours)
        port = int(self.bot.url.rpartition(":")[2])
        await self.bot.start(self.files.environment(neighbours, port))
        await _all(
            self.times.of("mesh", self.mesh.start()),
            self.times.of("bot", self.bot.ready(READY_SECONDS)),
        )
        self._background.spawn(self._follow_route(self.mesh), "the route's changes")
        self._background.spawn(self._follow_copies(self.mesh), "copies of requests")
        self.is_up = True
        self.watchers.tell()

    async def stop(self, *, keep_folder: bool = False) -> None:
        """End everything; the folder with the logs goes too, unless somebody still has to read them."""
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._stop()
        except TimeoutError:
            log.error("not everything ended within %s s; what is left ends with this process", STOP_SECONDS)
        if not keep_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    async def _stop(self) -> None:
        await self._background.stop()
        self.watchers.close()
        # The bot goes first: its last words need its neighbours. The mesh goes at the same time: it takes longest.
        stops = [self.bot.stop(), self.mesh.stop() if self.mesh is not None else asyncio.sleep(0)]
        await asyncio.gather(*stops, return_exceptions=True)
        rest = [self.prometheus.stop(), self.slack.stop(), self._kubernetes.stop()]
        if self._page is not None:
            rest.append(self._page.stop())
        for result in await asyncio.gather(*rest, return_exceptions=True):
            if isinstance(result, Exception):
                log.error("ending the sandbox: %r", result)

    def stand_ins(self) -> list[str]:
        """Which parts are not the real thing, in words."""
        found = ["Kubernetes API", "istiod (VirtualService to Envoy translator)", "sidecar telemetry", "Slack"]
        if self.prometheus.stand_in is not None:
            found.append(self.prometheus.stand_in)
        if self.mesh is not None and self.mesh.stand_in_reason is not None:
            found.append(f"Envoy (weighted picker: {self.mesh.stand_in_reason})")
        return found

    def users(self) -> dict[str, str]:
        """The people one can be, by name."""
        return {user.name: user.id for user in self.slack.state.users.values() if not user.is_bot}

    def addresses(self) -> dict[str, object]:
        """What the ready file says; each key is a contract."""
        mesh = self.live_mesh
        return {
            "page": self.page_url,
            "bot": self.bot.url,
            "slack": self.slack.state.base_url,
            "kubernetes": self.kubernetes_url,
            "kubeconfig": str(self.files.kubeconfig),
            "prometheus": self.prometheus.url,
            "envoy": mesh.envoy_url,
            "envoy_admin": mesh.envoy_admin_url,
            "users": self.users(),
            "stand_ins": self.stand_ins(),
        }

    def _neighbours(self) -> Neighbours:
        settings = self.slack.settings
        return Neighbours(
            kubernetes=self.kubernetes_url,
            kubernetes_token=self._token,
            prometheus=self.prometheus.url,
            slack_api=self.slack.api_url,
            slack_bot_token=settings.bot_token,
            slack_app_token=settings.app_token,
        )

    def _targets(self) -> list[Target]:
        if self.mesh is None:
            return []
        return [Target(one.job, one.url, one.labels) for one in self.mesh.scrape_targets()]

    async def _log_of(self, namespace: str, pod: str, container: str) -> str | None:
        return await self.mesh.log_of(namespace, pod, container) if self.mesh is not None else None

    async def _follow_slack(self) -> None:
        async for _ in self.slack.subscribe():
            self.watchers.tell()

    async def _follow_route(self, mesh: DemoMesh) -> None:
        while True:
            self.route.see(mesh.snapshot(1)["virtual_services"].get(SERVICE) or {})
            await asyncio.sleep(ROUTE_SECONDS)

    async def _follow_copies(self, mesh: DemoMesh) -> None:
        """How many copies a second v2 gets, by the proxy's counters; asked only while the route has a mirror."""
        before, since = None, 0.0
        while True:
            if everything_asked(mesh.snapshot(1)["virtual_services"].get(SERVICE) or {}).mirror is None:
                before, self.copies = None, 0.0
            else:
                now, at = (await mesh.counters()).get("mirrored:v2", 0), time.monotonic()
                self.copies = (now - before) / (at - since) if before is not None else 0.0
                before, since = now, at
            await asyncio.sleep(COPIES_SECONDS)


async def _all(*works: Awaitable[object]) -> None:
    """All run to their end before the first failure is raised: a start cut short could not be undone."""
    for result in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(result, BaseException):
            raise result
