"""What Prometheus scrapes: the caller's sidecar, the pods' sidecars, and what containers use."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bot.sandbox.cluster.istio_series import escape
from bot.sandbox.cluster.replica import Replica
from bot.sandbox.mesh.routing import ClusterName

STATS_PATH, CONTAINERS_PATH = "/stats/prometheus", "/metrics/cadvisor"
TEXT = "text/plain; version=0.0.4"


@dataclass(frozen=True)
class ScrapeTarget:
    """One URL for Prometheus, in its job and with its labels."""

    job: str
    url: str
    labels: dict[str, str] = field(default_factory=dict)


class MetricsServer:
    """Serves the caller's sidecar and the node's view of the containers on a free loopback port."""

    def __init__(
        self,
        sidecar: Callable[[], str],
        under_way: Callable[[], Awaitable[Mapping[ClusterName, int]]],
        replicas: Callable[[], Iterable[Replica]],
    ) -> None:
        self._sidecar = sidecar
        self._under_way = under_way
        self._replicas = replicas
        self._runner: web.AppRunner | None = None
        self.url = ""

    async def start(self) -> None:
        """Listen."""
        application = web.Application()
        application.router.add_get(STATS_PATH, self._stats)
        application.router.add_get(CONTAINERS_PATH, self._containers)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def targets(self, namespace: str, caller: str) -> list[ScrapeTarget]:
        """Every target as of now: a pod that does not run is not there, as service discovery has it."""
        found = [
            ScrapeTarget("sidecars", self.url + STATS_PATH, {"namespace": namespace, "pod": f"{caller}-0"}),
            ScrapeTarget("cadvisor", self.url + CONTAINERS_PATH),
        ]
        for one in self._replicas():
            if one.config["port"]:
                url = f"http://127.0.0.1:{one.config['port']}{STATS_PATH}"
                found.append(ScrapeTarget("sidecars", url, {"namespace": namespace, "pod": one.name}))
        return found

    async def _stats(self, _: web.Request) -> web.Response:
        text = self._sidecar() + active_requests(await self._under_way())
        return web.Response(body=text.encode(), headers={"Content-Type": TEXT})

    async def _containers(self, _: web.Request) -> web.Response:
        text = container_metrics(self._replicas())
        return web.Response(body=text.encode(), headers={"Content-Type": TEXT})


def active_requests(under_way: Mapping[ClusterName, int]) -> str:
    """Envoy's own gauge by cluster, as a sidecar exports it whose `proxyStatsMatcher` includes it."""
    lines = [
        f'envoy_cluster_upstream_rq_active{{cluster_name="{escape(str(one))}"}} {n}' for one, n in under_way.items()
    ]
    return "\n".join(["# TYPE envoy_cluster_upstream_rq_active gauge", *lines, ""]) if lines else ""


def container_metrics(replicas: Iterable[Replica]) -> str:
    """CPU and memory of the running containers, by the names the kubelet's cAdvisor gives them."""
    cpu = ["# TYPE container_cpu_usage_seconds_total counter"]
    memory = ["# TYPE container_memory_working_set_bytes gauge"]
    for one in replicas:
        if one.process is None:
            continue
        pairs = {
            "container": one.document["spec"]["containers"][0]["name"],
            "namespace": one.document["metadata"]["namespace"],
            "pod": one.name,
        }
        labels = ",".join(f'{key}="{escape(value)}"' for key, value in pairs.items())
        cpu.append(f"container_cpu_usage_seconds_total{{{labels}}} {one.process.cpu_seconds!r}")
        memory.append(f"container_memory_working_set_bytes{{{labels}}} {one.process.memory_bytes}")
    return "\n".join([*cpu, *memory, ""])
