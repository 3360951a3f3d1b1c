"""A quantile of latency, compared with a limit and with the baseline, as far as the histogram can tell.

A histogram knows how many requests took longer than an edge, not where inside a bucket they lie. The figure shown is
interpolated as Prometheus does; harm is proven on edges alone, and the verdict names the bucket of its bound.
"""

import math
from dataclasses import dataclass

from strategies.gates.chance import EQUAL, Level, Line, is_surely_above, is_surely_worse
from strategies.gates.comparison import Comparison, Standing
from strategies.gates.figures import change, milliseconds
from strategies.gates.latency import Buckets, Quantile, around, quantile, tail, total
from strategies.gates.memory import ENOUGH
from strategies.plan import MetricGate

LEAST_EXCESS = 0.001  # of requests: less is not told from drift between two proxies


def compare_latency(gate: MetricGate, q: float, candidate: Buckets, baseline: Buckets, *, level: Level) -> Comparison:
    """The candidate's quantile against the gate's bounds; the baseline is needed only where `allowed` is set."""
    name = f"p{q * 100:.0f}"
    ours, theirs = quantile(q, candidate), quantile(q, baseline)
    if ours is None:
        return Comparison(name, lacks="the histogram of the candidate is empty")
    if gate.allowed is not None and (lacks := _lacking(theirs, baseline)):
        return Comparison(f"{name} {milliseconds(ours.value)}", ours.value, lacks=lacks)
    allowed = gate.allowed.beyond(theirs.value, gate.better) if gate.allowed and theirs else math.inf
    bound = min(allowed, math.inf if gate.limit is None else gate.limit)
    proof = _Proof(candidate, baseline, q, level)
    surely = gate.limit is not None and proof.is_tail_above(gate.limit)
    if theirs is not None and ours.value > allowed and not surely:
        surely = proof.is_slower(allowed, theirs.value)
    within = ours.value <= bound and (not math.isinf(ours.upper) or math.isinf(bound))
    return Comparison(
        _words(gate, name, ours, theirs) + _bucket(bound, candidate),
        ours.value,
        theirs.value if theirs else None,
        None if math.isinf(bound) else bound,
        Standing.SURELY_BEYOND if surely else Standing.WITHIN if within else Standing.BEYOND,
    )


def _lacking(theirs: Quantile | None, baseline: Buckets) -> str:
    if theirs is None or total(baseline) < ENOUGH:
        return "the baseline has too few requests to compare"
    if math.isinf(theirs.upper):
        return f"the baseline lies beyond the last bucket, {milliseconds(theirs.lower)}"
    return ""


@dataclass(frozen=True, slots=True)
class _Proof:
    """What two histograms prove about one quantile."""

    candidate: Buckets
    baseline: Buckets
    q: float
    level: Level

    def is_tail_above(self, bound: float) -> bool:
        """More requests than the quantile leaves took longer than the first edge not below the bound."""
        _, upper = around(bound, self.candidate)
        return not math.isinf(upper) and is_surely_above(tail(upper, self.candidate), 1 - self.q, self.level)

    def is_slower(self, allowed: float, theirs: float) -> bool:
        """Proven on the edge above the allowed latency, or on the edge below by more than a slowdown carries over."""
        lower, upper = around(allowed, self.candidate)
        if self.is_tail_above(allowed) and self._is_worse_at(upper, EQUAL):
            return True
        if lower <= 0 or lower not in self.baseline:
            return False
        # Requests may sit anywhere inside a bucket: all of the one that the slowdown reaches into might have moved.
        reach, _ = around(lower * theirs / allowed, self.baseline)
        moved = tail(reach, self.baseline).rate - tail(lower, self.baseline).rate
        return self._is_worse_at(lower, Line(1.0, max(moved, LEAST_EXCESS)))

    def _is_worse_at(self, edge: float, line: Line) -> bool:
        return is_surely_worse(tail(edge, self.candidate), tail(edge, self.baseline), line, self.level)


def _words(gate: MetricGate, name: str, ours: Quantile, theirs: Quantile | None) -> str:
    asked = [] if gate.limit is None else [f"limit {milliseconds(gate.limit)}"]
    against = ""
    if theirs is not None:
        against = f" vs {milliseconds(theirs.value)}"
        if theirs.value:
            asked.insert(0, change(ours.value / theirs.value - 1))
    if gate.allowed is not None:
        size = abs(gate.allowed.value)
        asked.append(f"allowed {change(size) if gate.allowed.relative else '+' + milliseconds(size)}")
    beyond = "more than " if math.isinf(ours.upper) else ""
    return f"{name} {beyond}{milliseconds(ours.value)}{against}" + (f" ({'; '.join(asked)})" if asked else "")


def _bucket(bound: float, buckets: Buckets) -> str:
    if math.isinf(bound):
        return ""
    lower, upper = around(bound, buckets)
    if lower == upper:
        return ""
    if math.isinf(upper):
        return f"; nothing is told apart above {milliseconds(lower)}"
    return f"; bucket {milliseconds(lower)} to {milliseconds(upper)}"
