"""The share of requests that failed, compared with a limit and with the baseline."""

from dataclasses import replace

from strategies.gates.chance import STAGE, Counts, Level, Line, is_surely_above, is_surely_worse
from strategies.gates.comparison import Comparison, Standing
from strategies.gates.figures import change, count, percent, points
from strategies.gates.memory import ENOUGH, Tally
from strategies.plan import Margin, MetricGate


def compare_errors(gate: MetricGate, candidate: Counts, baseline: Counts, level: Level) -> Comparison:
    """The candidate's error rate against the gate's bounds; the baseline is needed only where `allowed` is set."""
    allowed = gate.allowed
    if allowed is not None and baseline.requests < ENOUGH:
        lacks = f"the baseline has {count(baseline.requests, 'request')}, {ENOUGH} are needed to compare"
        return Comparison(f"5xx {percent(candidate.rate)}", candidate.rate, lacks=lacks)
    bounds = [] if gate.limit is None else [gate.limit]
    if allowed is not None:
        bounds.append(allowed.beyond(baseline.rate, gate.better))
    surely = gate.limit is not None and is_surely_above(candidate, gate.limit, level)
    surely |= allowed is not None and is_surely_worse(candidate, baseline, border(allowed), level)
    within = all(candidate.rate <= bound for bound in bounds)
    standing = Standing.SURELY_BEYOND if surely else Standing.WITHIN if within else Standing.BEYOND
    return Comparison(
        _words(gate, candidate, baseline),
        candidate.rate,
        baseline.rate if baseline.requests else None,
        min(bounds, default=None),
        standing,
    )


def border(margin: Margin) -> Line:
    """The margin as a line in the plane of both rates."""
    return Line(1 + abs(margin.value), 0.0) if margin.relative else Line(1.0, abs(margin.value))


def with_unknown(gate: MetricGate, total: Tally, baseline: Counts) -> Comparison:
    """The comparison as it were if the errors that name no version were the candidate's."""
    lost = Counts(total.unknown, total.unknown)
    comparison = compare_errors(gate, total.candidate.plus(lost), baseline, STAGE)
    words = f"{count(total.unknown, 'error')} name no version; were they the candidate's: {comparison.words}"
    return replace(comparison, words=words)


def _words(gate: MetricGate, candidate: Counts, baseline: Counts) -> str:
    asked = [] if gate.limit is None else [f"limit {percent(gate.limit)}"]
    against = ""
    if baseline.requests:
        against = f" vs {percent(baseline.rate)}"
        asked.insert(0, points(candidate.rate - baseline.rate))
    if gate.allowed is not None:
        size = abs(gate.allowed.value)
        asked.append(f"allowed {change(size) if gate.allowed.relative else points(size)}")
    brackets = f" ({'; '.join(asked)})" if asked else ""
    return f"5xx {percent(candidate.rate)}{against}{brackets}"
