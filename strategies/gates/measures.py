"""A look at the metrics besides errors and latency: counts, levels, and why one of them has nothing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from strategies.gates.chance import NOTHING, Counts
from strategies.gates.evidence import Evidence, Names
from strategies.gates.memory import ENOUGH, ERRORS, Memory, Pair
from strategies.gates.roughness import Roughness
from strategies.plan import Better, Kind, MetricGate
from strategies.verdicts import Arm, Reading

FEW_PAIRS = 5  # neighbouring looks before their differences say something
UNKNOWN = 4.0  # is assumed until then


@dataclass(slots=True)
class _Measures:
    counted: dict[str, Pair] = field(default_factory=dict)
    levels: dict[str, tuple[float | None, float]] = field(default_factory=dict)
    troubles: dict[str, str] = field(default_factory=dict)
    carried: dict[str, Sequence[int]] = field(default_factory=dict)
    rough: dict[str, Sequence[Sequence[float]]] = field(default_factory=dict)


def measured(
    gates: Sequence[MetricGate], reading: Reading, asked: float | None, names: Names, seen: Evidence, memory: Memory
) -> tuple[Evidence, Memory]:
    """The evidence with what the gates' own metrics gave, and the memory with what is carried to the next look."""
    found = _Measures(carried=dict(memory.carried), rough=dict(memory.rough))
    for gate in gates:
        kind = gate.measured
        if kind is Kind.LATENCY or gate.metric == ERRORS:
            continue
        silent = _silent(gate, reading, names, needs_baseline=asked is None or asked < 1)
        if silent:
            found.troubles[gate.metric] = reading.troubles.get(gate.metric) or f"No {gate.metric} of {silent}."
        elif kind is Kind.GAUGE:
            found.levels[gate.metric] = (
                reading.baseline.gauges.get(gate.metric),
                reading.candidate.gauges[gate.metric],
            )
        else:
            _count(gate, reading, found)
    if not (found.counted or found.levels or found.troubles):
        return seen, memory
    tally = replace(seen.tally, counted=found.counted)
    return (
        replace(seen, tally=tally, levels=found.levels, troubles=found.troubles),
        replace(memory, carried=found.carried, rough=found.rough),
    )


def _silent(gate: MetricGate, reading: Reading, names: Names, *, needs_baseline: bool) -> str:
    missing = [] if _has(gate, reading.candidate) else [names.candidate]
    compares = gate.allowed is not None or gate.tolerated is not None
    if compares and needs_baseline and not _has(gate, reading.baseline):
        missing.insert(0, names.baseline)
    return " and ".join(missing)


def _has(gate: MetricGate, arm: Arm) -> bool:
    if gate.measured is Kind.GAUGE:
        return math.isfinite(arm.gauges.get(gate.metric, math.nan))
    return gate.metric in arm.counts


def _count(gate: MetricGate, reading: Reading, found: _Measures) -> None:
    """Whole counts of both versions.

    Two counters are not scraped at one instant, so an event may be seen before the request that it belongs to: it is
    carried to the next look. Cut off, it would make the smaller version look worse than it is.
    """
    carried = found.carried.get(gate.metric, (0, 0))
    arms, rests = [], []
    for arm, before in zip((reading.baseline, reading.candidate), carried, strict=True):
        counts, rest = _whole(gate, arm, before)
        arms.append(counts)
        rests.append(rest)
        if rest > max(ENOUGH, counts.requests):
            found.troubles[gate.metric] = (
                f"{gate.metric} counts more events than there is to count out of; name in per what they are out of."
            )
    if any(rests) or gate.metric in found.carried:
        found.carried[gate.metric] = rests
    if gate.metric not in found.troubles:
        found.counted[gate.metric] = (arms[0], arms[1])
        if gate.query is not None:
            found.rough[gate.metric] = _noted(found.rough.get(gate.metric, ((), ())), arms)


def roughness(gate: MetricGate, memory: Memory) -> float:
    """How many times as much as by chance an owner's counts vary: events and requests are not scraped together."""
    if gate.query is None:
        return 1.0
    versions = [Roughness(*kept) for kept in memory.rough.get(gate.metric, ((), ()))]
    measured = max(version.factor for version in versions)
    return measured if min(version.pairs for version in versions) >= FEW_PAIRS else max(measured, UNKNOWN)


def _noted(kept: Sequence[Sequence[float]], arms: Sequence[Counts]) -> tuple[Sequence[float], ...]:
    versions = [Roughness(*version) for version in kept]
    for version, counts in zip(versions, arms, strict=True):
        version.note(counts.requests, counts.bad)
    return tuple(version.plain() for version in versions)


def _whole(gate: MetricGate, arm: Arm, before: int) -> tuple[Counts, int]:
    if gate.metric not in arm.counts:
        return NOTHING, before
    out_of, events = (round(number) for number in arm.counts[gate.metric])
    events += before
    taken = min(events, out_of)
    bad = out_of - taken if gate.better is Better.HIGHER else taken
    return Counts(out_of, bad), events - taken
