"""The samples: per series a ring of an hour, with staleness marks as Prometheus keeps them."""

from __future__ import annotations

import math
import struct
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.prometheus.labels import NAME, Labels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

# A quiet NaN of our own: Prometheus marks with a signalling one, which a processor may change in passing.
STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_0002))[0]
_STALE_BITS = struct.pack("<d", STALE)
LOOKBACK_MS = 300_000


def is_stale(value: float) -> bool:
    """True for the mark alone; an ordinary NaN is a value."""
    return math.isnan(value) and struct.pack("<d", value) == _STALE_BITS


@dataclass(frozen=True, slots=True)
class Stretch:
    """The edge samples of a window and what its counter lost by resets."""

    count: int
    first_at: int
    first: float
    last_at: int
    last: float
    lost_by_resets: tuple[float, ...]


class Series:
    """One series: times in ms, ascending, and values."""

    __slots__ = ("_drops", "_previous", "_stale_times", "labels", "times", "values")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.times = array("q")
        self.values = array("d")
        self._stale_times = array("q")
        self._drops: list[tuple[int, float]] = []
        self._previous: float | None = None

    def append(self, at: int, value: float) -> bool:
        """Keep a sample; False when it is not later than the last one."""
        if self.times and at <= self.times[-1]:
            return False
        if is_stale(value):
            self._stale_times.append(at)
        else:
            # Noted here once, so that a rate costs two bisections whatever its window.
            if self._previous is not None and value < self._previous:
                self._drops.append((at, self._previous))
            self._previous = value
        self.times.append(at)
        self.values.append(value)
        return True

    def drop_before(self, at: int) -> None:
        """Forget old samples, in large bites: each one moves the rest of the ring."""
        gone = bisect_left(self.times, at)
        if gone * 4 < len(self.times):
            return
        del self.times[:gone], self.values[:gone]
        del self._stale_times[: bisect_left(self._stale_times, at)]
        self._drops = [drop for drop in self._drops if drop[0] >= at]

    def at(self, when: int) -> tuple[int, float] | None:
        """The sample an instant query sees: at most five minutes old and not marked stale."""
        index = bisect_right(self.times, when) - 1
        if index < 0 or self.times[index] < when - LOOKBACK_MS:
            return None
        value = self.values[index]
        return None if is_stale(value) else (self.times[index], value)

    def between(self, start: int, end: int) -> list[tuple[int, float]]:
        """The samples of a window, both ends included, without stale marks."""
        low, high = bisect_left(self.times, start), bisect_right(self.times, end)
        pairs = zip(self.times[low:high], self.values[low:high], strict=True)
        if bisect_right(self._stale_times, end) == bisect_left(self._stale_times, start):
            return list(pairs)
        return [(at, value) for at, value in pairs if not is_stale(value)]

    def stretch(self, start: int, end: int) -> Stretch | None:
        """What a rate needs of a window; None with fewer than two samples."""
        low, high = bisect_left(self.times, start), bisect_right(self.times, end)
        stale = bisect_right(self._stale_times, end) - bisect_left(self._stale_times, start)
        count = high - low - stale
        if count < 2:
            return None
        while is_stale(self.values[low]):
            low += 1
        while is_stale(self.values[high - 1]):
            high -= 1
        first_at, last_at = self.times[low], self.times[high - 1]
        after = bisect_right(self._drops, first_at, key=lambda drop: drop[0])
        until = bisect_right(self._drops, last_at, key=lambda drop: drop[0])
        lost = tuple(previous for _, previous in self._drops[after:until])
        return Stretch(count, first_at, self.values[low], last_at, self.values[high - 1], lost)

    def lives_in(self, start: int, end: int) -> bool:
        """True when any sample falls into the time span."""
        index = bisect_left(self.times, start)
        return index < len(self.times) and self.times[index] <= end


class SampleStore:
    """All series, found by metric name; forgets what is older than its retention."""

    def __init__(self, retention_ms: int = 3_600_000) -> None:
        self._retention = retention_ms
        self._series: dict[Labels, Series] = {}
        self._by_name: dict[str, list[Series]] = {}
        self._chosen: dict[object, list[Series]] = {}
        self._swept = 0

    def __len__(self) -> int:
        return len(self._series)

    def __iter__(self) -> Iterator[Series]:
        return iter(list(self._series.values()))

    def series(self, labels: Labels) -> Series:
        """The series of these labels, made when new."""
        found = self._series.get(labels)
        if found is None:
            found = self._series[labels] = Series(labels)
            self._by_name.setdefault(labels.get(NAME), []).append(found)
            self._chosen.clear()
        return found

    def append(self, labels: Labels, at: int, value: float) -> bool:
        """Keep one sample; False when it comes too late."""
        return self.series(labels).append(at, value)

    def matching(self, name: str | None, key: object, accepts: Callable[[Labels], bool]) -> Sequence[Series]:
        """The series a selector chooses, remembered under `key` until a series comes or goes."""
        chosen = self._chosen.get(key)
        if chosen is None:
            if len(self._chosen) > 512:
                self._chosen.clear()
            candidates = self._series.values() if name is None else self._by_name.get(name, [])
            chosen = [series for series in candidates if accepts(series.labels)]
            self._chosen[key] = chosen
        return chosen

    def sweep(self, now: int) -> None:
        """Forget what is too old; at most once in ten seconds, for it visits every series."""
        if now - self._swept < 10_000:
            return
        self._swept = now
        oldest = now - self._retention
        for series in self:
            series.drop_before(oldest)
            if not series.times or series.times[-1] < oldest:
                self._forget(series)

    def _forget(self, series: Series) -> None:
        del self._series[series.labels]
        name = series.labels.get(NAME)
        self._by_name[name].remove(series)
        if not self._by_name[name]:
            del self._by_name[name]
        self._chosen.clear()
