"""CPU and memory of a version's pods, from what the kubelet says of containers."""

import math
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from bot.metrics import queries
from bot.metrics.connection import Connection
from bot.metrics.gathered import Gathered, asked
from bot.metrics.growth import Shelf, Starts
from bot.metrics.snapshots import Result

CPU, MEMORY = "cpu", "memory"
LEVELS = frozenset({CPU, MEMORY})
STALE = 60.0  # seconds without a new scrape after which a rate says nothing of now
# The letters that Kubernetes makes names of: no vowels, so that another Deployment's name is not taken for a hash.
_LETTERS = "[bcdfghjklmnpqrstvwxz2456789]"


class Container(NamedTuple):
    """Whose counter it is."""

    pod: str
    name: str
    id: str


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds and bytes of the containers of each namespace, by pod."""

    cpu: Mapping[str, Mapping[str, Mapping[Container, float]]] = field(default_factory=dict)
    memory: Mapping[str, Mapping[str, Mapping[Container, float]]] = field(default_factory=dict)


def usage(results: Sequence[Result]) -> Usage:
    """The answer of `queries.resources`."""
    found: dict[str, dict[str, dict[str, dict[Container, float]]]] = {CPU: {}, MEMORY: {}}
    for result in results:
        labels = result["metric"]
        container = Container(labels.get("pod", ""), labels.get("container", ""), labels.get("id", ""))
        pods = found.setdefault(labels.get(queries.PART, ""), {}).setdefault(labels.get("namespace", ""), {})
        pods.setdefault(container.pod, {})[container] = float(result["value"][1])
    return Usage(found[CPU], found[MEMORY])


def pods_of(workload: str, names: Iterable[str]) -> list[str]:
    """The pods that carry the name of a Deployment or a StatefulSet."""
    pattern = re.compile(rf"{re.escape(workload)}-(?:{_LETTERS}{{1,10}}-{_LETTERS}{{5}}|\d+)")
    return [name for name in names if pattern.fullmatch(name)]


def memory(pods: Mapping[str, Mapping[Container, float]]) -> float | None:
    """Bytes per pod; None without a pod."""
    sums = [math.fsum(containers.values()) for containers in pods.values()]
    return fmean(sums) if sums else None


def instance(container: Hashable) -> str:
    """The pod of a counter."""
    return container.pod if isinstance(container, Container) else ""


@dataclass(frozen=True, slots=True)
class Rates:
    """Cores of each pod and how long ago that was, in seconds.

    Kubelets are scraped more seldom than looks are taken: a counter that stands still was not scraped again, and the
    rate of before is the present one for a minute.
    """

    pods: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def after(self, grown: Mapping[Container, float] | None, pods: Iterable[str], seconds: float) -> "Rates":
        """The rates after a look: what a pod used since its last scrape, over the time that passed since."""
        used: dict[str, float] = {}
        for container, more in (grown or {}).items():
            used[container.pod] = used.get(container.pod, 0.0) + more
        found: dict[str, tuple[float, float]] = {}
        for pod in pods:
            rate, waited = self.pods.get(pod, (math.nan, 0.0))
            waited += seconds if grown is not None else 0.0
            if used.get(pod, 0.0) > 0 and waited > 0:
                rate, waited = used[pod] / waited, 0.0
            found[pod] = (rate if waited <= STALE else math.nan, waited)
        return Rates(found)

    @property
    def mean(self) -> float | None:
        """Cores per pod, of the pods whose rate is known; None when none is."""
        known = [rate for rate, _ in self.pods.values() if not math.isnan(rate)]
        return fmean(known) if known else None


class Resources:
    """One query for the pods of all releases; remembers what the look before read."""

    def __init__(self, connection: Connection, starts: Starts) -> None:
        self._connection = connection
        self._starts = starts
        self.rates: Shelf[Rates] = Shelf()

    def read(self, looks: Sequence[Gathered]) -> None:
        """Put cores and bytes per pod of both versions into each look."""
        results, known = asked(self._connection, queries.resources, looks, sorted(LEVELS), self._starts)
        used = usage(results)
        for look in known:
            for arm, (version, place) in enumerate(zip(look.versions, look.workloads(), strict=True)):
                self._see(look, arm, version, used, place)

    def _see(self, look: Gathered, arm: int, version: str, used: Usage, place: tuple[str, str]) -> None:
        namespace, workload = place
        cpu, bytes_used = used.cpu.get(namespace, {}), used.memory.get(namespace, {})
        levels = {
            CPU: self._cores(look, version, {name: cpu[name] for name in pods_of(workload, cpu)}),
            MEMORY: memory({name: bytes_used[name] for name in pods_of(workload, bytes_used)}),
        }
        for metric, level in levels.items():
            if level is not None:
                look.gauges[arm][metric] = level
            else:
                name = queries.CPU if metric == CPU else queries.MEMORY
                look.trouble(metric, f"Prometheus has no {name} that tells of pods of {workload} in this look.")

    def _cores(self, look: Gathered, version: str, pods: Mapping[str, Mapping[Container, float]]) -> float | None:
        part = (look.subject.release, CPU, version)
        now = {container: seconds for containers in pods.values() for container, seconds in containers.items()}
        grown = self._starts.take(part, look.subject.since, look.at, now, instance)
        before = self.rates.get(part)
        rates = (before[0] if before else Rates()).after(grown, pods, look.seconds)
        self.rates.put(part, rates, look.at)
        return rates.mean
