"""Aggregations over groups of series."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.labels import NAME, Labels, only, without
from bot.sandbox.prometheus.values import Sample, Vector

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.sandbox.prometheus.tree import Aggregate


def aggregated(node: Aggregate, vector: Vector) -> Vector:
    """One sample per group, in the order in which the groups are first met."""
    groups: dict[Labels, list[float]] = {}
    left_out = (*node.labels, NAME)
    for labels, value in vector:
        key = without(labels, left_out) if node.without else only(labels, node.labels)
        groups.setdefault(key, []).append(value)
    reduce = _REDUCTIONS[node.operator]
    return [Sample(labels, reduce(values)) for labels, values in groups.items()]


def _sum(values: Sequence[float]) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def mean(values: Sequence[float]) -> float:
    """Prometheus' running mean, which cannot overflow and keeps an infinity once met."""
    result = 0.0
    for count, value in enumerate(values, start=1):
        if math.isinf(result) and (value == result or math.isfinite(value)):
            continue
        result += value / count - result / count
    return result


def _variance(values: Sequence[float]) -> float:
    result = squares = 0.0
    for count, value in enumerate(values, start=1):
        difference = value - result
        result += difference / count
        squares += difference * (value - result)
    return squares / len(values)


def smallest(values: Sequence[float]) -> float:
    """The minimum; NaN only when there is nothing else."""
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def largest(values: Sequence[float]) -> float:
    """The maximum; NaN only when there is nothing else."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _deviation(values: Sequence[float]) -> float:
    return floats.square_root(_variance(values))


_REDUCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": _sum,
    "avg": mean,
    "min": smallest,
    "max": largest,
    "count": lambda values: float(len(values)),
    "stddev": _deviation,
    "stdvar": _variance,
    "group": lambda _: 1.0,
}
