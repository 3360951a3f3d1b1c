"""What a service did minute by minute before a release, as it was read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)
YOUNG = "for less than a minute"  # how long a service is known that has no whole minute yet

Minutes = Sequence[tuple[int, int] | None]
"""Requests and bad ones minute by minute; None for a minute that was not measured."""

Readings = Sequence[float | None]
"""A gauge minute by minute; None for a minute that was not measured."""


@dataclass(frozen=True, slots=True)
class Course:
    """One metric's minutes: altogether as the judge reads it, and by pod as the pods themselves count.

    `edge` (milliseconds) and the two margins (as rates above it) are a latency's question, `usual` its quantile of the
    last hour; None for errors.
    """

    minutes: Minutes = ()
    pods: Mapping[str, Minutes] = field(default_factory=dict)
    edge: float | None = None
    allowed: float = 0.0
    tolerated: float = 0.0
    usual: float | None = None

    @property
    def is_known(self) -> bool:
        """True when any minute was measured."""
        return any(minute is not None for minute in self.minutes)

    def between(self, first: int, last: int | None = None) -> "Course":
        """The course of some of the minutes; negative places count from the end."""
        pods = {name: minutes[first:last] for name, minutes in self.pods.items()}
        return replace(self, minutes=self.minutes[first:last], pods=pods)


@dataclass(frozen=True, slots=True)
class Level:
    """A gauge's readings minute by minute: of the version as the judge reads it, and of each pod where it has them."""

    whole: Readings = ()
    pods: Mapping[str, Readings] = field(default_factory=dict)

    @property
    def known(self) -> list[float]:
        """The readings that there are."""
        return [reading for reading in self.whole if reading is not None]


@dataclass(frozen=True, slots=True)
class Recorded:
    """The minutes of one service from `since` to `at`, by metric; `missing` says which metric has no series.

    `trouble` says why nothing, or not everything, was read. `nameless` are errors that named no version, and the
    seconds in which they were counted.
    """

    since: datetime
    at: datetime
    courses: Mapping[str, Course] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    nameless: tuple[float, float] = (0.0, 0.0)
    levels: Mapping[str, Level] = field(default_factory=dict)
