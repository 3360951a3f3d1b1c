"""A gauge against itself before a release: may it be trusted to roll back?

Where pods can be told apart, each plays the candidate against the mean of the rest; else an hour plays it against the
hour before, which is harder: what moves both versions of a release alike moves only one of the two here.
"""

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

from strategies.gates.course import Level, Readings
from strategies.gates.gauges import MINUTE, long_run_variance
from strategies.gates.levels import Conditions, would_fail
from strategies.gates.past import LevelPast
from strategies.plan import MetricGate

HOUR = 60  # readings in a replayed stage
STRIDE = 30
FEWEST = 30  # pairs of readings in a stage that says anything
MOST_REPLAYS = 200

Pairs = Sequence[tuple[float, float]]


def learnt(gate: MetricGate, level: Level) -> tuple[LevelPast, tuple[tuple[str, int], ...]]:
    """What a release keeps of the gauge, and which replays (who, in which hour) were rolled back by mistake."""
    known = level.known
    if not known:
        return LevelPast(), ()
    under = Conditions(long_run=long_run_variance(known))
    replays = [each for each in _replays(level) if len(each[1]) >= FEWEST]
    chosen = replays[:: -(-len(replays) // MOST_REPLAYS)] if replays else []
    alarms = tuple(name for name, pairs in chosen if would_fail(gate, pairs, MINUTE, under))
    return LevelPast(fmean(known), under.long_run, len(chosen), len(alarms)), alarms


def _replays(level: Level) -> Iterator[tuple[tuple[str, int], Pairs]]:
    if len(level.pods) > 1:
        yield from _by_pod(level.pods)
        return
    for start in range(0, len(level.whole) - 2 * HOUR + 1, STRIDE):
        before, after = level.whole[start : start + HOUR], level.whole[start + HOUR : start + 2 * HOUR]
        yield ("the hour before", (start + HOUR) // HOUR), _pairs(before, after)


def _by_pod(pods: Mapping[str, Readings]) -> Iterator[tuple[tuple[str, int], Pairs]]:
    length = min(len(readings) for readings in pods.values())
    for start in range(0, length - HOUR + 1, HOUR):
        part = {name: readings[start : start + HOUR] for name, readings in pods.items()}
        for name, ours in part.items():
            others = [readings for other, readings in part.items() if other != name]
            rest = [_mean(row) for row in zip(*others, strict=True)]
            yield (name, start // HOUR), _pairs(rest, ours)


def _mean(row: Sequence[float | None]) -> float | None:
    known = [reading for reading in row if reading is not None]
    return fmean(known) if known else None


def _pairs(theirs: Readings, ours: Readings) -> Pairs:
    return [(b, c) for b, c in zip(theirs, ours, strict=True) if b is not None and c is not None]
