"""Counters over a range as requests and bad ones minute by minute.

A counter that fell was reset: its new value is what it counted since. A minute whose ends were not both scraped was not
measured; where the instance was there, a counter of bad requests that is missing stands at zero.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from bot.metrics.snapshots import Result, Source, source
from strategies.gates.course import MINUTE, Minutes

Values = dict[str, dict[int, float]]
"""Counter values by instance and minute since the start."""
Ours = Callable[[Source], bool]


def values(results: Iterable[Result], is_ours: Ours, since: datetime) -> Values:
    """The values of one version's counters, summed by instance."""
    found: Values = {}
    for result in results:
        labels = result["metric"]
        if not is_ours(source(labels)):
            continue
        here = found.setdefault(labels.get("instance", ""), {})
        for at, text in result["values"]:
            value = float(text)
            if not math.isnan(value):
                place = round((float(at) - since.timestamp()) / MINUTE.total_seconds())
                here[place] = here.get(place, 0.0) + value
    return found


def by_instance(every: Values, bad: Values, length: int) -> dict[str, Minutes]:
    """The minutes of each instance that was measured at all."""
    found = {name: _minutes(counter, bad.get(name, {}), length) for name, counter in every.items()}
    return {name: minutes for name, minutes in found.items() if any(minutes)}


def by_instance_above(every: Values, below: Values, length: int) -> dict[str, Minutes]:
    """The same where the good ones are counted: all requests, and those that took no longer than an edge."""
    found = {}
    for name, counter in every.items():
        good = below.get(name, {})
        bad = {place: max(value - good[place], 0.0) for place, value in counter.items() if place in good}
        both = {place: value for place, value in counter.items() if place in good}
        found[name] = _minutes(both, bad, length)
    return {name: minutes for name, minutes in found.items() if any(minutes)}


def together(instances: Mapping[str, Minutes], length: int) -> Minutes:
    """All instances in one; None for minutes in which none was measured."""
    if not instances:
        return [None] * length
    return [_sum([minute for minute in row if minute]) for row in zip(*instances.values(), strict=True)]


def grown(counter: Mapping[int, float], since: int) -> float:
    """By how much a counter grew since a minute; one that begins later begins at zero."""
    places = sorted(place for place in counter if place >= since)
    before = [counter[place] for place in places[:-1]]
    first = 0.0 if not places or places[0] == since else counter[places[0]]
    steps = zip(before, (counter[place] for place in places[1:]), strict=True)
    return first + math.fsum(now if now < then else now - then for then, now in steps)


def _sum(row: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    return (sum(n for n, _ in row), sum(x for _, x in row)) if row else None


def _minutes(counter: Mapping[int, float], bad: Mapping[int, float], length: int) -> Minutes:
    return [_minute(counter, bad, place) for place in range(1, length + 1)]


def _minute(counter: Mapping[int, float], bad: Mapping[int, float], place: int) -> tuple[int, int] | None:
    then, now = counter.get(place - 1), counter.get(place)
    if then is None or now is None:
        return None
    failed = bad.get(place)
    if now < then:
        requests, failures = now, failed or 0.0
    else:
        # A series of bad requests begins with the first of them.
        before = bad.get(place - 1, 0.0)
        requests, failures = now - then, max(failed - before, 0.0) if failed is not None else 0.0
    return round(requests), min(round(failures), round(requests))
