"""Fewer points than looks: neighbours of one stage added up, so that a long release still reads on a phone."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from bot.ports import Look
from strategies.verdicts import Arm

MOST = 80


def groups(looks: Sequence[Look], most: int = MOST) -> list[Sequence[Look]]:
    """The looks in at most about `most` groups of neighbours; none holds looks of two stages."""
    size = math.ceil(len(looks) / most)
    if size <= 1:
        return [[look] for look in looks]
    grouped: list[Sequence[Look]] = []
    for _, of_stage in groupby(looks, key=lambda look: look.stage):
        stage = list(of_stage)
        grouped.extend(stage[start : start + size] for start in range(0, len(stage), size))
    return grouped


def thinned(looks: Sequence[Look], most: int = MOST) -> Sequence[Look]:
    """One look per group with the same requests, errors, counts and durations in total; levels are the newest."""
    return [_merged(group) for group in groups(looks, most)]


def _merged(looks: Sequence[Look]) -> Look:
    last = looks[-1]
    if len(looks) == 1:
        return last
    baseline = _sum(look.reading.baseline for look in looks)
    candidate = _sum(look.reading.candidate for look in looks)
    reading = replace(last.reading, since=looks[0].reading.since, baseline=baseline, candidate=candidate)
    return replace(last, reading=reading)


def _sum(arms: Iterable[Arm]) -> Arm:
    measured = [arm for arm in arms if arm.requests is not None and arm.errors is not None]
    if not measured:
        return Arm()
    buckets: dict[float, float] = {}
    gauges: dict[str, float] = {}
    counts: dict[str, tuple[float, ...]] = {}
    for arm in measured:
        for edge, number in arm.buckets.items():
            buckets[edge] = buckets.get(edge, 0.0) + number
        gauges.update(arm.gauges)
        counts = _added(counts, arm.counts)
    requests, errors = sum(arm.requests or 0.0 for arm in measured), sum(arm.errors or 0.0 for arm in measured)
    return Arm(requests, errors, buckets, gauges, counts)


def _added(
    one: Mapping[str, tuple[float, ...]], other: Mapping[str, tuple[float, ...]]
) -> dict[str, tuple[float, ...]]:
    sums = {name: tuple(map(sum, zip(pair, other[name], strict=True))) for name, pair in one.items() if name in other}
    return {**one, **other, **sums}
