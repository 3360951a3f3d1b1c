"""Queries of the owners' own: one text for all, and what each part of its answer means."""

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot import templates
from bot.metrics import queries
from bot.metrics.batches import Batches
from bot.metrics.connection import Connection
from bot.metrics.gathered import FROM_NEXT, Gathered
from bot.metrics.growth import Shelf, Starts
from bot.metrics.snapshots import Result
from bot.ports import Subject
from strategies.plan import Kind, MetricGate
from strategies.verdicts import Arm

TIMEOUT = 2  # seconds: a slow query of one owner must not keep everybody's looks
PATIENCE = 60.0  # seconds that events may come later than the requests they are out of

Rows = Mapping[Hashable, float]
"""Values by series, a series being its labels in order."""


class Part(NamedTuple):
    """One query of one version: what is counted or read (`query`), or what that is out of (`per`)."""

    release: str
    metric: str
    role: str
    version: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The query text of each part."""

    texts: Mapping[Part, str]

    @classmethod
    def of(cls, subjects: Iterable[Subject]) -> "Asked":
        """Every part of every subject's own metrics."""
        return cls({part: text for subject in subjects for part, text in _parts(subject)})

    def query(self) -> str:
        """One query whose series say by a label which text they answer; equal texts are asked once."""
        return queries.labelled(list(dict.fromkeys(self.texts.values())))

    def read(self, results: Sequence[Result]) -> dict[Part, Rows]:
        """The series of each part."""
        by_place: dict[str, dict[Hashable, float]] = {}
        for result in results:
            labels = dict(result["metric"])
            place = labels.pop(queries.PART, "")
            by_place.setdefault(place, {})[tuple(sorted(labels.items()))] = float(result["value"][1])
        places = {text: str(n) for n, text in enumerate(dict.fromkeys(self.texts.values()))}
        return {part: by_place.get(places[text], {}) for part, text in self.texts.items()}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Requests whose events have not been scraped yet; `is_counted` where the pods themselves count requests too."""

    requests: float = 0.0
    seconds: float = 0.0
    is_counted: bool = False


class Own:
    """One query for all that is well; remembers the counters of the look before, and who is asked apart."""

    def __init__(self, connection: Connection, starts: Starts) -> None:
        self._connection = connection
        self._starts = starts
        self._batches: Batches[Mapping[Part, Rows]] = Batches()
        self.waiting: Shelf[Waiting] = Shelf()

    def read(self, looks: Sequence[Gathered], most: int) -> None:
        """Put what the owners' queries give into each look, with at most `most` queries."""
        by_release = {look.subject.release: look for look in looks}
        at = looks[0].at

        def ask(names: frozenset[str]) -> Mapping[Part, Rows]:
            asked = Asked.of(by_release[name].subject for name in sorted(names))
            return asked.read(self._connection.ask(asked.query(), at, TIMEOUT))

        answers, silent = self._batches.ask(by_release, at, most, ask)
        parts = {part: rows for answered in answers for part, rows in answered.items()}
        for release, look in by_release.items():
            if release in silent:
                metrics = {gate.metric for gate in look.subject.gates if gate.query is not None}
                self._starts.missed(release, metrics, look.subject.since, at)
            for gate in look.subject.gates:
                if gate.query is None:
                    continue
                if release in silent:
                    look.trouble(gate.metric, silent[release])
                elif gate.measured is Kind.GAUGE:
                    _gauge(look, gate, parts)
                else:
                    self._counts(look, gate, parts)

    def _counts(self, look: Gathered, gate: MetricGate, parts: Mapping[Part, Rows]) -> None:
        arms = (look.reading.baseline, look.reading.candidate)
        for arm, version in enumerate(look.versions):
            part = Part(look.subject.release, gate.metric, "query", version)
            events = self._grown(look, part, parts)
            out_of = arms[arm].requests if gate.per is None else self._grown(look, part._replace(role="per"), parts)
            if events is None or out_of is None:
                look.trouble(gate.metric, f"No requests of {version} are known in this look.")
            elif gate.per is not None:
                look.counts[arm][gate.metric] = (out_of, events)
            else:
                look.counts[arm][gate.metric] = self._together(look, part, arms[arm], events)

    def _grown(self, look: Gathered, part: Part, parts: Mapping[Part, Rows]) -> float | None:
        rows = parts.get(part, {})
        grown = self._starts.take(tuple(part), look.subject.since, look.at, rows, _instance)
        if rows and grown is not None:
            return math.fsum(grown.values())
        said = FROM_NEXT.format(part.metric) if rows else _empty(part.role, part.metric, part.version)
        look.trouble(part.metric, said)
        return None

    def _together(self, look: Gathered, part: Part, arm: Arm, events: float) -> tuple[float, float]:
        """Requests with the events that they had.

        What the pods' own proxies count is scraped with their events, or at least as often. Where they count nothing,
        the callers' requests wait for the next event, for a minute at most.
        """
        kept = self.waiting.get(tuple(part))
        before = kept[0] if kept else Waiting()
        if arm.buckets or before.is_counted:
            self.waiting.put(tuple(part), Waiting(is_counted=True), look.at)
            return arm.buckets.get(math.inf, 0.0), events
        now = Waiting(before.requests + (arm.requests or 0.0), before.seconds + look.seconds)
        if events == 0 and now.seconds < PATIENCE:
            self.waiting.put(tuple(part), now, look.at)
            return 0.0, 0.0
        self.waiting.drop(tuple(part))
        return now.requests, events


def _gauge(look: Gathered, gate: MetricGate, parts: Mapping[Part, Rows]) -> None:
    for arm, version in enumerate(look.versions):
        rows = parts.get(Part(look.subject.release, gate.metric, "query", version), {})
        value = next(iter(rows.values()), math.nan)
        if not rows:
            look.trouble(gate.metric, _empty("query", gate.metric, version))
        elif len(rows) > 1:
            many = f"The query of {gate.metric} gives {len(rows)} series for {version}"
            look.trouble(gate.metric, f"{many}; wrap it in sum(…) or avg(…).")
        elif not math.isfinite(value):
            look.trouble(gate.metric, f"The query of {gate.metric} gives no number for {version}.")
        else:
            look.gauges[arm][gate.metric] = value


def _empty(role: str, metric: str, version: str) -> str:
    return f"The {role} of {metric} gives no series for {version}."


def _instance(series: Hashable) -> str:
    """The pod, or else the instance, that a series belongs to."""
    labels = dict(series) if isinstance(series, tuple) else {}
    return str(labels.get("pod") or labels.get("instance") or "")


def _parts(subject: Subject) -> Iterator[tuple[Part, str]]:
    target = subject.target
    for gate in subject.gates:
        roles = {"query": gate.query, "per": gate.per if gate.measured is Kind.COUNTS else None}
        for role, text in roles.items():
            for version in (target.baseline, target.candidate) if gate.query is not None and text is not None else ():
                values = templates.values(target.service, version, target.namespace, subject.look)
                yield Part(subject.release, gate.metric, role, version), templates.filled(text or "", values)
