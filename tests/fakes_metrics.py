"""Metrics by script: each look at a release takes its next reading."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.ports import Objection, Subject
from strategies.gates.course import Course, Recorded
from strategies.plan import MetricGate
from strategies.release import Target
from strategies.verdicts import Reading

NOTHING = "No reading is scripted."


class FakeMetrics:
    """Gives out readings in the order they were scripted, the last one for ever; moved to the asked window."""

    def __init__(self) -> None:
        self.looks: list[tuple[datetime, tuple[str, ...]]] = []
        self.trouble = ""
        self.courses: dict[str, Course] = {}
        self.at_once = 8  # services of which the past is read together
        self.pasts: list[tuple[timedelta, float]] = []
        self.requests_per_hour: float | None = None
        self.objecting: Sequence[Objection] = ()
        self.idle: dict[str, tuple[bool, str]] = {}
        self._scripts: dict[str, list[Reading]] = {}

    def script(self, release: str, readings: Iterable[Reading]) -> None:
        """What the next looks at `release` read; replaces what was left of an older script."""
        self._scripts[release] = list(readings)

    def look(self, subjects: Sequence[Subject], at: datetime) -> Mapping[str, Reading]:
        """One reading per release; `trouble` makes all of them fail, as a Prometheus that is down does."""
        self.looks.append((at, tuple(subject.release for subject in subjects)))
        return {subject.release: self._next(subject, at) for subject in subjects}

    def per_hour(self, target: Target, at: datetime) -> float | None:
        """What the test set; None while Prometheus is down."""
        return None if self.trouble else self.requests_per_hour

    def objections(
        self, target: Target, gates: Sequence[MetricGate], look: timedelta, at: datetime
    ) -> Sequence[Objection] | None:
        """The scripted ones; None while Prometheus is down."""
        return None if self.trouble else self.objecting

    def is_idle(
        self, target: Target, version: str, window: timedelta, at: datetime, drain: timedelta = timedelta(0)
    ) -> tuple[bool, str]:
        """What `idle` says of the version; not idle where it says nothing."""
        return self.idle.get(version, (False, f"{version} is still called."))

    def past(
        self, target: Target, gates: Sequence[MetricGate], since: datetime, at: datetime, patience: float
    ) -> Recorded:
        """The scripted past, moved to the asked time; no series where none is scripted."""
        self.pasts.append((at - since, patience))
        if self.trouble:
            return Recorded(since, at, trouble=self.trouble)
        missing = {gate.metric: NOTHING for gate in gates if gate.metric not in self.courses}
        return Recorded(
            since,
            at,
            {gate.metric: self.courses[gate.metric] for gate in gates if gate.metric in self.courses},
            missing,
        )

    def past_of_several(
        self, asked: Sequence[tuple[Target, Sequence[MetricGate]]], since: datetime, at: datetime, patience: float
    ) -> Sequence[Recorded]:
        """The scripted past of the first few."""
        return [self.past(target, gates, since, at, patience) for target, gates in asked[: self.at_once]]

    def troubles(self) -> Sequence[str]:
        """The scripted trouble."""
        return [self.trouble] if self.trouble else []

    def _next(self, subject: Subject, at: datetime) -> Reading:
        left = self._scripts.get(subject.release, [])
        if self.trouble or not left:
            return Reading(at, subject.since, trouble=self.trouble or NOTHING)
        reading = left.pop(0) if len(left) > 1 else left[0]
        return replace(reading, at=at, since=subject.since)
