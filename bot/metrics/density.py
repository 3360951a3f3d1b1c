"""Fewer points than looks: neighbours of one stage added up, so that a long release still reads on a phone."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from bot.ports import Look
from strategies.verdicts import Arm

MOST = 80


def thinned(looks: Sequence[Look], most: int = MOST) -> Sequence[Look]:
    """At most about `most` looks with the same requests, errors and durations in total."""
    size = math.ceil(len(looks) / most)
    if size <= 1:
        return looks
    merged: list[Look] = []
    for _, group in groupby(looks, key=lambda look: look.stage):
        stage = list(group)
        merged.extend(_merged(stage[start : start + size]) for start in range(0, len(stage), size))
    return merged


def _merged(looks: Sequence[Look]) -> Look:
    last = looks[-1]
    baseline = _sum(look.reading.baseline for look in looks)
    candidate = _sum(look.reading.candidate for look in looks)
    reading = replace(last.reading, since=looks[0].reading.since, baseline=baseline, candidate=candidate)
    return replace(last, reading=reading)


def _sum(arms: Iterable[Arm]) -> Arm:
    measured = [arm for arm in arms if arm.requests is not None and arm.errors is not None]
    if not measured:
        return Arm()
    buckets: dict[float, float] = {}
    for arm in measured:
        for edge, number in arm.buckets.items():
            buckets[edge] = buckets.get(edge, 0.0) + number
    return Arm(sum(arm.requests or 0.0 for arm in measured), sum(arm.errors or 0.0 for arm in measured), buckets)
