"""What the sequential judge says: one sentence in words that a release manager uses."""

from dataclasses import dataclass
from typing import assert_never

from strategies.gates.account import Account
from strategies.gates.figures import count, milliseconds, percent, points, span
from strategies.gates.gauges import FEWEST
from strategies.gates.question import PAUSE_ODDS, Kind, Metric
from strategies.gates.trial import Decision, Trial
from strategies.plan import Better

NOT_ENOUGH = "Not enough yet: "
MOST_ODDS = 1e6  # that are told as a number


@dataclass(frozen=True, slots=True)
class Proof:
    """The metric that proves harm, and by which odds; None for the exact test at the deadline."""

    metric: Metric
    odds: float | None


def harm(trial: Trial, proof: Proof) -> str:
    """Why the release is rolled back."""
    account = trial.accounts[proof.metric.name]
    how = "the exact test at the deadline" if proof.odds is None else f"odds {_odds(proof.odds)}"
    chance = round(1 / (trial.question.total or trial.question.alpha))
    return (
        f"{_figures(trial, proof.metric)}, surely worse than the allowed {_margin(proof.metric, account)} ({how})"
        f"{_bursts(account)}{_unknown(account)}. A good release is rolled back by mistake at most once in {chance:,}."
    )


def safe(trial: Trial) -> str:
    """Why the release may be promoted."""
    metric = _least_safe(trial)
    odds = _odds(trial.safe_odds(metric))
    return f"{_figures(trial, metric)}; {_worsening(trial, metric)} is ruled out at odds of {odds}."


def waiting(trial: Trial, odds: float, needed: int | None) -> str:
    """What the judge waits for."""
    metric = _least_safe(trial)
    if odds >= PAUSE_ODDS:
        worst = max(trial.accounts, key=lambda name: trial.accounts[name].harm_odds)
        metric = next(metric for metric in trial.question.metrics if metric.name == worst)
        bar = _odds(trial.question.harm_odds)
        return (
            f"{_figures(trial, metric)}; odds of {_odds(odds)} for more than the allowed "
            f"{_margin(metric, trial.accounts[metric.name])}, at {bar} it is rolled back{_scattered(trial, metric)}."
        )
    figures = _figures(trial, metric)
    if metric.kind is Kind.GAUGE and trial.safe_odds(metric) < trial.question.safe_odds:
        return f"{NOT_ENOUGH}{figures}{_of_gauge(trial, metric)}."
    if needed is None:
        return f"{NOT_ENOUGH}{figures}; how much more is needed cannot be told yet."
    if trial.safe_odds(metric) >= trial.question.safe_odds:
        return f"{NOT_ENOUGH}{figures}; this stage needs {count(needed, 'more request')}{_time(trial, needed)}."
    bursts = _bursts(trial.accounts[metric.name]) if metric.name in trial.accounts else ""
    more = f"about {count(needed, 'more request')}{_time(trial, needed)}"
    return f"{NOT_ENOUGH}{figures}; {_worsening(trial, metric)} can be ruled out after {more}{bursts}."


def unread(trial: Trial, skipped: str, lost: list[str]) -> str:
    """Why a look changed nothing."""
    if skipped:
        return f"Skipped: {skipped}{_edges(trial)}."
    names = ", ".join(_name(trial, metric) for metric in trial.question.metrics if metric.name in lost)
    return f"No data of {names} in this look: it proves nothing."


def decided(trial: Trial, decision: Decision, reason: str) -> str:
    """The decision with its reason."""
    where = "" if trial.stage_weight is None else f" at {trial.stage_weight:g} %"
    match decision:
        case Decision.ROLL_BACK:
            return f"Roll back{where}: {reason}"
        case Decision.PROMOTE:
            return f"Promote: {reason}"
        case Decision.HOLD:
            return f"Hold{where}{lowered(reason)} A person decides."
        case _:  # pragma: no cover
            assert_never(decision)


def lowered(reason: str) -> str:
    """The reason as it goes on after a decision."""
    rest = reason.removeprefix(NOT_ENOUGH)
    return f", not enough yet: {rest}" if rest != reason else f": {reason[:1].lower()}{reason[1:]}"


def _figures(trial: Trial, metric: Metric) -> str:
    if metric.kind is Kind.GAUGE:
        seen = trial.gauges[metric.name].seen
        sign = -1 if metric.better is Better.HIGHER else 1
        return f"{metric.name} {sign * seen.mean:+.4g} against the baseline over {count(seen.looks, 'look')}"
    account = trial.accounts[metric.name]
    n0, x0, n1, x1 = _latest(trial, account)
    if not n1:
        return f"{_name(trial, metric)} has no counted candidate request yet"
    ours, theirs = x1 / n1, x0 / n0 if n0 else 0.0
    difference = ours - theirs
    if metric.better is Better.HIGHER:
        ours, theirs, difference, x1 = 1 - ours, 1 - theirs, -difference, n1 - x1
    against = f" vs {percent(theirs)} ({points(difference)})" if n0 else ""
    slow = f": {percent(ours)} slower than {milliseconds(account.edge)}" if account.edge is not None else ""
    figures = slow or f" {percent(ours)}"
    return f"{metric.name}{figures}{against}, {x1:,} of {count(n1, 'request')}"


def _of_gauge(trial: Trial, metric: Metric) -> str:
    """What a gauge waits for: looks, for it has no requests; beyond what is tolerated nothing helps."""
    seen = trial.gauges[metric.name].seen
    if seen.looks < FEWEST:
        return f"; it says nothing before {FEWEST} looks"
    if seen.mean >= metric.tolerated:
        return f", not better than the tolerated {_tolerated(trial, metric)}; a gauge holds and rolls nothing back"
    return f"; {_worsening(trial, metric)} is not ruled out yet"


def _latest(trial: Trial, account: Account) -> list[int]:
    """The totals at the present weight, at all weights while that has none."""
    here = account.stages.get(trial.stage_weight if trial.stage_weight is not None else -1.0)
    if here and here[2]:
        return here
    return [sum(kept[place] for kept in account.stages.values()) for place in range(4)]


def _name(trial: Trial, metric: Metric) -> str:
    if metric.kind is not Kind.LATENCY:
        return metric.name
    edge = trial.accounts[metric.name].edge
    return f"{metric.name} (edge not known yet)" if edge is None else f"{metric.name} above {milliseconds(edge)}"


def _edges(trial: Trial) -> str:
    named = [_name(trial, metric) for metric in trial.question.metrics if metric.kind is Kind.LATENCY]
    return f" ({', '.join(named)})" if named else ""


def _margin(metric: Metric, account: Account) -> str:
    if metric.kind is Kind.LATENCY:
        return points(account.border.offset)
    if metric.words[0]:
        return metric.words[0]
    sign = "−" if metric.better is Better.HIGHER else "+"
    times = "" if metric.ratio == 1 else f" on {metric.ratio:g} times the baseline"
    return f"{sign}{points(metric.allowed)[1:]}{times}"


def _worsening(trial: Trial, metric: Metric) -> str:
    """What is to be ruled out, as one says it: worse by so much, or a drop."""
    size = _tolerated(trial, metric)
    return f"a drop of {size.removeprefix('−')}" if metric.better is Better.HIGHER else f"worse by {size}"


def _tolerated(trial: Trial, metric: Metric) -> str:
    if metric.kind is Kind.GAUGE:
        return f"{metric.tolerated:g}"
    if metric.kind is Kind.LATENCY:
        return points(trial.accounts[metric.name].tolerated.offset)
    if metric.words[1]:
        return metric.words[1]
    sign = "−" if metric.better is Better.HIGHER else "+"
    return f"{sign}{points(metric.tolerated)[1:]}"


def _least_safe(trial: Trial) -> Metric:
    metrics = trial.question.metrics
    return metrics[0] if len(metrics) == 1 else min(metrics, key=trial.safe_odds)


def _bursts(account: Account) -> str:
    factor = account.shown_bursts
    return "" if factor < 1.5 else f"; errors came in bursts (x{factor:.1f}), so the bar was raised"


def _unknown(account: Account) -> str:
    """The rule that stands in for a known past: said where it let harm through."""
    if account.bursts.is_known:
        return ""
    return f"; history is too short to know bursts, but they came in {count(account.errors_apart, 'look')}"


def _scattered(trial: Trial, metric: Metric) -> str:
    account = trial.accounts[metric.name]
    if account.is_believable:
        return ""
    return (
        f"; they came in {count(account.errors_apart, 'look')} so far, and history is too short to tell a burst "
        "from harm"
    )


def _time(trial: Trial, requests: int) -> str:
    return f" ({span(requests / trial.pace)} at this rate)" if trial.pace > 0 else ""


def _odds(odds: float) -> str:
    if odds < 10:
        return f"{odds:.1f}:1"
    return f"{odds:,.0f}:1" if odds <= MOST_ODDS else f"over {MOST_ODDS:,.0f}:1"
