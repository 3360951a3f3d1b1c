"""Counted and timed metrics by bounds: an absolute limit, an allowed worsening, failing on two looks running.

How one gate decides:
- Looks are pooled until the candidate has requests enough to say something (20 for errors and p50, p95; 100 for
  p99). A pool fails only when it is *surely* beyond the bound (0.5 %, `chance`), so a lone error is not harm.
- Small harm that no pool proves counts too, once all that the stage saw proves it at a far higher bar (0.003 %).
- Two failing pools running are `fail`. A look without data neither counts nor resets, so an outage of Prometheus
  between two bad looks does not forgive the first. A stage's start keeps the count for the same reason.
- `pass` compares all that the stage saw so far with the bound; above it and not surely is `wait`.
- The baseline is the one of the same looks; where it gets too few requests, of this stage; at 100 %, of the last
  stage that gave it any.
`tolerated` is not asked here: ruling a worsening out takes a judge that adds up evidence.
"""

from collections.abc import Sequence
from dataclasses import replace

from strategies.gates.chance import LOOK, STAGE, Level, tempered
from strategies.gates.comparison import Comparison, Standing
from strategies.gates.evidence import Evidence, Names
from strategies.gates.figures import count
from strategies.gates.latency import total
from strategies.gates.latency_quantile import compare_latency
from strategies.gates.measures import roughness
from strategies.gates.memory import ENOUGH, ERRORS, Memory, Tally
from strategies.gates.rate import compare_rate, with_unknown
from strategies.plan import Better, Kind, MetricGate
from strategies.verdicts import Outcome, Verdict

RUNNING = 2  # failing looks
QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
KNOWN = frozenset({ERRORS, "outgoing_errors", "cpu", "memory", *QUANTILES})


def refuse_unknown(gates: Sequence[MetricGate]) -> None:
    """Raise ValueError for a metric that no judge knows; profiles are checked long before."""
    for gate in gates:
        if gate.metric not in KNOWN and gate.query is None:
            raise ValueError(f"no judge for metric {gate.metric!r}; known are {', '.join(sorted(KNOWN))}")


def judge_metric(gate: MetricGate, seen: Evidence, names: Names, memory: Memory) -> tuple[Verdict, Memory]:
    """The gate's verdict after a look, and the memory with the look in it.

    `memory.stage_total` already holds the look. Without data of an arm that the gate compares, the memory stays.
    """
    silent = _silent(gate, seen, names)
    if silent:
        return _verdict(gate, Outcome.WAIT, silent, missing="data"), memory
    pool = memory.pools.get(gate.metric, Tally()).plus(_relevant(gate, seen.tally))
    factor = roughness(gate, memory)
    whole = _compare(gate, memory.stage_total, memory, tempered(STAGE, factor))
    if _size(gate, pool) < _enough(gate):
        memory = memory.with_pool(gate.metric, pool)
        return _answer(gate, whole, memory, names), memory
    look = _compare(gate, pool, memory, tempered(LOOK, factor))
    if look.lacks:
        # Nothing to compare this pool with: it is spent, and neither counts nor resets.
        memory = memory.with_streak(gate.metric, memory.streaks.get(gate.metric, 0))
        return _answer(gate, whole, memory, names), memory
    is_failing = Standing.SURELY_BEYOND in {look.standing, whole.standing}
    memory = memory.with_streak(gate.metric, memory.streaks.get(gate.metric, 0) + 1 if is_failing else 0)
    shown = look if look.standing is Standing.SURELY_BEYOND else whole
    return _answer(gate, shown, memory, names), memory


def _answer(gate: MetricGate, comparison: Comparison, memory: Memory, names: Names) -> Verdict:
    streak = memory.streaks.get(gate.metric, 0)
    total_size = _size(gate, memory.stage_total)
    if streak >= RUNNING:
        return _verdict(gate, Outcome.FAIL, f"{comparison.words}, {RUNNING} looks running.", comparison)
    if streak:
        reason = f"{streak} of {RUNNING} looks {_side(gate)} the bound: {comparison.words}."
        return _verdict(gate, Outcome.WAIT, reason, comparison, missing="the next look")
    if total_size < _enough(gate):
        more = _enough(gate) - total_size
        reason = f"{names.candidate} has {count(total_size, 'request')}; {_enough(gate)} say something."
        return _verdict(gate, Outcome.WAIT, reason, comparison, missing=f"{count(more, 'more request')}")
    if comparison.lacks:
        reason = f"{comparison.words}; {comparison.lacks}."
        return _verdict(gate, Outcome.WAIT, reason, comparison, missing="a baseline to compare with")
    return _standing(gate, comparison, memory)


def _standing(gate: MetricGate, comparison: Comparison, memory: Memory) -> Verdict:
    total_seen = memory.stage_total
    if comparison.standing is not Standing.WITHIN:
        reason = f"{comparison.words}: {_side(gate)} the bound, but not surely yet."
        return _verdict(gate, Outcome.WAIT, reason, comparison, missing="more requests, or better figures")
    if gate.metric == ERRORS and total_seen.unknown:
        worst = with_unknown(gate, total_seen, _reference(gate, memory.stage_total, memory).baseline)
        if worst.standing is Standing.SURELY_BEYOND:
            return _verdict(gate, Outcome.WAIT, f"{worst.words}.", comparison, missing="errors that name a version")
    return _verdict(gate, Outcome.PASS, f"{comparison.words}.", comparison)


def _compare(gate: MetricGate, ours: Tally, memory: Memory, level: Level) -> Comparison:
    theirs = _reference(gate, ours, memory)
    if _is_counted(gate):
        return compare_rate(gate, ours.of(gate.metric)[1], theirs.of(gate.metric)[0], level)
    q = QUANTILES[gate.metric]
    return compare_latency(gate, q, ours.candidate_buckets, theirs.baseline_buckets, level=level)


def _reference(gate: MetricGate, same_looks: Tally, memory: Memory) -> Tally:
    """The nearest account of the baseline that has requests enough."""
    for tally in (same_looks, memory.stage_total, memory.before):
        requests = tally.of(gate.metric)[0].requests if _is_counted(gate) else total(tally.baseline_buckets)
        if requests >= ENOUGH:
            return tally
    return same_looks


def _silent(gate: MetricGate, seen: Evidence, names: Names) -> str:
    """Why the look says nothing of the metric; of errors it always does, or it would not have come here."""
    if _is_counted(gate):
        return seen.troubles.get(gate.metric, "")
    missing = [] if seen.tally.candidate_buckets else [names.candidate]
    if gate.allowed is not None and not seen.tally.baseline_buckets:
        missing.insert(0, names.baseline)
    return f"No latency of {' and '.join(missing)} in this look." if missing else ""


def _side(gate: MetricGate) -> str:
    return "above" if gate.better is Better.LOWER else "below"


def _is_counted(gate: MetricGate) -> bool:
    return gate.measured is Kind.COUNTS


def _relevant(gate: MetricGate, look: Tally) -> Tally:
    if _is_counted(gate):
        return look.only(gate.metric)
    return Tally(baseline_buckets=look.baseline_buckets, candidate_buckets=look.candidate_buckets)


def _size(gate: MetricGate, tally: Tally) -> int:
    return tally.of(gate.metric)[1].requests if _is_counted(gate) else total(tally.candidate_buckets)


def _enough(gate: MetricGate) -> int:
    """A quantile needs requests enough for one of them to lie beyond it."""
    if _is_counted(gate):
        return ENOUGH
    return max(ENOUGH, round(1 / (1 - QUANTILES[gate.metric])))


def _verdict(
    gate: MetricGate, outcome: Outcome, reason: str, comparison: Comparison | None = None, *, missing: str = ""
) -> Verdict:
    verdict = Verdict(gate.metric, outcome, reason, unit=gate.unit, missing=missing)
    if comparison is None:
        return verdict
    return replace(verdict, baseline=comparison.baseline, candidate=comparison.candidate, bound=comparison.bound)
