"""Can these gates be answered at this traffic? What each stage needs, before anything is started."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import assert_never

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
from strategies.routing import Split, Steering

SAFE_ODDS = 20.0
HOUR = 3600.0
HALF = 0.5  # the largest first share that is still a canary
BEARABLE = 4 * HOUR  # that half of the traffic may be with an unproven version
SMALL = 0.01  # of all requests: what a group is taken to send, for the least that its stage needs
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.4, HALF)


class Of(StrEnum):
    """Whose requests a stage counts: a share of everybody's, copies of them, those of a group, or nobody's."""

    SHARE = "share"
    COPIES = "copies"
    GROUP = "group"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Need:
    """What one stage needs: candidate requests for its gates, at so many an hour, in the seconds that it has.

    `requests` is None when it cannot be told, `gate` is the one that needs most, `seconds` is inf without traffic.
    `share` is that of all requests, or of their copies (0 to 1); a group's is not known beforehand, nor is `per_hour`
    then: metrics do not say by which header, cookie or path a request came.
    """

    share: float
    per_hour: float | None
    requests: int | None
    gate: str
    has_seconds: float
    of: Of

    @property
    def seconds(self) -> float:
        """How long the requests take to come; inf when they never do or cannot be told."""
        if self.requests == 0:
            return 0.0
        return self.requests * HOUR / self.per_hour if self.requests and self.per_hour else math.inf

    @property
    def fits(self) -> bool:
        """True when the stage can be answered before its deadline, as far as anybody knows."""
        return self.of is Of.GROUP or self.seconds <= self.has_seconds

    @property
    def where(self) -> str:
        """`the stage at 5 %`, or whatever its requests are."""
        return f"copies of {_percent(self.share)}" if self.of is Of.COPIES else f"the stage at {_percent(self.share)}"


def needs(plan: Plan, service: str, candidate: str, past: Past, deadline: timedelta) -> tuple[Need, ...]:
    """One need per stage, for a candidate that is as good as the baseline; pure, nothing is asked of anybody.

    A stage has until its deadline, or for as long as it is held. Evidence of gates that name what is tolerated adds up
    over the stages, so that the first one pays for it.
    """
    found: list[Need] = []
    paid: set[Of] = set()  # copies are judged apart from live requests, and so is a group
    for stage in plan.stages:
        of, share = _asked(stage.splits[service], candidate)
        found.append(_need(stage, (of, share), past, deadline, is_paid=of in paid))
        paid |= {of} if share < 1 or of is Of.COPIES else set()
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
        group = next((need for need in needs if need.of is Of.GROUP and need.requests), None)
        every = "every stage can be answered" if group is None else "every other stage can be answered"
        return " ".join(filter(None, (f"At {rate} {every} within its time.", _of_group(group))))
    if lacking.requests is None:
        return f"At {rate} it cannot be told yet how long a stage needs: the baseline's past says too little."
    verb = "need" if lacking.of is Of.COPIES else "needs"
    asked = f"{lacking.where} {verb} {count(lacking.requests, 'request')} for {lacking.gate}"
    takes = "which never come" if math.isinf(lacking.seconds) else f"about {span(lacking.seconds)}"
    has = f"and has {span(lacking.has_seconds)}"
    larger = (*SHARES, 1.0) if lacking.of is Of.COPIES else SHARES
    better = next((s for s in larger if s > lacking.share and _at(lacking, s) <= lacking.has_seconds), None)
    if better is not None:
        begin = f"with copies of {_percent(better)}" if lacking.of is Of.COPIES else f"at {_percent(better)}"
        return f"At {rate} {asked}, {takes}, {has}: begin {begin}, or give it a longer deadline."
    if lacking.of is Of.COPIES:
        return f"At {rate} {asked}, {takes}, {has}: a shadow cannot tell; give it a longer deadline."
    longest = _at(lacking, HALF)
    way = f", or begin at 50 % with a deadline of {span(longest * 1.2)}" if longest <= BEARABLE else ""
    return f"{rate[:1].upper()}{rate[1:]}: a canary cannot tell ({asked}, {takes}, {has}); blue-green{way}."


def _asked(split: Split, candidate: str) -> tuple[Of, float]:
    """Whose requests the stage counts, and the share of all that they are; a group's is taken as very small."""
    match split.steering(candidate):
        case Steering.MIRROR:
            return Of.COPIES, float(split.mirror.percent) / 100 if split.mirror else 0.0
        case Steering.MATCHES:
            return Of.GROUP, 0.0
        case Steering.WEIGHTS:
            share = float(split.share(candidate)) / 100
            return (Of.SHARE if share else Of.NOBODY), share
        case _:  # pragma: no cover
            assert_never(split.steering(candidate))


def _need(stage: Stage, asked: tuple[Of, float], past: Past, deadline: timedelta, *, is_paid: bool) -> Need:
    of, share = asked
    has = max(deadline, stage.hold).total_seconds()
    per_hour = None if of is Of.GROUP else past.per_second * share * HOUR
    # A smoke test brings its own requests, and metrics need not say anything beside it.
    if of is Of.NOBODY or stage.smoke is not None:
        return Need(share, per_hour, 0, "smoke" if stage.smoke else "min_requests", has, of)
    most: tuple[float, str] = (stage.min_requests, "min_requests")
    arms = (1.0, share) if of is Of.COPIES else (1 - share, share)
    for gate in stage.metric_gates:
        more = _gate_need(gate, arms if of is not Of.GROUP else (1 - SMALL, SMALL), past, is_paid=is_paid)
        most = max(most, (more, gate.metric), key=lambda each: each[0])
    return Need(share, per_hour, None if math.isinf(most[0]) else math.ceil(most[0]), most[1], has, of)


def _of_group(need: Need | None) -> str:
    if need is None or need.requests is None:
        return ""
    least = f"needs at least {count(need.requests, 'request')} for {need.gate}"
    return f"How many requests the group sends is not known beforehand: its stage {least}."


def _gate_need(gate: MetricGate, arms: tuple[float, float], past: Past, *, is_paid: bool) -> float:
    if gate.tolerated is not None and arms[0] > 0 and not is_paid:
        return _evidence_need(gate, arms, past.metrics.get(gate.metric))
    if gate.metric in QUANTILES:
        return max(ENOUGH, round(1 / (1 - QUANTILES[gate.metric])))
    return ENOUGH if gate.measured is Kind.COUNTS else 0


def _evidence_need(gate: MetricGate, arms: tuple[float, float], metric: MetricPast | None) -> float:
    """Requests until a worsening by `tolerated` is ruled out 20 to 1; inf when the past does not tell.

    `arms` are the shares of all requests that the baseline and the candidate answer in one look.
    """
    line = metric.tolerated if metric and metric.tolerated else _line(gate)
    if metric is None or line is None or metric.requests == 0:
        return math.inf
    rate = np.array([(metric.bad + FIRST_GUESS[1]) / (metric.requests + FIRST_GUESS[0])])
    tolerated = Border(np.array([line.ratio]), np.array([line.offset]))
    good = as_good(rate, tolerated)[:, 0]
    gain = information(np.array([arms[0]]), np.array([arms[1]]), Guess(rate, good), tolerated)
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
