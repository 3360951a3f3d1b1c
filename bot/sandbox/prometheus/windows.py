"""Functions over the samples of a window."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.aggregations import largest, smallest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.sandbox.prometheus.samples import Series, Stretch

Samples = list[tuple[int, float]]


def extrapolated(series: Series, start: int, end: int, function: str) -> float | None:
    """Prometheus' `rate`, `increase` or `delta` over [start, end] in ms; None with fewer than two samples.

    The formula is extrapolatedRate of Prometheus 2.42: the difference of the edge samples, plus what
    resets took, scaled to the whole window unless the series seems to begin or end inside it.
    """
    stretch = series.stretch(start, end)
    if stretch is None:
        return None
    is_counter = function != "delta"
    change = stretch.last - stretch.first
    if is_counter:
        for lost in stretch.lost_by_resets:
            change += lost
    factor = _covered_seconds(stretch, start, end, change if is_counter else 0.0)
    sampled = (stretch.last_at - stretch.first_at) / 1000
    factor /= sampled
    if function == "rate":
        factor /= (end - start) / 1000
    return change * factor


def _covered_seconds(stretch: Stretch, start: int, end: int, growth: float) -> float:
    to_start = (stretch.first_at - start) / 1000
    to_end = (end - stretch.last_at) / 1000
    sampled = (stretch.last_at - stretch.first_at) / 1000
    average = sampled / (stretch.count - 1)
    if growth > 0 and stretch.first >= 0:
        # A counter cannot have been below zero: it began no earlier than this.
        to_start = min(to_start, sampled * (stretch.first / growth))
    threshold = average * 1.1
    covered = sampled
    covered += to_start if to_start < threshold else average / 2
    covered += to_end if to_end < threshold else average / 2
    return covered


def last_change(samples: Samples, *, per_second: bool) -> float | None:
    """`irate` or `idelta`: between the last two samples."""
    if len(samples) < 2:
        return None
    (before_at, before), (last_at, last) = samples[-2:]
    if not per_second:
        return last - before
    change = last if last < before else last - before
    return change / ((last_at - before_at) / 1000)


def _resets(values: Sequence[float]) -> float:
    return float(sum(1 for before, now in pairwise(values) if now < before))


def _changes(values: Sequence[float]) -> float:
    pairs = pairwise(values)
    return float(sum(1 for a, b in pairs if a != b and not (math.isnan(a) and math.isnan(b))))


def _sum(values: Sequence[float]) -> float:
    total = lost = 0.0
    for value in values:
        total, lost = floats.kahan_added(value, total, lost)
    return total if math.isinf(total) else total + lost


def _mean(values: Sequence[float]) -> float:
    result = lost = 0.0
    for count, value in enumerate(values, start=1):
        if math.isinf(result) and (value == result or math.isfinite(value)):
            continue
        result, lost = floats.kahan_added(value / count - result / count, result, lost)
    return result if math.isinf(result) else result + lost


def _variance(values: Sequence[float]) -> float:
    mean = mean_lost = squares = squares_lost = 0.0
    for count, value in enumerate(values, start=1):
        difference = value - (mean + mean_lost)
        mean, mean_lost = floats.kahan_added(difference / count, mean, mean_lost)
        term = difference * (value - (mean + mean_lost))
        squares, squares_lost = floats.kahan_added(term, squares, squares_lost)
    return (squares + squares_lost) / len(values)


def quantile(portion: float, values: Sequence[float]) -> float:
    """The value below which a portion of the values lies, interpolated; infinite outside 0 to 1."""
    if not values or math.isnan(portion):
        return math.nan
    if not 0 <= portion <= 1:
        return math.inf if portion > 1 else -math.inf
    ordered = sorted(values, key=lambda value: (not math.isnan(value), value))
    rank = portion * (len(ordered) - 1)
    lower = math.floor(rank)
    upper = min(len(ordered) - 1, lower + 1)
    weight = rank - lower
    return ordered[lower] * (1 - weight) + ordered[upper] * weight


# One value from the values of a window that has at least one.
REDUCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "avg_over_time": _mean,
    "changes": _changes,
    "count_over_time": lambda values: float(len(values)),
    "last_over_time": lambda values: values[-1],
    "max_over_time": largest,
    "min_over_time": smallest,
    "present_over_time": lambda _: 1.0,
    "resets": _resets,
    "stddev_over_time": lambda values: floats.square_root(_variance(values)),
    "stdvar_over_time": _variance,
    "sum_over_time": _sum,
}
EXTRAPOLATED = frozenset({"rate", "increase", "delta"})
LAST_CHANGE = frozenset({"irate", "idelta"})
