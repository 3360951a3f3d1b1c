"""Random series of Istio's proxies and of containers: what the bot asks for, with resets, gaps and stale marks."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING

from bot.metrics import queries
from tests.contract.prometheus.random_series import Series, counted, gauge

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVICES = ("reviews", "cart")
HOSTS = tuple(f"{service}.shop.svc.cluster.local" for service in SERVICES)
VERSIONS = ("v1", "v2")
OWNERS = tuple(product(SERVICES, VERSIONS))
WORKLOADS = tuple(("shop", f"{service}-{version}") for service, version in OWNERS)
# How a request ended: code, flags, gRPC status.
ENDS = (("200", "-", ""), ("404", "-", ""), ("503", "UH", ""), ("200", "-", "14"), ("0", "DC", ""), ("0", "UC", ""))
EDGES = ("5", "250.0", "+Inf")
JOBS = ("sidecars", "once-more")


def random_telemetry(seed: int) -> Series:
    """Requests, durations, connections, what is under way, containers and owners' own; the same for a seed."""
    random = Random(seed * 104_729)
    return [series for owner in OWNERS for series in (*_proxies(random, *owner), *_pods(random, *owner))]


def _proxies(random: Random, service: str, version: str) -> Iterator[tuple[dict[str, str], list[tuple[int, float]]]]:
    host = f"{service}.shop.svc.cluster.local"
    for place in _places(random, service, version):
        of = {
            "destination_service": host,
            "destination_version": version,
            "destination_workload": f"{service}-{version}",
        }
        for code, flags, status in random.sample(ENDS, 4):
            answer = {"response_code": code, "response_flags": flags, "grpc_response_status": status}
            yield {"__name__": queries.REQUESTS, **of, **place, **answer}, counted(random)
        for name in (queries.CONNECTIONS, queries.CLOSED):
            yield {"__name__": name, **of, **place}, counted(random)
        for edge in EDGES:
            yield {"__name__": queries.DURATIONS, "le": edge, **of, **place}, counted(random)
        cluster = f"outbound|9080|{version}|{host}"
        yield {"__name__": queries.UNDER_WAY, "instance": place["instance"], "cluster_name": cluster}, gauge(random)


def _places(random: Random, service: str, version: str) -> Iterator[Mapping[str, str]]:
    """Who counts: two callers and a receiver, one of them scraped by two jobs."""
    twice = random.randrange(3)
    for n, reporter in enumerate(("source", "source", "destination")):
        # A caller is a workload that is released itself.
        caller = SERVICES[SERVICES.index(service) - 1]
        pod = f"{caller}-{VERSIONS[n % 2]}-{n}" if reporter == "source" else f"{service}-{version}-{n}"
        sender = {"source_workload": f"{caller}-{VERSIONS[n % 2]}", "source_workload_namespace": "shop"}
        for job in JOBS if n == twice else JOBS[:1]:
            yield {
                "reporter": reporter,
                "instance": f"{pod}:{job}",
                "job": job,
                "pod": pod,
                "namespace": "shop",
                **sender,
            }


def _pods(random: Random, service: str, version: str) -> Iterator[tuple[dict[str, str], list[tuple[int, float]]]]:
    yield {"__name__": "orders_total", "service": service, "version": version}, counted(random)
    for pod in (f"{service}-{version}-5d8f9c7b6d-bcdfg", f"{service}-{version}-5d8f9c7b6d-hjklm"):
        for container, job in (("app", "kubelet"), ("app", "again"), ("istio-proxy", "kubelet"), ("POD", "kubelet")):
            place = {"namespace": "shop", "pod": pod, "container": container, "job": job}
            yield {"__name__": queries.CPU, "id": f"/{container}/{random.randint(0, 1)}", **place}, counted(random)
            yield {"__name__": queries.MEMORY, **place}, gauge(random)
