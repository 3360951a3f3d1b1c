"""Metric gates by odds: for a gate that names what is tolerated, evidence adds up over all stages until it is sure.

Harm beyond `allowed` fails the gate; it passes once a worsening by `tolerated` is ruled out; in between it waits and
says how much is missing. An absolute `limit` of the same gate stays with `thresholds`. How bad requests come is known
from the day before the release, and learnt from the baseline's minutes during it, so that a burst is not taken for
harm.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from strategies.gates import sentences, sequential
from strategies.gates.account import Account
from strategies.gates.chance import STAGE
from strategies.gates.comparison import Standing
from strategies.gates.evidence import Evidence
from strategies.gates.exceedance import above
from strategies.gates.figures import count, span
from strategies.gates.latency import quantile
from strategies.gates.latency_quantile import compare_latency
from strategies.gates.ledger import document, restored
from strategies.gates.memory import ERRORS, Tally
from strategies.gates.overdispersion import BLOCK, Bursts, Window, bursts
from strategies.gates.past import MetricPast
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.rate import border, compare_rate, margin_words, with_unknown
from strategies.gates.sentences import Proof
from strategies.gates.thresholds import QUANTILES
from strategies.gates.trial import Finding, Look, Trial
from strategies.plan import Better, Margin, MetricGate
from strategies.verdicts import Outcome, Verdict

ALPHA = 0.01  # of good releases may be rolled back, all gates together: half look by look, half at deadlines
MINUTE = 60.0
FEWEST_WINDOWS, MOST_WINDOWS = 10, 120

Kept = Mapping[str, Any]
"""What a gate remembers between looks, as plain values for JSON."""


@dataclass(frozen=True, slots=True)
class Before:
    """What was known of a gate before a look: what it kept of the look before, and the day before the release."""

    kept: Kept | None = None
    past: MetricPast | None = None


@dataclass(frozen=True, slots=True)
class Weighing:
    """One gate's look on its way through the sequential judge."""

    gate: MetricGate
    trial: Trial
    look: Look
    minutes: tuple[Sequence[Window], tuple[int, int, float]]

    def kept(self) -> dict[str, object]:
        """What the next look needs."""
        return {"trial": document(self.trial), "minutes": list(self.minutes)}


def is_weighed(gate: MetricGate, asked: float | None) -> bool:
    """True for a gate that names what is tolerated, while the baseline has a share to compare with."""
    return gate.tolerated is not None and gate.measured is not Kind.GAUGE and asked is not None and asked < 1


def weighing(
    gate: MetricGate, alpha: float, seen: Evidence, before: Before, at: tuple[float, float]
) -> Weighing | None:
    """The gate's trial and its look at (seconds, percent); None while the baseline has no latency to begin with."""
    kept, past = before.kept, before.past
    trial = _begun(gate, alpha, seen.tally, past) if kept is None else _resumed(gate, alpha, kept)
    if trial is None:
        return None
    # The look that spans a change never comes here: the door has left it out.
    trial.weight = at[1]
    account = trial.accounts[gate.metric]
    minutes = _minutes(gate.metric, account, seen, ((), (0, 0, 0.0)) if kept is None else kept["minutes"])
    account.bursts = _tempered(account.bursts, minutes[0], past)
    arms = ({gate.metric: _sample(gate, arm)} for arm in _arms(seen.tally))
    return Weighing(gate, trial, Look(at[0], at[1], *arms), minutes)


def together(findings: Mapping[str, Finding], weighings: Mapping[str, Weighing]) -> dict[str, Finding]:
    """The findings, the worst of them a failure where the metrics prove harm only together.

    Each gate's odds are held against its part of the budget; their mean against the whole budget proves harm as well,
    whatever the metrics have to do with each other, and sooner when several of them suffer.
    """
    found = dict(findings)
    if len(found) < 2 or any(finding.outcome is Outcome.FAIL for finding in found.values()):
        return found
    odds = {metric: _believable(weighings[metric], metric) for metric in found}
    # Each gate's part of the budget is what it was when it began, whether the others have data now or not.
    share = sum(value * weighings[metric].trial.question.alpha for metric, value in odds.items()) / ALPHA
    worst = max(odds, key=lambda metric: odds[metric])
    if share < 2 / ALPHA:
        return found
    trial = weighings[worst].trial
    metric = trial.question.metrics[0]
    reason = sentences.harm(replace(trial, question=replace(trial.question, alpha=ALPHA)), Proof(metric, share))
    found[worst] = replace(found[worst], outcome=Outcome.FAIL, reason=f"{reason} All gates together prove it.")
    return found


def at_deadline(findings: Mapping[str, Finding], weighings: Mapping[str, Weighing], stages: int) -> dict[str, Finding]:
    """The findings, a failure where one exact test of all that was counted proves harm that the looks did not.

    Half of the budget is kept for it. Which stage's deadline comes first depends on what was seen, so each of the
    plan's `stages` has its part of that half, and may be tested once.
    """
    found = dict(findings)
    for metric, weighed in weighings.items():
        proof = sequential.exact_proof(weighed.trial, weighed.trial.question.alpha / 2 / stages)
        if proof is not None and found[metric].outcome is not Outcome.FAIL:
            reason = sentences.harm(weighed.trial, proof)
            found[metric] = replace(found[metric], outcome=Outcome.FAIL, reason=reason)
    return found


def _believable(weighed: Weighing, metric: str) -> float:
    account = weighed.trial.accounts[metric]
    return account.harm_odds if account.is_believable else min(account.harm_odds, 1.0)


def verdict(weighed: Weighing, finding: Finding, total: Tally) -> Verdict:
    """The finding as a gate states it, with the figures of the stage."""
    gate = weighed.gate
    theirs, ours = total.of(gate.metric)
    comparison = (
        compare_rate(gate, ours, theirs, STAGE)
        if gate.measured is Kind.COUNTS
        else compare_latency(gate, QUANTILES[gate.metric], total.candidate_buckets, total.baseline_buckets, level=STAGE)
    )
    answer = Verdict(
        gate.metric, finding.outcome, finding.reason, comparison.baseline, comparison.candidate, comparison.bound,
        gate.unit, _missing(weighed.trial, finding), float(f"{finding.harm_odds:.6g}"),
        float(f"{finding.safe_odds:.6g}"), finding.needed_requests,
    )  # fmt: skip
    if finding.outcome is Outcome.PASS and gate.metric == ERRORS and total.unknown:
        worst = with_unknown(gate, total, total.baseline)
        if worst.standing is Standing.SURELY_BEYOND:
            missing = "errors that name a version"
            return replace(answer, outcome=Outcome.WAIT, reason=f"{worst.words}.", missing=missing)
    return answer


def _missing(trial: Trial, finding: Finding) -> str:
    if finding.outcome is not Outcome.WAIT:
        return ""
    if not finding.needed_requests:
        return "more evidence"
    pace = f" (about {span(finding.needed_requests / trial.pace)} at this rate)" if trial.pace > 0 else ""
    return f"{count(finding.needed_requests, 'more request')}{pace}"


def _tempered(kept: Bursts, minutes: Sequence[Window], past: MetricPast | None) -> Bursts:
    """How bad requests come: as the day before says, or worse where the release's own minutes are sure of it."""
    learnt = bursts(minutes) if len(minutes) >= FEWEST_WINDOWS else None
    if learnt is None:
        return past.bursts if past else kept
    # A few minutes may find a factor that is far too small: it raises the bar, and lowers no other.
    is_known = learnt.is_known and len(minutes) >= BLOCK
    if past is None:
        return replace(learnt, is_known=is_known)
    if past.bursts.is_known and not learnt.is_known:
        return past.bursts
    return Bursts(max(past.bursts.factor, learnt.factor), is_known=past.bursts.is_known or is_known)


def _begun(gate: MetricGate, alpha: float, first: Tally, past: MetricPast | None) -> Trial | None:
    if gate.tolerated is None:  # pragma: no cover - is_weighed said otherwise
        raise AssertionError(f"{gate.metric} tolerates nothing")
    tolerated, allowed = gate.tolerated, gate.allowed or gate.tolerated
    scale = 1.0
    if gate.measured is Kind.LATENCY:
        usual = quantile(QUANTILES[gate.metric], first.baseline_buckets)
        if usual is None or usual.value <= 0:
            return None
        scale = usual.value
    metric = _metric(gate, _size(allowed, scale), _size(tolerated, scale))
    trial = Trial(_question(metric, alpha))
    account = trial.accounts[gate.metric] = Account(border(allowed, gate.better), border(tolerated, gate.better))
    if past is not None:
        _remember(account, past, gate, first)
    return trial


def _remember(account: Account, past: MetricPast, gate: MetricGate, first: Tally) -> None:
    """Begin with the baseline's rate, and with the edge that was fixed before, while the histograms still have it."""
    if gate.measured is Kind.COUNTS:
        account.requests, account.bad = past.recent
    elif past.edge in first.baseline_buckets and past.border and past.tolerated:
        account.requests, account.bad = past.recent
        account.edge, account.border, account.tolerated = past.edge, past.border, past.tolerated


def _resumed(gate: MetricGate, alpha: float, kept: Kept) -> Trial:
    # The margins are in the account by now.
    tolerated, allowed = gate.tolerated or Margin(0.0), gate.allowed or gate.tolerated or Margin(0.0)
    return restored(_question(_metric(gate, allowed.value, tolerated.value), alpha), kept["trial"])


def _question(metric: Metric, alpha: float) -> Question:
    return Question((metric,), alpha, is_halved=True, total=ALPHA)


def _metric(gate: MetricGate, allowed: float, tolerated: float) -> Metric:
    if gate.measured is Kind.COUNTS:
        margins = (gate.allowed or gate.tolerated, gate.tolerated)
        words = ["" if margin is None else margin_words(margin, gate.better) for margin in margins]
        sizes = (abs(allowed), abs(tolerated))
        return Metric(gate.metric, Kind.COUNTS, *sizes, better=gate.better, words=(words[0], words[1]))
    return Metric(gate.metric, Kind.LATENCY, abs(allowed), abs(tolerated), quantile=QUANTILES[gate.metric])


def _size(margin: Margin, scale: float) -> float:
    """Relative to the baseline's quantile for latency, as it is for errors."""
    return margin.value if margin.relative else margin.value / scale


def _arms(tally: Tally) -> tuple[Tally, Tally]:
    """Baseline and candidate, each as the baseline of a tally of its own."""
    turned = {name: (pair[1], pair[0]) for name, pair in tally.counted.items()}
    return tally, Tally(baseline=tally.candidate, baseline_buckets=tally.candidate_buckets, counted=turned)


def _sample(gate: MetricGate, arm: Tally) -> tuple[tuple[int, int]] | Mapping[float, float] | None:
    if gate.measured is Kind.COUNTS:
        if gate.metric != ERRORS and gate.metric not in arm.counted:
            return None
        requests, bad = arm.of(gate.metric)[0]
        return ((requests, requests - bad if gate.better is Better.HIGHER else bad),)
    return arm.baseline_buckets or None


def _minutes(
    metric: str, account: Account, seen: Evidence, kept: Sequence[Any]
) -> tuple[Sequence[Window], tuple[int, int, float]]:
    """The baseline's minutes so far, and the one that is not over yet."""
    closed, (requests, bad, seconds) = kept
    if account.edge is None:
        baseline = seen.tally.of(metric)[0]
        more: Window = (baseline.requests, baseline.bad)
    else:
        more = above(account.edge, seen.tally.baseline_buckets) or (0, 0)
    requests, bad, seconds = requests + more[0], bad + more[1], seconds + seen.seconds
    if seconds < MINUTE:
        return closed, (requests, bad, seconds)
    return [*closed, (requests, bad)][-MOST_WINDOWS:], (0, 0, 0.0)
