"""Two days of a service's counters, for both kinds of Prometheus: a scrape a minute, pods that can differ."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from bot.metrics.prometheus import PrometheusMetrics
from bot.metrics.queries import Reporter
from bot.sandbox.prometheus import BuiltinPrometheus
from bot.sandbox.prometheus.labels import Labels
from tests.contract.metrics.service import durations, requests
from tests.contract.patience import PATIENCE
from tests.contract.prometheus.pair import served
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

EDGES = {"100": 0.9, "250": 0.97, "500": 0.995, "+Inf": 1.0}


@dataclass
class Days:
    """Counters that end a minute ago; `pods` pods of v1 behind one gateway, `per_minute` requests each."""

    minutes: int = 2880
    pods: int = 3
    per_minute: int = 300
    series: list[tuple[Mapping[str, str], NDArray[np.int64]]] = field(default_factory=list)
    end: int = field(default_factory=lambda: int(time.time()) // 60 * 60 - 60)

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.end, UTC)

    def fill(self, bad: NDArray[np.int64], version: str = "v1") -> Days:
        """`bad` requests of the pods, shape (pods, minutes): as the gateway and as each pod saw them."""
        good = np.full(bad.shape, self.per_minute) - bad
        source = {"reporter": "source", "instance": "gw-1"}
        for code, counts in (("200", good), ("503", bad)):
            self._add(requests(version, code, **source), counts.sum(axis=0))
            for pod, row in enumerate(counts):
                self._add(requests(version, code, reporter="destination", instance=f"{version}-{pod}"), row)
        for pod in range(len(bad)):
            for edge, share in EDGES.items():
                below = np.full(bad.shape[1], round(self.per_minute * share))
                self._add(durations(version, edge, instance=f"{version}-{pod}"), below)
        return self

    def gauge(self, values: NDArray[np.int64], **labels: str) -> Days:
        """A gauge with a value for each minute."""
        self.series.append((labels, np.concatenate(([values[0]], values))))
        return self

    def counter(self, counts: NDArray[np.int64], **labels: str) -> Days:
        """A counter of what happened in each minute."""
        self._add(labels, counts)
        return self

    def _add(self, labels: Mapping[str, str], counts: NDArray[np.int64]) -> None:
        self.series.append((labels, 1000 + np.concatenate(([0], np.cumsum(counts)))))

    @contextlib.contextmanager
    def read_by(self, folder: Path, reporter: Reporter = Reporter.BOTH) -> Iterator[list[PrometheusMetrics]]:
        """The adapter on the evaluator and on a real Prometheus."""
        with (
            running_prometheus(folder, past=self._open_metrics()) as real,
            served(BuiltinPrometheus(retention_ms=2**62)) as builtin,
        ):
            for labels, values in self.series:
                for place, value in enumerate(values):
                    builtin.store.append(Labels(labels), self._when(place) * 1000, float(value))
            both = [PrometheusMetrics(url, reporter, timeout=int(PATIENCE)) for url in (builtin.url, real)]
            yield both
            for metrics in both:
                metrics.close()

    def _when(self, place: int) -> int:
        return self.end - 60 * (self.minutes - place)

    def _open_metrics(self) -> str:
        lines: list[str] = []
        for name in dict.fromkeys(labels["__name__"] for labels, _ in self.series):
            lines.append(f"# TYPE {name} unknown")
            for labels, values in self.series:
                if labels["__name__"] == name:
                    inside = ",".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
                    lines += [f"{name}{{{inside}}} {value} {self._when(place)}" for place, value in enumerate(values)]
        return "\n".join([*lines, "# EOF\n"])
