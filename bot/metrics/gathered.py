"""What one look gives for one release besides errors and latency, on its way into the reading."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.metrics.connection import Connection, UnansweredError
from bot.metrics.growth import Starts
from bot.metrics.snapshots import Result
from bot.ports import Subject
from strategies.verdicts import Reading

Query = Callable[[Sequence[tuple[str, str]]], str]
FROM_NEXT = "The counters of {} are known from this look on; the next one has figures."


@dataclass(slots=True)
class Gathered:
    """Counts and levels by metric, of baseline and candidate, and why a metric has nothing."""

    subject: Subject
    reading: Reading
    at: datetime
    counts: tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, ...]]] = field(default_factory=lambda: ({}, {}))
    gauges: tuple[dict[str, float], dict[str, float]] = field(default_factory=lambda: ({}, {}))
    troubles: dict[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """The length of the look."""
        return (self.at - self.subject.since).total_seconds()

    @property
    def versions(self) -> tuple[str, str]:
        """Baseline and candidate."""
        return self.subject.target.baseline, self.subject.target.candidate

    @property
    def unnamed(self) -> str:
        """The versions whose Deployment is not known."""
        return " and ".join(each for each in self.versions if each not in self.subject.target.workloads)

    def workloads(self) -> Iterator[tuple[str, str]]:
        """Namespace and Deployment of both versions."""
        target = self.subject.target
        return ((target.namespace, target.workloads[version]) for version in self.versions)

    def trouble(self, metric: str, text: str) -> None:
        """Say why a metric has nothing; the first reason stands."""
        self.troubles.setdefault(metric, text)

    def onto(self) -> Reading:
        """The reading with all of it."""
        arms = (self.reading.baseline, self.reading.candidate)
        baseline, candidate = (
            replace(arm, counts=counts, gauges=gauges) if counts or gauges else arm
            for arm, counts, gauges in zip(arms, self.counts, self.gauges, strict=True)
        )
        return replace(self.reading, baseline=baseline, candidate=candidate, troubles=self.troubles)


def asked(
    connection: Connection, query: Query, looks: Sequence[Gathered], metrics: Sequence[str], starts: Starts
) -> tuple[Sequence[Result], Sequence[Gathered]]:
    """The answer for the workloads of all looks, and the looks that it is for; the others are told why."""
    for look in looks:
        for metric in metrics if look.unnamed else ():
            look.trouble(metric, f"No Deployment is known for {look.unnamed}.")
    known = [look for look in looks if not look.unnamed]
    if not known:
        return (), ()
    try:
        workloads = [workload for look in known for workload in look.workloads()]
        return connection.ask(query(workloads), known[0].at), known
    except UnansweredError as error:
        for look in known:
            starts.missed(look.subject.release, metrics, look.subject.since, look.at)
            for metric in metrics:
                look.trouble(metric, str(error))
        return (), ()
