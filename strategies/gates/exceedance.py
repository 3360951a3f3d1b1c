"""A latency quantile as a count: how many requests took longer than one edge of the histogram.

Quantiles of two histograms cannot be added up over looks, counts can. "Not more than 10 % slower" becomes "no more
requests above the edge than a baseline slowed by 10 % would have there". The edge is fixed before it is used.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from strategies.gates.latency import quantile

LEAST_ALLOWED = 0.001  # of requests: less is not told from drift between two proxies
LEAST_TELLING = 0.05  # of the share beyond the quantile must lie beyond the edge
FAR_OUT = 0.05
DOUBT = 0.25
LEAST_BETWEEN = 1.2  # tolerated over allowed: between them there must be room to wait


@dataclass(frozen=True, slots=True)
class Exceedance:
    """The edge in milliseconds, and how many more requests above it (as a rate) are allowed and tolerated."""

    edge: float
    allowed: float
    tolerated: float


def exceedance(q: float, allowed: float, tolerated: float, baseline: Mapping[float, float]) -> Exceedance | None:
    """The question that the histogram can answer nearest to the asked one; None for an empty histogram.

    `allowed` and `tolerated` are relative (0.1 = 10 %). Inside a bucket nobody knows where requests lie: harm is held
    against the larger guess, safety against the smaller one. Of the edges that enough requests exceed to say something
    about the quantile, the one nearest to it is taken.
    """
    value = quantile(q, baseline)
    finite = [edge for edge in sorted(baseline) if 0 < edge < math.inf]
    if value is None or not finite:
        return None
    tails = _tails(baseline)
    telling = (1 - q) * LEAST_TELLING
    edges = [edge for edge, tail in tails if edge > 0 and tail >= telling] or finite
    wanted = max(value.value, 1e-9)
    edge = min(edges, key=lambda candidate: abs(math.log(candidate / wanted)))
    evenly, falling = _moved(tails, edge, allowed)
    # Far out every law falls off, and "evenly" would allow several times too much; lognormal laws of any shape stay
    # within a quarter of "falling" there.
    is_far_out = dict(tails)[edge] < FAR_OUT
    harmful = max(LEAST_ALLOWED, (1 + DOUBT) * max(falling, 0.0 if is_far_out else evenly))
    bearable = min(_moved(tails, edge, tolerated)) * (1 - DOUBT)
    return Exceedance(edge, harmful, max(bearable, LEAST_BETWEEN * harmful))


def above(edge: float, histogram: Mapping[float, float]) -> tuple[int, int] | None:
    """Requests, and those that took longer than the edge; None when the histogram does not know the edge."""
    if edge not in histogram or math.inf not in histogram:
        return None
    everything = round(histogram[math.inf])
    return everything, min(max(everything - round(histogram[edge]), 0), everything)


def _tails(histogram: Mapping[float, float]) -> list[tuple[float, float]]:
    everything = histogram[math.inf]
    finite = [(edge, 1 - histogram[edge] / everything) for edge in sorted(histogram) if edge < math.inf]
    return finite if finite[0][0] <= 0 else [(0.0, 1.0), *finite]


def _moved(tails: list[tuple[float, float]], edge: float, slower: float) -> tuple[float, float]:
    """The share of requests that a slowdown lifts over the edge: spread evenly in the bucket, or falling off in it."""
    start = edge / (1 + slower)
    here = dict(tails)[edge]
    left, right = next((one, two) for one, two in pairwise(tails) if one[0] <= start <= two[0])
    part = (start - left[0]) / (right[0] - left[0])
    evenly = left[1] + (right[1] - left[1]) * part
    falling = left[1] * (right[1] / left[1]) ** part if left[1] > 0 and right[1] > 0 else evenly
    return max(evenly - here, 0.0), max(falling - here, 0.0)
