"""A share of requests (failed ones, calls that failed, orders placed), compared with a limit and with the baseline.

Counts hold bad requests whatever was counted: where the good event is counted, the bad ones are all others. Words and
figures are turned back into what the owner counts.
"""

from dataclasses import replace

from strategies.gates.chance import STAGE, Counts, Level, Line, is_surely_above, is_surely_worse
from strategies.gates.comparison import Comparison, Standing
from strategies.gates.figures import change, count, percent, points
from strategies.gates.memory import ENOUGH, ERRORS, Tally
from strategies.plan import Better, Margin, MetricGate


def compare_rate(gate: MetricGate, candidate: Counts, baseline: Counts, level: Level) -> Comparison:
    """The candidate's rate against the gate's bounds; the baseline is needed only where `allowed` is set."""
    allowed, ours, theirs = gate.allowed, shown(gate, candidate), shown(gate, baseline)
    if allowed is not None and baseline.requests < ENOUGH:
        lacks = f"the baseline has {count(baseline.requests, 'request')}, {ENOUGH} are needed to compare"
        return Comparison(f"{_name(gate)} {percent(ours)}", ours, lacks=lacks)
    bounds = [] if gate.limit is None else [gate.limit]
    if allowed is not None:
        bounds.append(allowed.beyond(theirs, gate.better))
    surely = gate.limit is not None and _is_surely_beyond(gate, candidate, gate.limit, level)
    surely |= allowed is not None and is_surely_worse(candidate, baseline, border(allowed, gate.better), level)
    is_lower = gate.better is Better.LOWER
    within = all(ours <= bound if is_lower else ours >= bound for bound in bounds)
    standing = Standing.SURELY_BEYOND if surely else Standing.WITHIN if within else Standing.BEYOND
    return Comparison(
        _words(gate, candidate, baseline),
        ours,
        theirs if baseline.requests else None,
        min(bounds, default=None) if is_lower else max(bounds, default=None),
        standing,
    )


def border(margin: Margin, better: Better = Better.LOWER) -> Line:
    """The margin as a line in the plane of both rates of bad requests.

    Good events that may drop to (1 - m) times the baseline's leave bad ones at (1 - m) times the baseline's, plus m.
    """
    size = abs(margin.value)
    if not margin.relative:
        return Line(1.0, size)
    return Line(1 + size, 0.0) if better is Better.LOWER else Line(1 - size, size)


def shown(gate: MetricGate, counts: Counts) -> float:
    """The rate of what the owner counts."""
    return counts.rate if gate.better is Better.LOWER else 1 - counts.rate


def margin_words(margin: Margin, better: Better) -> str:
    """The margin as its owner means it: `+0.1 pp`, `−2 %`."""
    size = abs(margin.value) * (1 if better is Better.LOWER else -1)
    return change(size) if margin.relative else points(size)


def with_unknown(gate: MetricGate, total: Tally, baseline: Counts) -> Comparison:
    """The comparison as it were if the errors that name no version were the candidate's."""
    lost = Counts(total.unknown, total.unknown)
    comparison = compare_rate(gate, total.candidate.plus(lost), baseline, STAGE)
    words = f"{count(total.unknown, 'error')} name no version; were they the candidate's: {comparison.words}"
    return replace(comparison, words=words)


def _is_surely_beyond(gate: MetricGate, candidate: Counts, limit: float, level: Level) -> bool:
    return is_surely_above(candidate, limit if gate.better is Better.LOWER else 1 - limit, level)


def _words(gate: MetricGate, candidate: Counts, baseline: Counts) -> str:
    ours, theirs = shown(gate, candidate), shown(gate, baseline)
    asked = [] if gate.limit is None else [f"limit {percent(gate.limit)}"]
    against = ""
    if baseline.requests:
        against = f" vs {percent(theirs)}"
        asked.insert(0, points(ours - theirs))
    if gate.allowed is not None:
        asked.append(f"allowed {margin_words(gate.allowed, gate.better)}")
    brackets = f" ({'; '.join(asked)})" if asked else ""
    return f"{_name(gate)} {percent(ours)}{against}{brackets}"


def _name(gate: MetricGate) -> str:
    return "5xx" if gate.metric == ERRORS else gate.metric.replace("_", " ")
