"""The caller's sidecar: Istio's source-side metrics, and the last minutes by second for the page."""

from collections import deque
from dataclasses import dataclass, field

from bot.sandbox.cluster.istio_series import (
    NOBODY,
    UNKNOWN_NAME,
    Exchange,
    IstioSeries,
    ServiceName,
    Workload,
)
from bot.sandbox.mesh.proxy import Served

KEPT_SECONDS = 300
# Istio's word for a workload that says nothing of its version.
NO_REVISION = "latest"


@dataclass
class Second:
    """What one version answered (or nobody did) in one second."""

    requests: int = 0
    errors: int = 0
    durations: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, float | None]:
        """Counts and the 95th percentile of the durations in milliseconds."""
        return {"requests": self.requests, "errors": self.errors, "p95_ms": percentile(self.durations, 0.95)}


class SourceTelemetry:
    """Hears every request the proxy finished and counts it as Istio's source reporter does."""

    def __init__(self, source: Workload, service: str) -> None:
        self._source = source
        self._service = service
        self._series = IstioSeries("source")
        self._seconds: dict[int, dict[str, Second]] = {}
        self._order: deque[int] = deque()
        self.heard = 0

    def hear(self, served: Served, source: Workload | None = None) -> None:
        """Count one request, of another proxy than the caller's where `source` names it."""
        self.heard += 1
        service = self._service_of(served)
        destination = served.workload or NOBODY
        exchange = Exchange(source or self._source, destination, service, served.code, served.flags)
        self._series.record(exchange, served.milliseconds)
        if service.name == self._service:
            self._note(served)

    def render(self) -> str:
        """The text exposition, as the sidecar's /stats/prometheus gives it."""
        return self._series.render()

    def seconds(self, last: int, *, before: float) -> list[dict[str, object]]:
        """The last whole seconds that saw requests, oldest first, each with its versions."""
        chosen = sorted(one for one in self._seconds if one < int(before))[-last:]
        return [
            {
                "at": second,
                "versions": {name: one.summary() for name, one in sorted(self._seconds[second].items())},
            }
            for second in chosen
        ]

    def _note(self, served: Served) -> None:
        second = int(served.started + served.milliseconds / 1000)
        versions = self._seconds.get(second)
        if versions is None:
            versions = self._seconds[second] = {}
            self._order.append(second)
            if len(self._order) > KEPT_SECONDS:
                del self._seconds[self._order.popleft()]
        entry = versions.setdefault(version_of(served), Second())
        entry.requests += 1
        entry.errors += served.failed
        entry.durations.append(served.milliseconds)

    def _service_of(self, served: Served) -> ServiceName:
        if served.cluster is not None:
            return served.cluster.service
        # No cluster was chosen (NR, NC): Istio falls back to the host the caller asked for.
        host = served.authority.partition(":")[0]
        name, _, rest = host.partition(".")
        namespace = rest.split(".")[0] or self._source.namespace
        full = host if rest else f"{host}.{namespace}.svc.cluster.local"
        return ServiceName(full, name, namespace)


def version_of(served: Served) -> str:
    """The version that answered, by its workload when it has no version label; `unknown` when none did."""
    if served.workload is None:
        return UNKNOWN_NAME
    return served.workload.name if served.workload.version == NO_REVISION else served.workload.version


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that is not exceeded by this share of the values; None of no values."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
