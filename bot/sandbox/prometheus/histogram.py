"""Quantiles from classic histograms' buckets."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import TYPE_CHECKING

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.labels import BUCKET, Labels, nameless, without
from bot.sandbox.prometheus.values import Sample, Vector, unambiguous

if TYPE_CHECKING:
    from collections.abc import Sequence

_Bucket = tuple[float, float]


def histogram_quantile(portion: float, vector: Vector) -> Vector:
    """The quantile of each histogram in the vector; series without a readable `le` are left out."""
    histograms: dict[Labels, list[_Bucket]] = {}
    for labels, count in vector:
        try:
            bound = floats.parsed(labels.get(BUCKET))
        except ValueError:
            continue
        histograms.setdefault(without(labels, (BUCKET,)), []).append((bound, count))
    return unambiguous(
        [Sample(nameless(labels), _quantile(portion, buckets)) for labels, buckets in histograms.items()]
    )


def _quantile(portion: float, buckets: Sequence[_Bucket]) -> float:
    if math.isnan(portion):
        return math.nan
    if not 0 <= portion <= 1:
        return math.inf if portion > 1 else -math.inf
    bounds, counts = _monotonic(buckets)
    if bounds[-1] != math.inf or len(bounds) < 2 or counts[-1] == 0 or math.isnan(counts[-1]):
        return math.nan
    rank = portion * counts[-1]
    index = bisect_left(counts, rank, hi=len(counts) - 1)
    if index == len(bounds) - 1:
        return bounds[-2]
    if index == 0 and bounds[0] <= 0:
        return bounds[0]
    start = bounds[index - 1] if index else 0.0
    below = counts[index - 1] if index else 0.0
    return start + (bounds[index] - start) * floats.divided(rank - below, counts[index] - below)


def _monotonic(buckets: Sequence[_Bucket]) -> tuple[list[float], list[float]]:
    """Equal bounds summed up, counts made never to fall: scrapes may catch a histogram half updated."""
    merged: dict[float, float] = {}
    for bound, count in sorted(buckets, key=lambda bucket: bucket[0]):
        merged[bound] = merged.get(bound, 0.0) + count
    counts: list[float] = []
    highest = -math.inf
    for count in merged.values():
        highest = max(highest, count)
        counts.append(highest)
    return list(merged), counts
