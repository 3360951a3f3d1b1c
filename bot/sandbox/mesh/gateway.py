"""The ingress gateway: a proxy of its own at the edge, which obeys the VirtualServices that name a gateway."""

from functools import partial
from pathlib import Path

from bot.sandbox.cluster.client import KubernetesClient
from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.mesh.matches import Caller
from bot.sandbox.mesh.proxies import build_proxy
from bot.sandbox.mesh.source_telemetry import SourceTelemetry
from bot.sandbox.mesh.translator import Translator

NAME, NAMESPACE = "istio-ingressgateway", "istio-system"
LABELS = {"istio": "ingressgateway", "app": NAME}


class IngressGateway:
    """One proxy for every gateway that a VirtualService names; what it serves is counted as its own."""

    def __init__(
        self, client: KubernetesClient, namespace: str, folder: Path, telemetry: SourceTelemetry, *, seed: int
    ) -> None:
        source = Workload.of_pod(NAME, NAMESPACE, LABELS)
        caller = Caller(NAMESPACE, tuple(LABELS.items()), is_gateway=True)
        self.proxy = build_proxy(folder, partial(telemetry.hear, source=source), seed=seed)
        self._translator = Translator(client, namespace, self.proxy, caller=caller)

    async def start(self) -> None:
        """Serve; without a VirtualService of its own every request is answered with 404."""
        await self.proxy.start()
        await self._translator.start()

    def serves(self, host: str) -> bool:
        """Whether its proxy has taken a route for a host."""
        return any(host in one.domains for one in self._translator.state.hosts)

    async def stop(self) -> None:
        """End the proxy."""
        await self._translator.stop()
        await self.proxy.stop()
