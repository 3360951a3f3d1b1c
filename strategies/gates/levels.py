"""Gates on levels (cpu, memory, gauges of the owner's own): they hold a release, and do not roll it back.

Levels of two versions are compared look by look within a stage; what a stage before had is kept as reference for the
last one, where the baseline serves nobody. A level rolls back only when a replay of the baseline against itself has
shown that it would not do so by mistake (`Conditions.may_fail`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from strategies.gates.evidence import Evidence, Names
from strategies.gates.figures import change, count, level, span
from strategies.gates.gauges import FEWEST, Differences, odds_against, variance_per_look
from strategies.gates.memory import ENOUGH, Memory
from strategies.plan import Better, Margin, MetricGate
from strategies.verdicts import Outcome, Verdict

CPU = "cpu"
FEW = 5  # looks before a mean says something
SAFE_ODDS, HARM_ODDS = 20.0, 200.0
LONGEST_WAIT = 20_000  # looks; beyond that nobody waits
HOLDS = "a level holds a release, it does not roll it back"


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a level is judged under.

    `loads` are requests per second and ready pod of baseline and candidate, None where pods are not known. `long_run`
    is the variance of the baseline's past readings of 60 s as it counts in a long mean. `may_fail` says that a replay
    of the baseline against itself has passed.
    """

    asked: float | None = None
    loads: tuple[float, float] | None = None
    long_run: float | None = None
    may_fail: bool = False


def would_fail(gate: MetricGate, pairs: Sequence[tuple[float, float]], seconds: float, under: Conditions) -> bool:
    """True when a stage with these readings of baseline and candidate, one pair per look, is ever rolled back."""
    sums, margin = _Sums(), gate.allowed
    for theirs, ours in pairs if margin is not None else ():
        sums = sums.plus(theirs, ours)
        bound = _bound(gate, sums.b / sums.looks)
        is_beyond = bound is not None and sums.looks >= FEWEST and _is_beyond(gate, sums.c / sums.looks, bound)
        if margin and is_beyond and _odds(gate, margin, sums, seconds, under) >= HARM_ODDS:
            return True
    return False


@dataclass(frozen=True, slots=True)
class _Sums:
    """Looks of a stage and the sums over them of b, c, b², c², bc (baseline, candidate)."""

    looks: int = 0
    b: float = 0.0
    c: float = 0.0
    bb: float = 0.0
    cc: float = 0.0
    bc: float = 0.0

    def plus(self, b: float, c: float) -> "_Sums":
        return _Sums(self.looks + 1, self.b + b, self.c + c, self.bb + b * b, self.cc + c * c, self.bc + b * c)

    def plain(self) -> tuple[float, ...]:
        """The stored form."""
        return self.looks, self.b, self.c, self.bb, self.cc, self.bc

    def differences(self, margin: Margin, better: Better) -> tuple[Differences, float]:
        """Worsening beyond the relative part of the margin, and the absolute part that it is held against."""
        sign = 1.0 if better is Better.LOWER else -1.0
        size = abs(margin.value)
        k = 1.0 + sign * size if margin.relative else 1.0
        squares = self.cc - 2 * k * self.bc + k * k * self.bb
        return Differences(self.looks, sign * (self.c - k * self.b), squares), 0.0 if margin.relative else size


def judge_level(
    gate: MetricGate, seen: Evidence, names: Names, memory: Memory, under: Conditions
) -> tuple[Verdict, Memory]:
    """The gate's verdict after a look, and the memory with the look in it."""
    if gate.metric in seen.troubles:
        return Verdict(gate.metric, Outcome.WAIT, seen.troubles[gate.metric], unit=gate.unit, missing="data"), memory
    theirs, ours = seen.levels[gate.metric]
    kept = memory.odds.get(gate.metric, {})
    reference = tuple(kept.get("reference", ()))
    baseline = _baseline(gate, theirs, reference, seen, under)
    if baseline is None and (gate.allowed or gate.tolerated):
        reason = f"{gate.metric} {level(ours, gate.unit)}; {names.baseline} has no {gate.metric} to compare with."
        return Verdict(gate.metric, Outcome.WAIT, reason, None, ours, None, gate.unit, "a baseline"), memory
    same = kept.get("stage") == memory.stage
    sums = (_Sums(*kept["sums"]) if same else _Sums()).plus(baseline or 0.0, ours)
    after = {"stage": memory.stage, "sums": sums.plain(), "reference": _referred(theirs, reference, seen, under)}
    return _verdict(gate, sums, baseline is not None, seen.seconds, under), memory.with_odds(gate.metric, after)


def _baseline(
    gate: MetricGate, theirs: float | None, reference: tuple[float, ...], seen: Evidence, under: Conditions
) -> float | None:
    """What the baseline has, or had while it served; cpu as if each of its pods had the candidate's load."""
    base, load = theirs, under.loads[0] if under.loads else 0.0
    if base is None or _is_idle(seen, under):
        base, load = reference or (None, 0.0)
    if base is None or gate.metric != CPU or under.loads is None or load <= 0:
        return base
    # More load is no fault of the candidate's; less is no merit, and its idle share is not known.
    return base * max(1.0, under.loads[1] / load)


def _is_idle(seen: Evidence, under: Conditions) -> bool:
    return under.asked is not None and under.asked >= 1 and seen.tally.baseline.requests < ENOUGH


def _referred(
    theirs: float | None, reference: tuple[float, ...], seen: Evidence, under: Conditions
) -> tuple[float, ...]:
    if theirs is None or _is_idle(seen, under):
        return reference
    now = (theirs, under.loads[0] if under.loads else 0.0)
    return tuple(0.9 * old + 0.1 * new for old, new in zip(reference, now, strict=True)) if reference else now


def _verdict(gate: MetricGate, sums: _Sums, is_compared: bool, seconds: float, under: Conditions) -> Verdict:
    ours, theirs = sums.c / sums.looks, sums.b / sums.looks if is_compared else None
    bound = _bound(gate, theirs)
    answer = Verdict(gate.metric, Outcome.WAIT, "", theirs, ours, bound, gate.unit)
    words = _words(gate, ours, theirs)
    if sums.looks < FEW:
        missing = count(FEW - sums.looks, "more look")
        return replace(answer, reason=f"{words}; {count(FEW, 'look')} say something.", missing=missing)
    if bound is not None and _is_beyond(gate, ours, bound):
        if under.may_fail and gate.allowed and _odds(gate, gate.allowed, sums, seconds, under) >= HARM_ODDS:
            return replace(answer, outcome=Outcome.FAIL, reason=f"{words}, surely beyond the bound.")
        side = "above" if gate.better is Better.LOWER else "below"
        reason = (
            f"{words}: {side} the bound{', but not surely yet' if under.may_fail and gate.allowed else f'; {HOLDS}'}."
        )
        return replace(answer, reason=reason, missing="a better level, or a person")
    if gate.tolerated is not None and is_compared:
        odds = _safe_odds(gate, gate.tolerated, sums, seconds, under)
        ruled_out = f"worse by {_size(gate, gate.tolerated)}"
        if odds < SAFE_ODDS:
            more = _more_looks(gate, gate.tolerated, sums, seconds, under)
            missing = f"about {count(more, 'more look')} ({span(more * seconds)})" if more else "more evidence"
            return replace(answer, reason=f"{words}: {ruled_out} is not ruled out yet.", missing=missing)
        words = f"{words}; {ruled_out} is ruled out at odds of {min(odds, 1e6):,.0f}:1"
    return replace(answer, outcome=Outcome.PASS, reason=f"{words}.")


def _bound(gate: MetricGate, baseline: float | None) -> float | None:
    bounds = [] if gate.limit is None else [gate.limit]
    if gate.allowed is not None and baseline is not None:
        bounds.append(gate.allowed.beyond(baseline, gate.better))
    return (min if gate.better is Better.LOWER else max)(bounds, default=None)


def _is_beyond(gate: MetricGate, ours: float, bound: float) -> bool:
    return ours > bound if gate.better is Better.LOWER else ours < bound


def _odds(gate: MetricGate, margin: Margin, sums: _Sums, seconds: float, under: Conditions) -> float:
    seen, bound = sums.differences(margin, gate.better)
    return odds_against(bound, seen, variance_per_look(seen, under.long_run, seconds), level=1 / SAFE_ODDS)


def _safe_odds(gate: MetricGate, margin: Margin, sums: _Sums, seconds: float, under: Conditions) -> float:
    seen, bound = sums.differences(margin, gate.better)
    odds = _odds(gate, margin, sums, seconds, under)
    return odds if seen.mean < bound else min(1.0, 1 / odds)


def _more_looks(gate: MetricGate, margin: Margin, sums: _Sums, seconds: float, under: Conditions) -> int:
    """Looks until the margin is ruled out if the next ones are as those so far; 0 when that cannot be said."""
    seen, bound = sums.differences(margin, gate.better)
    variance = variance_per_look(seen, under.long_run, seconds)
    if seen.mean >= bound:
        return 0
    looks = max(seen.looks, FEWEST)
    while looks < LONGEST_WAIT:
        longer = Differences(looks, seen.mean * looks, seen.squares * looks / seen.looks)
        if odds_against(bound, longer, variance, level=1 / SAFE_ODDS) >= SAFE_ODDS:
            return max(looks - seen.looks, 1)
        looks = math.ceil(looks * 1.1)
    return 0


def _words(gate: MetricGate, ours: float, theirs: float | None) -> str:
    per_pod = " per pod" if gate.query is None else ""
    asked = [] if gate.limit is None else [f"limit {level(gate.limit, gate.unit)}"]
    against = ""
    if theirs is not None:
        against = f" vs {level(theirs, gate.unit)}"
        if theirs:
            asked.insert(0, change(ours / theirs - 1))
    if gate.allowed is not None:
        asked.append(f"allowed {_size(gate, gate.allowed)}")
    return f"{gate.metric} {level(ours, gate.unit)}{per_pod}{against}" + (f" ({'; '.join(asked)})" if asked else "")


def _size(gate: MetricGate, margin: Margin) -> str:
    sign, size = ("+", 1) if gate.better is Better.LOWER else ("−", -1)
    if margin.relative:
        return change(size * abs(margin.value))
    return f"{sign}{level(abs(margin.value), gate.unit)}"
