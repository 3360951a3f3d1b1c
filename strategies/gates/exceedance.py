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


@dataclass(frozen=True, slots=True)
class Exceedance:
    """The edge in milliseconds, and how many more requests above it (as a rate) are allowed and tolerated."""

    edge: float
    allowed: float
    tolerated: float


def exceedance(q: float, allowed: float, tolerated: float, baseline: Mapping[float, float]) -> Exceedance | None:
    """The question that the histogram can answer nearest to the asked one; None for an empty histogram.

    `allowed` and `tolerated` are relative (0.1 = 10 %). Inside a bucket nobody knows where requests lie: harm is held
    against the larger of two interpolations, safety against the smaller one.
    """
    value = quantile(q, baseline)
    edges = [edge for edge in sorted(baseline) if 0 < edge < math.inf]
    if value is None or not edges:
        return None
    wanted = max(value.value, 1e-9)
    edge = min(edges, key=lambda candidate: abs(math.log(candidate / wanted)))
    tails = _tails(baseline)
    harmful = max(LEAST_ALLOWED, *_moved(tails, edge, allowed))
    bearable = min(_moved(tails, edge, tolerated))
    return Exceedance(edge, harmful, max(bearable, 1.5 * harmful))


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
