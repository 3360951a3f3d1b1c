"""One release before the sequential judge: the question, the evidence on each metric, and where it stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from strategies.gates.account import Account
from strategies.gates.chance import Line
from strategies.gates.exceedance import above, exceedance
from strategies.gates.gauges import TIGHTEST, Differences, long_run_variance, odds_against, variance_per_look
from strategies.gates.latency import added
from strategies.gates.overdispersion import Window, bursts
from strategies.gates.question import Kind, Metric, Question
from strategies.plan import Better
from strategies.verdicts import Outcome

Pods = Sequence[tuple[int, int]]
Histogram = Mapping[float, float]
Sample = Pods | Histogram | float
"""Counts by pod, a cumulative histogram, or a gauge's reading."""


class Decision(StrEnum):
    """How a release ends."""

    ROLL_BACK = "roll_back"
    PROMOTE = "promote"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Look:
    """One reading of both versions at `t` seconds; None for a metric that was not read."""

    t: float
    weight: float
    baseline: Mapping[str, Sample | None]
    candidate: Mapping[str, Sample | None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the judge says after a look; `decision` once, when the release ends with it."""

    t: float
    outcome: Outcome
    harm_odds: float
    safe_odds: float
    needed_requests: int | None
    reason: str
    decision: Decision | None = None
    decision_reason: str = ""


@dataclass(slots=True)
class GaugeAccount:
    """The differences of one gauge so far, turned so that more is worse."""

    long_run: float | None = None
    seen: Differences = field(default_factory=Differences)
    seconds: float = 60.0
    known: tuple[int, float] = (-1, 1.0)  # the odds after so many looks: one look asks for them several times


@dataclass(slots=True)
class Trial:
    """A release's evidence so far. Changed by `sequential.judge` alone; `trial_text` gives its stored form."""

    question: Question
    accounts: dict[str, Account] = field(default_factory=dict)
    gauges: dict[str, GaugeAccount] = field(default_factory=dict)
    began: float | None = None
    last: float | None = None
    weight: float | None = None
    stage_weight: float | None = None
    stage_requests: int = 0
    pace: float = 0.0
    decision: Decision | None = None
    finding: Finding | None = None
    _weighed: tuple[tuple[Metric, Account, float], ...] | None = None

    @property
    def weighed(self) -> tuple[tuple[Metric, Account, float], ...]:
        """The counted metrics with their accounts and their parts of the error budget."""
        if self._weighed is None:
            counted = (metric for metric in self.question.metrics if metric.kind is not Kind.GAUGE)
            self._weighed = tuple((m, self.accounts[m.name], self.question.budget(m)) for m in counted)
        return self._weighed

    def gauge_odds(self, metric: Metric) -> float:
        """The odds that the gauge is better than the tolerated worsening."""
        account = self.gauges[metric.name]
        if account.known[0] == account.seen.looks:
            return account.known[1]
        variance = variance_per_look(account.seen, account.long_run, account.seconds)
        deadline = self.question.deadline_s
        looks = TIGHTEST if deadline is None else deadline / max(account.seconds, 1.0)
        odds = odds_against(metric.tolerated, account.seen, variance, looks, 1 / self.question.safe_odds)
        account.known = account.seen.looks, odds if account.seen.mean < metric.tolerated else min(1.0, 1 / odds)
        return account.known[1]

    def safe_odds(self, metric: Metric) -> float:
        """The odds that the metric is better than the tolerated worsening."""
        if metric.kind is Kind.GAUGE:
            return self.gauge_odds(metric)
        return self.accounts[metric.name].safe_odds


def opened(question: Question, history: Mapping[str, Sequence[Sample]]) -> Trial:
    """A release before its first look, with what the baseline did in windows of 60 s before it.

    `history` holds one sample per window, as a look does for one version.
    """
    trial = Trial(question)
    for metric in question.metrics:
        windows = history.get(metric.name, ())
        match metric.kind:
            case Kind.GAUGE:
                readings = [float(window) for window in windows if isinstance(window, int | float)]
                trial.gauges[metric.name] = GaugeAccount(long_run_variance(readings))
            case Kind.COUNTS:
                trial.accounts[metric.name] = _counted(metric, windows)
            case Kind.LATENCY:
                trial.accounts[metric.name] = _timed(metric, [w for w in windows if isinstance(w, Mapping)])
            case _:  # pragma: no cover
                assert_never(metric.kind)
    return trial


def borders(metric: Metric) -> tuple[Line, Line]:
    """The borders of harm and of safety in terms of bad requests.

    A drop of good events from p to ratio*p - margin is a rise of bad ones from b to ratio*b + (1 - ratio) + margin.
    """
    turned = 1 - metric.ratio if metric.better is Better.HIGHER else 0.0
    return Line(metric.ratio, metric.allowed + turned), Line(metric.ratio, metric.tolerated + turned)


def bad_of(metric: Metric, requests: int, counted: int) -> int:
    """The bad requests: those counted, or all others where the good event is counted."""
    return requests - counted if metric.better is Better.HIGHER else counted


def fix_edge(metric: Metric, account: Account, baseline: Histogram) -> float | None:
    """Choose the edge and the margins of a latency metric from what the baseline did; None on an empty histogram."""
    found = exceedance(metric.quantile, metric.allowed, metric.tolerated, baseline)
    if found is None:
        return None
    account.edge = found.edge
    account.border, account.tolerated = Line(1.0, found.allowed), Line(1.0, found.tolerated)
    return found.edge


def _counted(metric: Metric, windows: Sequence[Sample]) -> Account:
    pairs: list[Window] = []
    for pods in windows:
        if isinstance(pods, Sequence):
            requests, counted = sum(n for n, _ in pods), sum(x for _, x in pods)
            pairs.append((requests, bad_of(metric, requests, counted)))
    account = Account(*borders(metric), bursts(pairs))
    _remember(account, pairs)
    return account


def _timed(metric: Metric, windows: Sequence[Histogram]) -> Account:
    account = Account(Line(), Line())
    together: Histogram = {}
    for window in windows:
        together = added(together, window)
    edge = fix_edge(metric, account, together)
    if edge is not None:
        pairs = [pair for window in windows if (pair := above(edge, window))]
        account.bursts = bursts(pairs)
        _remember(account, pairs)
    return account


def _remember(account: Account, pairs: Sequence[Window]) -> None:
    for requests, bad in pairs[-60:]:
        account.learn(requests, bad)
