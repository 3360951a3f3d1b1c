"""What stands beside an error rate: callers that hung up, retries in vain, errors that name no version."""

from dataclasses import replace

from strategies.gates.chance import STAGE, Counts, Line, is_surely_worse
from strategies.gates.figures import count, percent
from strategies.gates.memory import ERRORS, Memory, Pair, Tally
from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Outcome, Reading, Verdict

# Names with a space, which no metric of an owner's has.
CANCELLED, RETRIED = "hung up", "in vain"
USUAL = Margin(0.01)  # more callers that hang up, where a gate names no margin


def aside(reading: Reading) -> dict[str, Pair]:
    """Requests that were cancelled or retried, of both versions; only where there are any."""
    arms = (reading.baseline, reading.candidate)
    found = {
        CANCELLED: [_counts(arm, arm.cancelled) for arm in arms],
        RETRIED: [_counts(arm, arm.retried) for arm in arms],
    }
    return {name: (pair[0], pair[1]) for name, pair in found.items() if any(counts.bad for counts in pair)}


def remarked(verdict: Verdict, gate: MetricGate, memory: Memory, resets: int) -> Verdict:
    """The verdict on errors with what stands beside it; too many callers that hang up, or nameless errors, hold it."""
    if gate.metric != ERRORS:
        return verdict
    held = verdict if verdict.outcome is not Outcome.PASS else _held(verdict, gate, memory)
    words = [*_words(memory.stage_total), *_nameless(memory), *_resets(resets)]
    return replace(held, reason=f"{held.reason.rstrip('.')}; {'; '.join(words)}.") if words else held


def _held(verdict: Verdict, gate: MetricGate, memory: Memory) -> Verdict:
    baseline, candidate = _of_all(memory.stage_total, CANCELLED)
    margin = gate.allowed or USUAL
    line = Line(1 + margin.value, 0.0) if margin.relative else Line(1.0, abs(margin.value))
    if is_surely_worse(candidate, baseline, line, STAGE):
        return replace(verdict, outcome=Outcome.WAIT, missing="callers that wait for their answers")
    if memory.nameless.is_excess and not memory.nameless.is_ours:
        return replace(verdict, outcome=Outcome.WAIT, missing="errors that name a version")
    return verdict


def _words(total: Tally) -> list[str]:
    words = []
    baseline, candidate = _of_all(total, CANCELLED)
    if baseline.bad or candidate.bad:
        against = f" vs {percent(baseline.rate)}" if baseline.requests else ""
        words.append(f"callers hung up on {percent(candidate.rate)}{against}")
    retried = total.of(RETRIED)[1].bad
    return [*words, f"{count(retried, 'request')} failed after retries"] if retried else words


def _nameless(memory: Memory) -> list[str]:
    state = memory.nameless
    if not state.is_excess:
        return []
    whose = "began with the change of the split and count as the candidate's" if state.is_ours else "name no version"
    return [f"{count(state.errors, 'error')} {whose}, more than before the release"]


def _resets(resets: int) -> list[str]:
    return [f"{count(resets, 'counter')} began anew, so this is the least that happened"] if resets else []


def _of_all(total: Tally, name: str) -> Pair:
    """The counts with all requests as their base: looks without any were left out."""
    baseline, candidate = total.of(name)
    return Counts(total.baseline.requests, baseline.bad), Counts(total.candidate.requests, candidate.bad)


def _counts(arm: Arm, number: float) -> Counts:
    return Counts(round(arm.requests or 0), round(number))
