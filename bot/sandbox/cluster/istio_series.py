"""Istio's standard request metrics: the exact labels, buckets and text, for either reporter."""

from bisect import bisect_left
from dataclasses import dataclass

BUCKETS_MS = (
    0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000,
    30000, 60000, 300000, 600000, 1800000, 3600000,
)  # fmt: skip
UNKNOWN_NAME = "unknown"


@dataclass(frozen=True)
class Workload:
    """Who sent or answered a request, as Istio's telemetry names it."""

    name: str
    namespace: str
    app: str
    version: str
    cluster: str = "Kubernetes"
    principal: str = ""

    @classmethod
    def of_pod(cls, workload: str, namespace: str, labels: dict[str, str]) -> "Workload":
        """The identity that a pod's labels give it."""
        app = labels.get("service.istio.io/canonical-name") or labels.get("app") or workload
        version = labels.get("service.istio.io/canonical-revision") or labels.get("version") or "latest"
        account = f"spiffe://cluster.local/ns/{namespace}/sa/default"
        return cls(workload, namespace, app, version, principal=account)


NOBODY = Workload(UNKNOWN_NAME, UNKNOWN_NAME, UNKNOWN_NAME, UNKNOWN_NAME, UNKNOWN_NAME, UNKNOWN_NAME)


@dataclass(frozen=True)
class ServiceName:
    """The host a request was meant for."""

    host: str
    name: str
    namespace: str


@dataclass(frozen=True)
class Exchange:
    """One kind of request and answer: everything but how often and how long."""

    source: Workload
    destination: Workload
    service: ServiceName
    code: int
    flags: str = "-"


class IstioSeries:
    """Counts requests and their durations, and renders them as a sidecar of Istio does."""

    def __init__(self, reporter: str) -> None:
        self._reporter = reporter
        self._counts: dict[Exchange, list[int]] = {}
        self._sums: dict[Exchange, float] = {}

    def record(self, exchange: Exchange, milliseconds: float) -> None:
        """Count one request. Each bucket keeps its own share; rendering adds them up."""
        counts = self._counts.get(exchange)
        if counts is None:
            counts = self._counts[exchange] = [0] * (len(BUCKETS_MS) + 1)
            self._sums[exchange] = 0.0
        counts[bisect_left(BUCKETS_MS, milliseconds)] += 1
        self._sums[exchange] += milliseconds

    def render(self) -> str:
        """The text exposition of all series so far."""
        requests = ["# TYPE istio_requests_total counter"]
        durations = ["# TYPE istio_request_duration_milliseconds histogram"]
        for exchange, counts in self._counts.items():
            labels = _labels(self._reporter, exchange)
            total = 0
            for edge, count in zip((*BUCKETS_MS, "+Inf"), counts, strict=True):
                total += count
                durations.append(f'istio_request_duration_milliseconds_bucket{{{labels},le="{edge}"}} {total}')
            requests.append(f"istio_requests_total{{{labels}}} {total}")
            durations.append(f"istio_request_duration_milliseconds_sum{{{labels}}} {self._sums[exchange]!r}")
            durations.append(f"istio_request_duration_milliseconds_count{{{labels}}} {total}")
        return "\n".join([*requests, *durations, ""])


def _labels(reporter: str, exchange: Exchange) -> str:
    source, destination, service = exchange.source, exchange.destination, exchange.service
    pairs = {
        "reporter": reporter,
        **_side("source", source),
        **_side("destination", destination),
        "destination_service": service.host,
        "destination_service_name": service.name,
        "destination_service_namespace": service.namespace,
        "request_protocol": "http",
        "response_code": str(exchange.code),
        "grpc_response_status": "",
        "response_flags": exchange.flags,
        # Only the receiving side can vouch for the security of a connection; Istio's source says unknown.
        "connection_security_policy": "mutual_tls" if reporter == "destination" else UNKNOWN_NAME,
    }
    return ",".join(f'{name}="{escape(value)}"' for name, value in pairs.items())


def _side(side: str, workload: Workload) -> dict[str, str]:
    unknown = workload.name == UNKNOWN_NAME
    return {
        f"{side}_workload": workload.name,
        f"{side}_workload_namespace": workload.namespace,
        f"{side}_principal": workload.principal,
        f"{side}_app": workload.app,
        f"{side}_version": workload.version,
        f"{side}_cluster": workload.cluster,
        f"{side}_canonical_service": workload.app,
        f"{side}_canonical_revision": "latest" if unknown else workload.version,
    }


def escape(value: str) -> str:
    """A label value as the text format wants it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
