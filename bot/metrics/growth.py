"""How far raw counters grew since the look before: resets, new and vanished series, lost scrapes.

- A counter that fell was reset: its new value is what it counted since, a lower bound.
- A series that appears starts at zero if its instance was there before, or when enough looks are remembered to know
  that it is new; else it is left out of this look.
- A series that vanishes adds nothing. One that comes back goes on from its last value.
"""

import math
from collections.abc import Callable, Container, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

KEPT_LOOKS = 5_000
SAME_INSTANT = timedelta(milliseconds=1)
FORGOTTEN_AFTER = timedelta(hours=1)

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Part = tuple[str, ...]
"""Whose counters they are: release, metric, and what tells them apart in it."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Values by series, last values of series that are not there now, and whether the look before is known too."""

    values: Mapping[Hashable, float] = field(default_factory=dict)
    absent: Mapping[Hashable, tuple[float, int]] = field(default_factory=dict)
    is_watched: bool = False


def grown(then: Counters, now: Mapping[Key, float], instance: Callable[[Hashable], str]) -> dict[Key, float]:
    """By how much each series grew."""
    known = {instance(key) for key in (*then.values, *then.absent)}
    found: dict[Key, float] = {}
    for key, value in now.items():
        before = then.values.get(key)
        if before is None and key in then.absent:
            before = then.absent[key][0]
        if math.isnan(value) or (before is None and not then.is_watched and instance(key) not in known):
            continue
        found[key] = value if before is None or math.isnan(before) or value < before else value - before
    return found


def remembered(then: Counters | None, now: Mapping[Key, float]) -> Counters:
    """`now` as the start of the next look."""
    values: dict[Hashable, float] = dict(now.items())
    if then is None:
        return Counters(values)
    absent = {
        key: (value, looks + 1) for key, (value, looks) in then.absent.items() if key not in now and looks < KEPT_LOOKS
    }
    absent.update({key: (value, 1) for key, value in then.values.items() if key not in now})
    return Counters(values, absent, is_watched=True)


class Shelf(Generic[Value]):
    """Something kept for each part between looks."""

    def __init__(self) -> None:
        self._kept: dict[Part, tuple[Value, datetime]] = {}

    def get(self, part: Part) -> tuple[Value, datetime] | None:
        """What was put there, and when."""
        return self._kept.get(part)

    def put(self, part: Part, value: Value, at: datetime) -> None:
        """Keep it until the next look."""
        self._kept[part] = (value, at)

    def drop(self, part: Part) -> None:
        """Keep nothing for the part."""
        self._kept.pop(part, None)

    def parts(self, release: str) -> list[Part]:
        """The parts of a release."""
        return [part for part in self._kept if part[0] == release]

    def forget(self, at: datetime) -> None:
        """Let go of parts that nobody looks at any more."""
        for part in [part for part, (_, seen) in self._kept.items() if at - seen > FORGOTTEN_AFTER]:
            del self._kept[part]


class Starts(Shelf[Counters]):
    """What the next look at each part starts from, for as long as looks follow each other directly."""

    def take(
        self, part: Part, since: datetime, at: datetime, now: Mapping[Key, float], instance: Callable[[Hashable], str]
    ) -> dict[Key, float] | None:
        """The growth since `since`, and `now` kept for the next look; None when the start is not known."""
        kept = self.get(part)
        then = kept[0] if kept else None
        self.put(part, remembered(then, now), at)
        if kept is None or abs(kept[1] - since) > SAME_INSTANT:
            return None
        return grown(kept[0], now, instance)

    def missed(self, release: str, metrics: Container[str], since: datetime, at: datetime) -> None:
        """A look that read nothing of these: the next one starts where this one did, so that no evidence is lost."""
        for part in self.parts(release):
            kept = self.get(part)
            if part[1] in metrics and kept is not None and abs(kept[1] - since) <= SAME_INSTANT:
                self.put(part, kept[0], at)
