"""Query results as counter snapshots, one per service."""

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

Result = Mapping[str, Any]
"""One series of an instant query's answer, as Prometheus' HTTP API gives it."""


class Source(NamedTuple):
    """Whose counter it is."""

    version: str
    workload: str
    instance: str


class Answer(NamedTuple):
    """A counter of requests that were answered alike."""

    source: Source
    code: str
    flags: str
    grpc: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The last counters of an instance that is not scraped now, kept for some looks in case it comes back."""

    counters: "Snapshot"
    looks: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One service's counters at one instant.

    `is_watched` is True when the snapshot before it is known too: only then is an instance that appears known to be
    new, and not one whose scrape had failed. `received` are the receivers' own counts where they were asked for too
    (None where not): mirrored requests are in no other.
    """

    at: datetime
    answers: Mapping[Answer, float] = field(default_factory=dict)
    durations: Mapping[Source, Mapping[float, float]] = field(default_factory=dict)
    gone: Mapping[str, Gone] = field(default_factory=dict)
    is_watched: bool = False
    received: Mapping[Answer, float] | None = None

    def as_received(self) -> "Snapshot":
        """The same instant by the receivers' account."""
        gone = {name: replace(last, counters=last.counters.as_received()) for name, last in self.gone.items()}
        return replace(self, answers=self.received or {}, gone=gone)


@dataclass(frozen=True, slots=True)
class Scrapes:
    """When instances were scraped last, in seconds since 1970: by service, reporter and instance.

    `places` are the pods that instances belong to: a pod scraped by two jobs, or at two ports, tells everything twice.
    """

    newest: Mapping[tuple[str, str], Mapping[str, float]]
    places: Mapping[str, str] = field(default_factory=dict)

    def of(self, host: str, reporter: str, but: Collection[str] = ()) -> Mapping[str, float]:
        """The instances that know the service, one of each pod; those of `but` only where a pod has no other.

        Which of them is a matter of their names, so that it stays the same from look to look.
        """
        known = self.newest.get((host, reporter), {})
        chosen: dict[str, str] = {}
        for name in sorted(known, key=lambda name: (name in but, name)):
            chosen.setdefault(self.places.get(name, name), name)
        return {name: known[name] for name in chosen.values()} if len(chosen) < len(known) else known


def snapshots(
    hosts: Iterable[str], at: datetime, requests: Sequence[Result], durations: Sequence[Result]
) -> dict[str, Snapshot]:
    """A snapshot for each host; empty where Prometheus has no series."""
    answers: dict[str, dict[Answer, float]] = {host: {} for host in hosts}
    times: dict[str, dict[Source, dict[float, float]]] = {host: {} for host in answers}
    for result in requests:
        labels = result["metric"]
        if (known := answers.get(labels["destination_service"])) is not None:
            known[answer(labels)] = float(result["value"][1])
    for result in durations:
        labels = result["metric"]
        if (buckets := times.get(labels["destination_service"])) is not None and "le" in labels:
            buckets.setdefault(source(labels), {})[float(labels["le"])] = float(result["value"][1])
    return {host: Snapshot(at, answers[host], times[host]) for host in answers}


def with_received(found: Mapping[str, Snapshot], requests: Sequence[Result]) -> dict[str, Snapshot]:
    """The snapshots with what the receivers say, from the answer that names the reporter."""
    theirs = snapshots(found, next(iter(found.values())).at, of_reporter(requests, "destination"), ())
    return {host: replace(snapshot, received=theirs[host].answers) for host, snapshot in found.items()}


def of_reporter(requests: Sequence[Result], reporter: str) -> list[Result]:
    """The series of one reporter alone."""
    return [result for result in requests if result["metric"].get("reporter") == reporter]


def scrapes(results: Sequence[Result]) -> Scrapes:
    """The newest scrape of each instance."""
    newest: dict[tuple[str, str], dict[str, float]] = {}
    places: dict[str, str] = {}
    for result in results:
        labels = result["metric"]
        by_instance = newest.setdefault((labels["destination_service"], labels.get("reporter", "")), {})
        name = _instance(labels)
        by_instance[name] = float(result["value"][1])
        pod = labels.get("pod")
        places[name] = f"{labels.get('namespace', '')}/{pod}" if pod else _label(labels, "instance")
    return Scrapes(newest, places)


def answer(labels: Mapping[str, str]) -> Answer:
    """Whose counter of what kind of answers the labels name."""
    code, flags = _label(labels, "response_code"), _label(labels, "response_flags")
    return Answer(source(labels), code, flags, _label(labels, "grpc_response_status"))


def source(labels: Mapping[str, str]) -> Source:
    """Whose counter a series is."""
    version, workload = _label(labels, "destination_version"), _label(labels, "destination_workload")
    return Source(version, workload, _instance(labels))


def _instance(labels: Mapping[str, str]) -> str:
    """The scraped address, with the job that scrapes it where the answer tells."""
    job, instance = labels.get("job", ""), _label(labels, "instance")
    return sys.intern(f"{instance} {job}") if job else instance


def _label(labels: Mapping[str, str], name: str) -> str:
    # The same few words stand in thousands of series: one object each keeps a thousand services small.
    return sys.intern(labels.get(name, ""))
