"""Callers and scrapes: counters that follow the routes, the pods and the faults, put straight into the sample store."""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING

from bot.sandbox.prometheus.labels import Labels
from tests.chaos import routes
from tests.chaos.shop import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sandbox.prometheus.samples import SampleStore
    from tests.chaos.cluster import Cluster
    from tests.chaos.shop import Service

TICK = 0.5
REQUESTS = 100  # of each service in a tick
EDGES = ("25", "50", "100", "250", "1000", "+Inf")
Key = tuple[str, str, str, str, str]  # service, reporter, version, code, flags


class Traffic:
    """Every tick is a scrape, too: what was counted once is told again and again."""

    def __init__(self, store: SampleStore, cluster: Cluster, services: Sequence[Service], seed: int) -> None:
        self._store = store
        self._cluster = cluster
        self._services = services
        self._chance = random.Random(seed)
        self._counts: dict[Key, int] = {}
        self._labels: dict[tuple[Key, str], Labels] = {}

    async def run(self) -> None:
        """For ever."""
        while True:
            for one in self._services:
                self._send(one)
            self._scrape(round(time.time() * 1000))
            self._store.sweep(round(time.time() * 1000))
            await asyncio.sleep(TICK)

    def _send(self, one: Service) -> None:
        for version in ("v1", "v2"):
            for reporter in ("source", "destination"):
                self._count(one, reporter, version, "200", "-", 0)
        route = self._cluster.now("virtualservices", one.name)
        if route is None:
            return
        known = self._cluster.now("destinationrules", one.name) or {"spec": {}}
        subsets = {each["name"] for each in known["spec"].get("subsets") or []}
        for subset, part, is_copy in routes.split(route):
            count = sum(self._chance.random() < part for _ in range(REQUESTS))
            if not count:
                continue
            if subset not in subsets or not self._cluster.ready(one.name, subset):
                if not is_copy:
                    self._count(one, "source", "unknown", "503", "UH", count)
                continue
            bad = sum(self._chance.random() < one.errors.get(subset, 0.0) for _ in range(count))
            for code, many in (("200", count - bad), ("503", bad)):
                for reporter in ("destination",) if is_copy else ("source", "destination"):
                    self._count(one, reporter, subset, code, "-", many)

    def _count(self, one: Service, reporter: str, version: str, code: str, flags: str, many: int) -> None:
        key = (one.name, reporter, version, code, flags)
        self._counts[key] = self._counts.get(key, 0) + many

    def _scrape(self, at: int) -> None:
        timed = {one.name for one in self._services if "latency_p95" in one.profile["metrics"]}
        for key, count in self._counts.items():
            self._store.append(self._series(key, ""), at, count)
            if key[0] in timed:
                for edge in EDGES:
                    self._store.append(self._series(key, edge), at, count)

    def _series(self, key: Key, edge: str) -> Labels:
        found = self._labels.get((key, edge))
        if found is None:
            found = self._labels[key, edge] = Labels(_labels(key, edge))
        return found


def _labels(key: Key, edge: str) -> dict[str, str]:
    service, reporter, version, code, flags = key
    pod = "caller-0" if reporter == "source" else f"{service}-{version}-0"
    name = "istio_request_duration_milliseconds_bucket" if edge else "istio_requests_total"
    workload = "unknown" if version == "unknown" else f"{service}-{version}"
    return {
        "__name__": name,
        "job": "istio",
        "instance": f"{pod}:15020",
        "namespace": NAMESPACE,
        "pod": pod,
        "reporter": reporter,
        "source_workload": "caller",
        "source_workload_namespace": NAMESPACE,
        "destination_service": f"{service}.{NAMESPACE}.svc.cluster.local",
        "destination_service_name": service,
        "destination_service_namespace": NAMESPACE,
        "destination_workload": workload,
        "destination_workload_namespace": NAMESPACE,
        "destination_version": version,
        "request_protocol": "http",
        "response_code": code,
        "response_flags": flags,
        "grpc_response_status": "",
        "le": edge,
    }
