"""A service's counters as samples of our choosing, for either Prometheus."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.metrics.prometheus import PrometheusMetrics
from bot.metrics.queries import Reporter
from bot.ports import Subject
from tests.builders import a_target
from tests.contract.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from strategies.release import Target
    from strategies.verdicts import Reading
    from tests.contract.prometheus.pair import Pair

HOST = "reviews.shop.svc.cluster.local"
# Whole seconds shortly ago: a real Prometheus refuses samples far from its own clock.
START = int(time.time()) - 600


def at(second: float) -> datetime:
    return datetime.fromtimestamp(START + second, UTC)


def requests(version: str, code: str = "200", **labels: str) -> dict[str, str]:
    workload = "unknown" if version == "unknown" else f"reviews-{version}"
    return {
        "__name__": "istio_requests_total",
        "reporter": "source",
        "instance": "gw-1",
        "destination_service": HOST,
        "destination_version": version,
        "destination_workload": workload,
        "response_code": code,
        "response_flags": "-",
    } | labels


def durations(version: str, edge: str, **labels: str) -> dict[str, str]:
    own = {"__name__": "istio_request_duration_milliseconds_bucket", "le": edge}
    place = {"reporter": "destination", "instance": f"{version}-1"}
    base = requests(version) | own | place | labels
    return {name: value for name, value in base.items() if name not in ("response_code", "response_flags")}


@dataclass
class Scraped:
    """Series that are scraped each five seconds."""

    pair: Pair
    series: list[tuple[Mapping[str, str], list[tuple[int, float]]]] = field(default_factory=list)

    def add(self, labels: Mapping[str, str], samples: Mapping[float, float]) -> Scraped:
        self.series.append((labels, [(round((START + when) * 1000), value) for when, value in samples.items()]))
        return self

    def store(self) -> None:
        self.pair.store(self.series)

    def looking(self, reporter: Reporter = Reporter.BOTH) -> Iterator[PrometheusMetrics]:
        for client in (self.pair.built, self.pair.real):
            metrics = PrometheusMetrics(str(client.base_url), reporter, timeout=int(PATIENCE))
            try:
                yield metrics
            finally:
                metrics.close()


def look(
    metrics: PrometheusMetrics,
    since: float,
    until: float,
    target: Target | None = None,
    *,
    is_mirrored: bool = False,
    is_copied: bool = False,
) -> Reading:
    subject = Subject("reviews-1", target or a_target(), at(since), is_mirrored, is_copied)
    return metrics.look([subject], at(until))["reviews-1"]
