"""Quantiles and tails of a Prometheus histogram."""

import math
from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import NamedTuple

from strategies.gates.chance import Counts

Buckets = Mapping[float, float]
"""Cumulative counts by upper edge in milliseconds, `inf` last."""


class Quantile(NamedTuple):
    """A quantile and the bucket it was interpolated in; `upper` is `inf` when it lies beyond the last edge."""

    value: float
    lower: float
    upper: float


def total(buckets: Buckets) -> int:
    """All requests of the histogram; zero when it has no `inf` bucket."""
    return round(buckets.get(math.inf, 0.0))


def added(one: Buckets, other: Buckets) -> Buckets:
    """Both histograms together.

    Differing edges mean that the proxies' configuration changed: only the edges that both know are comparable.
    """
    if not one or not other:
        return one or other
    return {edge: one[edge] + other[edge] for edge in sorted(one.keys() & other.keys())}


def quantile(q: float, buckets: Buckets) -> Quantile | None:
    """What Prometheus' `histogram_quantile` gives, None where it gives NaN.

    Linear interpolation inside the bucket of rank `q * total`; a rank in the `inf` bucket gives the last finite edge.
    Source: promql/quantile.go of Prometheus, classic histograms.
    """
    edges, counts = _monotonic(buckets)
    if len(edges) < 2 or edges[-1] != math.inf or counts[-1] <= 0:
        return None
    rank = q * counts[-1]
    place = bisect_left(counts, rank)
    if place >= len(edges) - 1:
        return Quantile(edges[-2], edges[-2], math.inf)
    lower, below = (edges[place - 1], counts[place - 1]) if place else (0.0, 0.0)
    inside = counts[place] - below
    fraction = (rank - below) / inside if inside else 0.0
    return Quantile(lower + (edges[place] - lower) * fraction, lower, edges[place])


def tail(edge: float, buckets: Buckets) -> Counts:
    """How many requests took longer than `edge`, which is 0 or one of the histogram's edges."""
    everything = total(buckets)
    below = round(max((count for upper, count in buckets.items() if upper <= edge), default=0.0))
    return Counts(everything, max(everything - below, 0))


def around(value: float, buckets: Buckets) -> tuple[float, float]:
    """The edges next to `value`: the last one not above it (0 before the first) and the first one not below it."""
    edges = sorted(buckets)
    place = bisect_left(edges, value)
    upper = edges[place]
    if upper == value:
        return value, value
    return (edges[place - 1] if place else 0.0), upper


def _monotonic(buckets: Buckets) -> tuple[list[float], list[float]]:
    """Edges and counts in order. Scrapes of several proxies are not one instant, so a count may seem to fall."""
    edges = sorted(buckets)
    return edges, list(accumulate((buckets[edge] for edge in edges), max))
