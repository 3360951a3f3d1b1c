"""The demonstration mesh: shop, pods, proxy, load and telemetry on any API server."""

import asyncio
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from bot.sandbox.cluster.client import PODS, VIRTUAL_SERVICES, KubernetesClient
from bot.sandbox.cluster.controller import DeploymentController
from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.cluster.pod_documents import SIDECAR
from bot.sandbox.cluster.pod_process import Knobs
from bot.sandbox.cluster.shop import PORT, SERVICE, plant
from bot.sandbox.mesh.discovery import is_ready
from bot.sandbox.mesh.gateway import IngressGateway
from bot.sandbox.mesh.load import Load
from bot.sandbox.mesh.matches import Caller
from bot.sandbox.mesh.proxies import build_proxy
from bot.sandbox.mesh.routing import ClusterName
from bot.sandbox.mesh.scrape import MetricsServer, ScrapeTarget
from bot.sandbox.mesh.source_telemetry import SourceTelemetry
from bot.sandbox.mesh.translator import Translator
from bot.sandbox.route_memory import VERSIONS

log = logging.getLogger(__name__)

READY_SECONDS = 60.0  # a second or two, but for a machine that is very slow or busy
CALLER = "shoppers"


class DemoMesh:
    """A shop whose traffic obeys the API server's VirtualServices, with knobs to make a version suffer."""

    def __init__(
        self,
        api_url: str,
        token: str | None = None,
        ca: Path | None = None,
        *,
        namespace: str = "shop",
        seed: int = 0,
        folder: Path,
    ) -> None:
        source = Workload.of_pod(CALLER, namespace, {"app": CALLER, "version": "v1"})
        caller = Caller(namespace, (("app", CALLER), ("version", "v1")))
        self._namespace = namespace
        self._folder = folder
        self._seed = seed
        self._client = KubernetesClient(api_url, token, ca)
        self._telemetry = SourceTelemetry(source, SERVICE)
        self._controller = DeploymentController(self._client, namespace, source=source, seed=seed)
        self._proxy = build_proxy(folder / "envoy", self._telemetry.hear, seed=seed)
        self._translator = Translator(self._client, namespace, self._proxy, caller=caller)
        self._metrics = MetricsServer(self._telemetry.render, self.under_way, self._controller.replicas.values)
        self._load: Load | None = None
        self._gateway: IngressGateway | None = None

    @property
    def envoy_url(self) -> str:
        """Where the callers' requests enter the mesh."""
        return self._proxy.url

    @property
    def envoy_admin_url(self) -> str:
        """The proxy's own counters."""
        return self._proxy.admin_url

    @property
    def stand_in_reason(self) -> str | None:
        """Why the proxy is not Envoy; None when it is."""
        return self._proxy.stand_in_reason

    @property
    def namespace(self) -> str:
        """Where the shop is."""
        return self._namespace

    @property
    def gateway_url(self) -> str:
        """Where requests from outside enter; only once `open_gateway` was called."""
        if self._gateway is None:
            raise RuntimeError("the gateway has not been opened")
        return self._gateway.proxy.url

    def gateway_serves(self, host: str) -> bool:
        """Whether the gateway has taken a route for a host."""
        return self._gateway is not None and self._gateway.serves(host)

    def tcp_address(self, port: int) -> tuple[str, int] | None:
        """Where connections to a port of the service enter the mesh; None while no tcp route is meant for it."""
        return self._proxy.tcp_address(port)

    @property
    def load(self) -> Load:
        """The callers."""
        if self._load is None:
            raise RuntimeError("the mesh has not been started")
        return self._load

    async def start(self) -> None:
        """Plant the shop, start all, and return once every pod serves; what was started is ended on failure."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        await self._client.__aenter__()
        # All run to their end before the first failure is raised: a start cut short could not be undone.
        starts = (self._proxy.start(), plant(self._client, self._namespace), self._metrics.start())
        for result in await asyncio.gather(*starts, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result
        await self._controller.start()
        await self._translator.start()
        async with asyncio.timeout(READY_SECONDS):
            await self._controller.ready()
            await self._translator.serves(len(self._controller.replicas))
        self._load = Load(self._proxy.url, f"{SERVICE}:{PORT}", seed=self._seed)
        await self._load.start()

    async def open_gateway(self) -> None:
        """Start the ingress gateway, a second proxy that a shop without VirtualServices for it can do without."""
        if self._gateway is None:
            folder = self._folder / "gateway"
            gateway = IngressGateway(self._client, self._namespace, folder, self._telemetry, seed=self._seed)
            try:
                await gateway.start()
            except BaseException:
                await gateway.stop()
                raise
            self._gateway = gateway

    async def close_gateway(self) -> None:
        """End it; its counters go with it."""
        gateway, self._gateway = self._gateway, None
        if gateway is not None:
            await gateway.stop()

    async def stop(self) -> None:
        """End the load, the proxies and every pod; nothing is left after two seconds."""
        if self._load is not None:
            await self._load.stop()
        await self._translator.stop()
        await asyncio.gather(self._controller.stop(), self._proxy.stop(), self._metrics.stop(), self.close_gateway())
        await self._client.__aexit__(None, None, None)

    async def set_knob(
        self,
        version: str,
        *,
        error_rate: float | None = None,
        delay_ms: float | None = None,
        orders: float | None = None,
        dead: bool | None = None,
        service: str = SERVICE,
    ) -> Knobs:
        """Turn the knobs of a version's pods; what is not named stays. ValueError for an impossible value."""
        if error_rate is not None and not 0 <= error_rate <= 1:
            raise ValueError(f"error_rate is a share between 0 and 1, not {error_rate:g}")
        if delay_ms is not None and not 0 <= delay_ms <= 60_000:
            raise ValueError(f"delay_ms is between 0 and 60000, not {delay_ms:g}")
        if orders is not None and not 0 <= orders <= 1:
            raise ValueError(f"orders is the part between 0 and 1 that is not lost, not {orders:g}")
        named = {"error_rate": error_rate, "delay_ms": delay_ms, "orders": orders, "dead": dead}
        changes: dict[str, Any] = {key: value for key, value in named.items() if value is not None}
        knobs = replace(self._controller.knobs(service, version), **changes)
        await self._controller.set_knobs(service, version, knobs)
        return knobs

    async def set_shop(self, *, rate: float | None = None, dependency: float | None = None) -> None:
        """How many requests a second callers send, and the share that fails in both versions alike."""
        if rate is not None:
            self.load.rate = rate
        if dependency is not None:
            for version in VERSIONS:
                knobs = replace(self._controller.knobs(SERVICE, version), dependency=dependency)
                await self._controller.set_knobs(SERVICE, version, knobs)

    async def counters(self) -> dict[str, int]:
        """The proxy's own counts since the start: requests by version, mirrored ones apart, failures.

        A request to the service as a whole, without a subset, is under `any`; `mirrored:v2` counts copies;
        `gateway:v2` is what came in by the gateway, `tcp:v2` counts opened connections; `failed` is what callers got
        with 5xx, at either proxy.
        """
        found = await self._proxy.counters()
        counts = self._by_version(found.by_cluster)
        tcp = {one: number for one, number in found.connections.items() if self.tcp_address(one.port) is not None}
        counts |= {f"tcp:{name}": number for name, number in self._by_version(tcp).items()}
        failed = found.failed
        if self._gateway is not None:
            outside = await self._gateway.proxy.counters()
            counts |= {f"gateway:{name}": number for name, number in self._by_version(outside.by_cluster).items()}
            failed += outside.failed
        return counts | {"failed": failed}

    async def under_way(self) -> dict[ClusterName, int]:
        """Requests that have begun and not ended, by cluster, at both proxies; none of a proxy that does not answer."""
        found: dict[ClusterName, int] = {}
        for proxy in (self._proxy, *([self._gateway.proxy] if self._gateway is not None else [])):
            with suppress(aiohttp.ClientError, TimeoutError, RuntimeError):
                for cluster, number in (await proxy.under_way()).items():
                    found[cluster] = found.get(cluster, 0) + number
        return found

    async def log_of(self, namespace: str, pod: str, container: str) -> str | None:
        """The access log of a pod's sidecar; None of anything else, and of a pod that does not run."""
        replica = self._controller.replicas.get(pod) if namespace == self._namespace else None
        return await replica.access_log() if replica is not None and container == SIDECAR["name"] else None

    def _by_version(self, clusters: Mapping[ClusterName, int]) -> dict[str, int]:
        counts: dict[str, int] = {}
        for cluster, number in clusters.items():
            if cluster.service.name == SERVICE and cluster.service.namespace == self._namespace:
                name = cluster.subset or "any"
                key = f"mirrored:{name}" if cluster.is_mirror else name
                counts[key] = counts.get(key, 0) + number
        return counts

    def scrape_targets(self) -> list[ScrapeTarget]:
        """What Prometheus has to scrape as of now."""
        return self._metrics.targets(self._namespace, CALLER)

    def snapshot(self, seconds: int = 120) -> dict[str, Any]:
        """What the page shows: traffic by second and version, pods, knobs, the VirtualService."""
        push = self._translator.push
        return {
            "proxy": {"stand_in_reason": self.stand_in_reason, **vars(push)},
            "ignored": list(self._translator.state.ignored),
            "seconds": self._telemetry.seconds(seconds, before=time.time()),
            "callers": self.load.seconds(seconds),
            "total": {"sent": self.load.total.sent, "failed": self.load.total.failed},
            "rate": self.load.rate,
            "pods": [_pod(one) for one in self._translator.objects(PODS).values()],
            "knobs": self._controller.all_knobs(),
            "virtual_services": self._translator.objects(VIRTUAL_SERVICES),
            "served_virtual_services": self._translator.served,
        }


def _pod(document: dict[str, Any]) -> dict[str, Any]:
    statuses = document.get("status", {}).get("containerStatuses", [])
    waiting = [one["state"]["waiting"]["reason"] for one in statuses if "waiting" in one.get("state", {})]
    return {
        "name": document["metadata"]["name"],
        "version": document["metadata"].get("labels", {}).get("version", ""),
        "app": document["metadata"].get("labels", {}).get("app", ""),
        "ready": is_ready(document),
        "reason": waiting[0] if waiting else None,
        "restarts": sum(one.get("restartCount", 0) for one in statuses),
    }
