"""The judge that adds up evidence: looks and trials in, findings out, all metrics of all releases in one sweep.

A look is judged in three steps: what each metric counted, in order; the likelihood ratios of all of them at once;
what the wealth has become, in order. Several looks of one release may come in one batch: the guess that a look is
judged by rests on earlier looks only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from strategies.gates import sentences
from strategies.gates.account import Account
from strategies.gates.counts import STEPS, Border, Floats, Guess, Samples, as_good, information, log_evidence, worse
from strategies.gates.deadline import is_surely_beyond
from strategies.gates.exceedance import above
from strategies.gates.question import PAUSE_ODDS, Kind, Metric
from strategies.gates.trial import Decision, Finding, Look, Sample, Trial, bad_of, fix_edge
from strategies.plan import Better
from strategies.verdicts import Outcome

SKIPPED = "the first look after a change of the weight is not counted"
_COLUMNS = len(STEPS)


@dataclass(slots=True)
class _Row:
    """One counted metric of one look: baseline's requests and bad ones, candidate's, and what was known before."""

    metric: Metric
    account: Account
    totals: tuple[int, int, int, int]
    failing_pods: int
    guess: float
    burst: float
    rough: float


@dataclass(slots=True)
class _Entry:
    """One look on its way through the judge."""

    trial: Trial
    look: Look
    elapsed: float
    seconds: float
    skipped: str = ""
    lost: list[str] = field(default_factory=list)
    rows: list[_Row] = field(default_factory=list)
    gauges: list[tuple[Metric, float]] = field(default_factory=list)


def judge(looks: Sequence[tuple[Trial, Look]]) -> list[Finding]:
    """One finding per look, in order; trials change accordingly. A release's looks come in order of time.

    Looks after a trial's decision are still answered: it is for the caller to end there.
    """
    entries = [_entered(trial, look) for trial, look in looks]
    factors, gains = _factors([row for entry in entries for row in entry.rows])
    findings, place = [], 0
    for entry in entries:
        end = place + len(entry.rows)
        findings.append(_found(entry, factors[place:end], gains[place:end]))
        place = end
    return findings


def _entered(trial: Trial, look: Look) -> _Entry:
    if trial.began is None:
        trial.began = look.t
    seconds = look.t - trial.last if trial.last is not None else 0.0
    entry = _Entry(trial, look, (look.t - trial.began) / 60, seconds)
    is_changed = trial.weight is not None and trial.weight != look.weight
    trial.weight, trial.last = look.weight, look.t
    if is_changed:
        entry.skipped = SKIPPED
        return entry
    for metric in trial.question.metrics:
        baseline, candidate = look.baseline.get(metric.name), look.candidate.get(metric.name)
        if metric.kind is Kind.GAUGE:
            _enter_gauge(entry, metric, baseline, candidate)
        else:
            _enter_counts(entry, metric, baseline, candidate)
    return entry


def _enter_gauge(entry: _Entry, metric: Metric, baseline: Sample | None, candidate: Sample | None) -> None:
    if not isinstance(baseline, int | float) or not isinstance(candidate, int | float):
        entry.lost.append(metric.name)
        return
    difference = candidate - baseline
    entry.gauges.append((metric, -difference if metric.better is Better.HIGHER else difference))


def _enter_counts(entry: _Entry, metric: Metric, baseline: Sample | None, candidate: Sample | None) -> None:
    account = entry.trial.accounts[metric.name]
    if account.edge is None and isinstance(baseline, Mapping):
        # Nothing was known before: this look fixes the edge, and is therefore no evidence on it.
        edge = fix_edge(metric, account, baseline)
        if edge is not None and (first := above(edge, baseline)):
            account.learn(*first)
        return
    theirs, ours = _pods(metric, account, baseline), _pods(metric, account, candidate)
    if not theirs or not ours:
        entry.lost.append(metric.name)
    if theirs:
        n0, x0 = _together(theirs)
        guess, is_first = account.guess, account.requests == 0
        account.learn(n0, x0)
        if is_first and metric.better is Better.HIGHER:
            return  # how often good events happen cannot be guessed from nothing
        if ours:
            n1, x1 = _together(ours)
            failing = sum(1 for pod in ours if pod[1]) if x1 else 0
            burst = account.tempering
            for version, seen in zip(account.roughness, ((n0, x0), (n1, x1)), strict=True):
                version.note(*seen)
            rough = account.roughness_factor
            entry.rows.append(_Row(metric, account, (n0, x0, n1, x1), failing, guess, burst, rough))


def _together(pods: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return pods[0] if len(pods) == 1 else (sum(pod[0] for pod in pods), sum(pod[1] for pod in pods))


def _pods(metric: Metric, account: Account, sample: Sample | None) -> Sequence[tuple[int, int]]:
    if sample is None or isinstance(sample, int | float):
        return ()
    if isinstance(sample, Mapping):
        tail = above(account.edge, sample) if account.edge is not None else None
        return (tail,) if tail else ()
    return [(n, bad_of(metric, n, x)) for n, x in sample] if metric.better is Better.HIGHER else sample


def _factors(rows: Sequence[_Row]) -> tuple[list[list[float]], list[float]]:
    """The tempered likelihood ratios of each row (harm, then safety), and a good candidate's gain per request."""
    if not rows:
        return [], []
    n0, x0, n1, x1, rate, burst, *lines = np.array(
        [(*row.totals, row.guess, row.burst, *row.account.border, *row.account.tolerated) for row in rows],
        dtype=np.float64,
    ).T
    harmful, bearable = Border(lines[0], lines[1]), Border(lines[2], lines[3])
    bad, good = worse(rate, harmful), as_good(rate, bearable)
    border = Border(_wide(harmful.ratio, bearable.ratio), _wide(harmful.offset, bearable.offset))
    seen = Samples(n0[:, None], x0[:, None], n1[:, None], x1[:, None])
    logs = log_evidence(seen, Guess(rate[:, None], np.concatenate((bad, good), axis=1)), border)
    gains = information(n0, n1, Guess(rate, good[:, 0]), bearable) / burst
    factors = np.exp(np.clip(logs / burst[:, None], -700.0, 460.0))
    return factors.tolist(), gains.tolist()


def _wide(harm: Floats, safety: Floats) -> Floats:
    left = np.broadcast_to(harm[:, None], (len(harm), _COLUMNS))
    return np.concatenate((left, np.broadcast_to(safety[:, None], (len(harm), 2))), axis=1)


def _found(entry: _Entry, factors: Sequence[Sequence[float]], gains: Sequence[float]) -> Finding:
    trial, look = entry.trial, entry.look
    if trial.stage_weight != look.weight:
        trial.stage_weight, trial.stage_requests = look.weight, 0
    deadline, began = trial.question.deadline_s, trial.began or 0.0
    horizon = None if deadline is None else (deadline - began) / 60
    for row, ratios, gain in zip(entry.rows, factors, gains, strict=True):
        account = row.account
        account.multiply(account.pay(entry.elapsed, horizon), ratios)
        account.note(look.weight, row.totals, row.failing_pods)
        account.rough = row.rough
        if row.metric.better is Better.HIGHER:
            account.outage = [0, 0, 0]  # most requests lead to no order at the best of times
        if gain > 0:
            account.gain = gain if account.gain == 0 else 0.9 * account.gain + 0.1 * gain
    for metric, difference in entry.gauges:
        gauge = trial.gauges[metric.name]
        gauge.seen, gauge.seconds = gauge.seen.plus(difference), entry.seconds or gauge.seconds
    requests = max((row.totals[2] for row in entry.rows), default=0)
    trial.stage_requests += requests
    if entry.seconds > 0 and entry.rows:
        fresh = requests / entry.seconds
        trial.pace = fresh if trial.pace == 0 else 0.8 * trial.pace + 0.2 * fresh
    finding = _judged(entry)
    trial.finding = finding
    return finding


def _judged(entry: _Entry) -> Finding:
    trial, look = entry.trial, entry.look
    question = trial.question
    is_over = question.deadline_s is not None and look.t >= question.deadline_s
    weighed = trial.weighed
    harm = sum(budget * account.harm_odds for _, account, budget in weighed) if weighed else 1.0
    safe = min(trial.safe_odds(metric) for metric in question.metrics)
    proof = _proof(trial, harm, is_over)
    needed = needed_requests(trial)
    if proof:
        outcome, reason = Outcome.FAIL, sentences.harm(trial, proof)
    elif entry.skipped or entry.lost:
        outcome, reason = Outcome.WAIT, sentences.unread(trial, entry.skipped, entry.lost)
    elif safe >= question.safe_odds and harm < PAUSE_ODDS and trial.stage_requests >= question.min_requests:
        outcome, reason = Outcome.PASS, sentences.safe(trial)
    else:
        outcome, reason = Outcome.WAIT, sentences.waiting(trial, harm, needed)
    decision = _decision(trial, outcome, is_over)
    words = sentences.decided(trial, decision, reason) if decision else ""
    return Finding(look.t, outcome, harm, safe, needed, reason, decision, words)


def _decision(trial: Trial, outcome: Outcome, is_over: bool) -> Decision | None:
    if outcome is Outcome.FAIL:
        return Decision.ROLL_BACK
    if outcome is Outcome.PASS and (is_over or trial.question.is_eager):
        return Decision.PROMOTE
    return Decision.HOLD if is_over else None


def _proof(trial: Trial, harm: float, is_over: bool) -> sentences.Proof | None:
    """What proves harm: the odds of the metrics that are believable, or the exact test at the deadline."""
    bar = trial.question.harm_odds
    if harm >= bar:
        odds = {
            metric: budget * (account.harm_odds if account.is_believable else min(account.harm_odds, 1.0))
            for metric, account, budget in trial.weighed
        }
        if sum(odds.values()) >= bar:
            return sentences.Proof(max(odds, key=lambda metric: odds[metric]), sum(odds.values()))
    return exact_proof(trial, trial.question.alpha / 2) if is_over else None


def exact_proof(trial: Trial, alpha: float) -> sentences.Proof | None:
    """What the one exact test at a deadline proves of all that was counted so far; None when it proves nothing.

    `alpha` is shared by the metrics. Nothing is proven where bad requests come in bursts, which the test knows not of.
    """
    for metric, account, budget in trial.weighed:
        level = alpha * budget
        stages = [(kept[0], kept[1], kept[2], kept[3]) for kept in account.stages.values()]
        is_fit = account.bursts.is_steady and account.is_believable and level > 0
        if is_fit and is_surely_beyond(stages, account.border, level):
            return sentences.Proof(metric, None)
    return None


def needed_requests(trial: Trial) -> int | None:
    """Candidate requests until safety holds if the candidate is as good as the baseline; None when unknown."""
    question = trial.question
    needed = max(question.min_requests - trial.stage_requests, 0)
    for metric in question.metrics:
        if metric.kind is Kind.GAUGE:
            more = 0 if trial.gauge_odds(metric) >= question.safe_odds else None
        else:
            more = trial.accounts[metric.name].needed(question.safe_odds)
        if more is None:
            return None
        needed = max(needed, more)
    return needed
