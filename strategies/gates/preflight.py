"""Can these gates be answered at this traffic? What each stage needs, before anything is started."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from strategies.gates.account import CALM_WEIGHTS, FIRST_GUESS
from strategies.gates.chance import Line
from strategies.gates.counts import Border, Guess, as_good, information
from strategies.gates.figures import count, span
from strategies.gates.memory import ENOUGH
from strategies.gates.past import MetricPast, Past
from strategies.gates.rate import border
from strategies.gates.thresholds import QUANTILES
from strategies.plan import Kind, MetricGate, Plan, Stage

SAFE_ODDS = 20.0
HOUR = 3600.0
HALF = 0.5  # the largest first share that is still a canary
BEARABLE = 4 * HOUR  # that half of the traffic may be with an unproven version
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, HALF)


@dataclass(frozen=True, slots=True)
class Need:
    """What one stage needs: candidate requests for its gates, at so many an hour, in the seconds that it has.

    `requests` is None when it cannot be told, `gate` is the one that needs most, `seconds` is inf without traffic.
    """

    share: float
    per_hour: float
    requests: int | None
    gate: str
    has_seconds: float

    @property
    def seconds(self) -> float:
        """How long the requests take to come; inf when they never do or cannot be told."""
        if self.requests == 0:
            return 0.0
        return self.requests * HOUR / self.per_hour if self.requests and self.per_hour else math.inf

    @property
    def fits(self) -> bool:
        """True when the stage can be answered before its deadline."""
        return self.seconds <= self.has_seconds


def needs(plan: Plan, service: str, candidate: str, past: Past, deadline: timedelta) -> tuple[Need, ...]:
    """One need per stage, for a candidate that is as good as the baseline; pure, nothing is asked of anybody.

    A stage has until its deadline, or for as long as it is held. Evidence of gates that name what is tolerated adds up
    over the stages, so that the first one pays for it.
    """
    shares = [float(share) / 100 for share in plan.shares(service, candidate)]
    found, paid = [], False
    for stage, share in zip(plan.stages, shares, strict=True):
        found.append(_need(stage, share, past, deadline, is_paid=paid))
        paid = paid or 0 < share < 1
    return tuple(found)


def trouble(needs: Sequence[Need], past: Past) -> str:
    """Why the gates cannot be answered in time, as a sentence with advice; empty when they can, or nobody knows.

    Without a known past there is nothing to refuse: the looks will tell.
    """
    lacking = next((need for need in needs if not need.fits), None)
    if past.trouble or lacking is None or lacking.requests is None:
        return ""
    return advice(needs, past)


def advice(needs: Sequence[Need], past: Past) -> str:
    """What to do about it, in one sentence."""
    rate = f"about {count(past.per_second * HOUR, 'request')} an hour"
    lacking = next((need for need in needs if not need.fits), None)
    if lacking is None:
        return f"At {rate} every stage can be answered within its time."
    if lacking.requests is None:
        return f"At {rate} it cannot be told yet how long a stage needs: the baseline's past says too little."
    asked = f"the stage at {_percent(lacking.share)} needs {count(lacking.requests, 'request')} for {lacking.gate}"
    takes = "which never come" if math.isinf(lacking.seconds) else f"about {span(lacking.seconds)}"
    has = f"and has {span(lacking.has_seconds)}"
    better = next((s for s in SHARES if s > lacking.share and _at(lacking, s) <= lacking.has_seconds), None)
    if better is not None:
        return f"At {rate} {asked}, {takes}, {has}: begin at {_percent(better)}, or give it a longer deadline."
    longest = _at(lacking, HALF)
    way = f", or begin at 50 % with a deadline of {span(longest * 1.2)}" if longest <= BEARABLE else ""
    return f"{rate[:1].upper()}{rate[1:]}: a canary cannot tell ({asked}, {takes}, {has}); blue-green{way}."


def _need(stage: Stage, share: float, past: Past, deadline: timedelta, *, is_paid: bool) -> Need:
    has = max(deadline, stage.hold).total_seconds()
    most: tuple[float, str] = (stage.min_requests, "min_requests")
    for gate in stage.metric_gates if share > 0 else ():
        more = _gate_need(gate, share, past, is_paid=is_paid)
        most = max(most, (more, gate.metric), key=lambda each: each[0])
    requests = None if math.isinf(most[0]) else math.ceil(most[0])
    return Need(share, past.per_second * share * HOUR, requests if share > 0 else 0, most[1], has)


def _gate_need(gate: MetricGate, share: float, past: Past, *, is_paid: bool) -> float:
    if gate.tolerated is not None and share < 1 and not is_paid:
        return _evidence_need(gate, share, past.metrics.get(gate.metric))
    if gate.metric in QUANTILES:
        return max(ENOUGH, round(1 / (1 - QUANTILES[gate.metric])))
    return ENOUGH if gate.measured is Kind.COUNTS else 0


def _evidence_need(gate: MetricGate, share: float, metric: MetricPast | None) -> float:
    """Requests until a worsening by `tolerated` is ruled out 20 to 1; inf when the past does not tell."""
    line = metric.tolerated if metric and metric.tolerated else _line(gate)
    if metric is None or line is None or metric.requests == 0:
        return math.inf
    rate = np.array([(metric.bad + FIRST_GUESS[1]) / (metric.requests + FIRST_GUESS[0])])
    tolerated = Border(np.array([line.ratio]), np.array([line.offset]))
    good = as_good(rate, tolerated)[:, 0]
    gain = information(np.array([1 - share]), np.array([share]), Guess(rate, good), tolerated)
    if not gain[0] > 0:
        return math.inf
    return math.log(SAFE_ODDS / CALM_WEIGHTS[0]) * metric.bursts.factor / float(gain[0])


def _line(gate: MetricGate) -> Line | None:
    return border(gate.tolerated, gate.better) if gate.measured is Kind.COUNTS and gate.tolerated else None


def _at(need: Need, share: float) -> float:
    """Seconds at another share; information per candidate request hardly depends on it while the baseline has most."""
    return need.seconds * need.share / share if need.share else math.inf


def _percent(share: float) -> str:
    return f"{share * 100:g} %"
