"""Reads the minutes before a release: a bounded number of range queries, whatever the traffic."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from bot.metrics import minutes, queries
from bot.metrics import past_owners as owners
from bot.metrics.callers import OUTGOING
from bot.metrics.connection import RefusedError, UnansweredError
from bot.metrics.counters import UNKNOWN, picker
from bot.metrics.minutes import Ours
from bot.metrics.queries import Reporter
from bot.metrics.resources import LEVELS
from bot.metrics.snapshots import Result, source
from strategies.gates.course import MINUTE, YOUNG, Course, Level, Minutes, Recorded
from strategies.gates.exceedance import Exceedance, exceedance
from strategies.gates.latency import quantile, total
from strategies.gates.memory import ERRORS
from strategies.gates.thresholds import QUANTILES
from strategies.plan import Kind, Margin, MetricGate
from strategies.release import Target

LATELY = 60  # minutes that a latency's edge is chosen from
ENOUGH = 100  # requests in them; else all of the time is taken
USUAL = Margin(0.1, relative=True)  # for a latency that is only held to a limit


@dataclass(frozen=True, slots=True)
class Asked:
    """The past of the target's baseline on these gates, from `since` to `at`, within `patience` seconds."""

    target: Target
    host: str
    gates: Sequence[MetricGate]
    since: datetime
    at: datetime
    patience: float


class Asks(Protocol):
    """Who answers queries; UnansweredError for anything but an answer."""

    def ask(self, query: str, at: datetime | None = None, timeout: int | None = None) -> Sequence[Result]:
        """The values at an instant."""
        ...

    def ask_range(
        self, query: str, since: datetime, until: datetime, step: timedelta, timeout: int | None = None
    ) -> Sequence[Result]:
        """The values at each step."""
        ...


@dataclass(slots=True)
class Reader:
    """One reading: all queries share its time."""

    connection: Asks
    asked: Asked
    heard: set[str] = field(default_factory=set)  # series of the baseline that are there at all
    ends: float = field(init=False)

    def __post_init__(self) -> None:
        self.ends = time.monotonic() + self.asked.patience

    @property
    def length(self) -> int:
        """Minutes."""
        return round((self.asked.at - self.asked.since) / MINUTE)

    @property
    def is_ours(self) -> Ours:
        """Which series are the baseline's."""
        return picker(self.asked.target)(self.asked.target.baseline)

    def range(self, query: str) -> Sequence[Result]:
        """The values at each minute."""
        return self.connection.ask_range(query, self.asked.since, self.asked.at, MINUTE, self._left())

    def instant(self, query: str, at: datetime) -> Sequence[Result]:
        """The values at one time."""
        return self.connection.ask(query, at, self._left())

    def values(self, results: Sequence[Result], name: str = queries.REQUESTS) -> minutes.Values:
        """Those of the baseline; that there are any is remembered under the series' name."""
        found = minutes.values(results, self.is_ours, self.asked.since)
        if found:
            self.heard.add(name)
        return found

    def _left(self) -> int:
        left = self.ends - time.monotonic()
        if left <= 0:
            text = f"The past of {self.asked.target.service} was not read within {self.asked.patience:g} s."
            raise UnansweredError(text)
        return max(math.ceil(left), 1)


def read(connection: Asks, reporter: Reporter, asked: Asked) -> Recorded:
    """The courses and levels of the gates' metrics; what was read before trouble came is kept."""
    reading = _Reading(Reader(connection, asked), reporter)
    try:
        reading.istio()
        for gate in asked.gates:
            reading.other(gate)
    except UnansweredError as error:
        reading.trouble = str(error)
    missing = {} if reading.trouble else reading.missing
    return Recorded(asked.since, asked.at, reading.courses, missing, reading.trouble, reading.nameless, reading.levels)


@dataclass(slots=True)
class _Reading:
    """What was read so far."""

    reader: Reader
    reporter: Reporter
    courses: dict[str, Course] = field(default_factory=dict)
    levels: dict[str, Level] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    nameless: tuple[float, float] = (0.0, 0.0)
    by_pods: minutes.Values | None = None
    trouble: str = ""

    def istio(self) -> None:
        """Errors and latencies. Errors are read in any case: their requests are what others are counted out of."""
        asked = self.reader.asked
        self.courses[ERRORS], self.nameless = _errors(self.reader, self.reporter)
        latencies = [gate for gate in asked.gates if gate.measured is Kind.LATENCY]
        if latencies:
            self.courses.update(_latencies(self.reader, self.reporter, latencies))
        for gate in asked.gates:
            known = self.courses.get(gate.metric, Course()).is_known
            if (gate.metric == ERRORS or gate.measured is Kind.LATENCY) and not known:
                name = queries.REQUESTS if gate.metric == ERRORS else queries.DURATIONS
                self.missing[gate.metric] = self._absent(name)

    def _answered(self) -> minutes.Values:
        """The baseline's requests by pod, as the pods' own proxies count them; asked once, whatever the gates."""
        if self.by_pods is None:
            reader, is_told = self.reader, self.reporter is not Reporter.SOURCE
            results = reader.range(queries.answered_by_pods(reader.asked.host)) if is_told else ()
            ours = [each for each in results if reader.is_ours(source(each["metric"]))]
            self.by_pods = owners.by_one_instance(ours, reader.asked.since)
        return self.by_pods

    def _absent(self, name: str) -> str:
        what = f"{name} of {self.reader.asked.host} at {self.reader.asked.target.baseline}"
        if name in self.reader.heard:
            return f"Prometheus knows {what} {YOUNG}; the looks will tell."
        return f"Prometheus has no {what}."

    def other(self, gate: MetricGate) -> None:
        """A metric of the owner's own, or of what pods use; where Prometheus refuses one the rest goes on."""
        asked, length = self.reader.asked, self.reader.length
        place = (asked.target.namespace, asked.target.workloads.get(asked.target.baseline, ""))
        why = ""
        try:
            if gate.query is not None and gate.measured is Kind.GAUGE:
                level, why = owners.own_level(self.reader.range, gate, asked.target, asked.since, length)
                self.levels[gate.metric] = level
            elif gate.query is not None:
                minutes_ = self.courses[ERRORS].minutes
                course, why = owners.own_counts(
                    self.reader.range, gate, asked.target, asked.since, minutes_, self._answered
                )
                self.courses[gate.metric] = course
            elif gate.metric == OUTGOING:
                course, why = owners.calls(self.reader.range, place, asked.since, length)
                self.courses[gate.metric] = course
            elif gate.metric in LEVELS:
                self.levels[gate.metric], why = owners.used(self.reader.range, gate.metric, place, asked.since, length)
        except RefusedError as error:
            why = str(error)
        if why:
            self.missing[gate.metric] = why


def _errors(reader: Reader, reporter: Reporter) -> tuple[Course, tuple[float, float]]:
    """The course of errors, and those that named no version lately, with the seconds that were looked at."""
    by_pod: tuple[dict[str, Minutes], Sequence[Result]] = ({}, ())
    if reporter is not Reporter.SOURCE:
        by_pod = _answers(reader, "destination")
    is_one = reporter.of_requests == "destination"
    whole, failed = by_pod if is_one else _answers(reader, reporter.of_requests)
    course = Course(minutes.together(whole, reader.length), by_pod[0])
    measured = sum(minute is not None for minute in course.minutes[-LATELY:])
    is_nobodys = picker(reader.asked.target)(UNKNOWN)
    lost = minutes.values(failed, is_nobodys, reader.asked.since)
    errors = sum(minutes.grown(counter, max(reader.length - LATELY, 0)) for counter in lost.values())
    return course, (errors, measured * MINUTE.total_seconds())


def _answers(reader: Reader, reporter: str) -> tuple[dict[str, Minutes], Sequence[Result]]:
    hosts = (reader.asked.host,)
    every = reader.range(queries.answered(hosts, reporter))
    failed = reader.range(queries.failed(hosts, reporter)) if every else ()
    return minutes.by_instance(reader.values(every), reader.values(failed), reader.length), failed


def _latencies(reader: Reader, reporter: Reporter, gates: Sequence[MetricGate]) -> Mapping[str, Course]:
    histogram, found, wanted = edges(reader, reporter, gates)
    if not found:
        return {}
    results = reader.range(queries.durations_at((reader.asked.host,), reporter.of_durations, wanted))
    every = reader.values([each for each in results if math.isinf(float(each["metric"]["le"]))])
    courses = {}
    for name, edge in found.items():
        below = reader.values([each for each in results if float(each["metric"]["le"]) == edge.edge])
        pods = minutes.by_instance_above(every, below, reader.length)
        whole = minutes.together(pods, reader.length)
        is_by_pod = reporter.of_durations == "destination"
        usual = quantile(QUANTILES[name], histogram)
        courses[name] = Course(
            whole, pods if is_by_pod else {}, edge.edge, edge.allowed, edge.tolerated, usual.value if usual else None
        )
    return courses


def edges(
    reader: Reader, reporter: Reporter, gates: Sequence[MetricGate]
) -> tuple[Mapping[float, float], Mapping[str, Exceedance], Sequence[str]]:
    """The baseline's histogram, the edge of each latency, and how these edges and the last are written."""
    histogram, written = _histogram(reader, reporter.of_durations)
    found = {gate.metric: edge for gate in gates if (edge := _edge(gate, histogram))}
    asked = {edge.edge for edge in found.values()}
    return histogram, found, [text for text, value in written.items() if value in asked or math.isinf(value)]


def _histogram(reader: Reader, reporter: str) -> tuple[Mapping[float, float], Mapping[str, float]]:
    """What the baseline's requests took lately, and how each edge is written in Prometheus."""
    at, query = reader.asked.at, queries.durations((reader.asked.host,), reporter)
    now = reader.instant(query, at)
    if _buckets(now, reader.is_ours):
        reader.heard.add(queries.DURATIONS)
    written = {str(each["metric"]["le"]): float(each["metric"]["le"]) for each in now if "le" in each["metric"]}
    for start in (max(at - LATELY * MINUTE, reader.asked.since), reader.asked.since):
        grown = _grown(reader.instant(query, start), now, reader.is_ours)
        if total(grown) >= ENOUGH:
            return grown, written
    return grown, written


def _grown(then: Sequence[Result], now: Sequence[Result], is_ours: Ours) -> dict[float, float]:
    before, after = _buckets(then, is_ours), _buckets(now, is_ours)
    sums: dict[float, float] = {}
    for instance, buckets in after.items():
        old = before.get(instance, {})
        if any(buckets.get(edge, 0.0) < count for edge, count in old.items()):
            old = {}
        for edge, count in buckets.items():
            sums[edge] = sums.get(edge, 0.0) + count - old.get(edge, 0.0)
    return {} if any(map(math.isnan, sums.values())) else dict(sorted(sums.items()))


def _buckets(results: Sequence[Result], is_ours: Callable[..., bool]) -> dict[str, dict[float, float]]:
    found: dict[str, dict[float, float]] = {}
    for result in results:
        labels = result["metric"]
        if "le" in labels and is_ours(source(labels)):
            here = found.setdefault(labels.get("instance", ""), {})
            here[float(labels["le"])] = here.get(float(labels["le"]), 0.0) + float(result["value"][1])
    return found


def _edge(gate: MetricGate, histogram: Mapping[float, float]) -> Exceedance | None:
    """The edge that the gate's margins are asked at; margins in milliseconds are taken relative to the quantile."""
    q = QUANTILES[gate.metric]
    usual = quantile(q, histogram)
    if usual is None or usual.value <= 0:
        return None
    tolerated = gate.tolerated or gate.allowed or USUAL
    allowed = gate.allowed or tolerated
    sizes = [abs(m.value) if m.relative else abs(m.value) / usual.value for m in (allowed, tolerated)]
    return exceedance(q, sizes[0], sizes[1], histogram)
