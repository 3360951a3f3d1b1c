"""What a picture shows, as plain numbers: curves over seconds, stages, and the verdict."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from statistics import median
from typing import assert_never

from bot.ports import Card, Look
from strategies.amount import amount
from strategies.gates.figures import level, milliseconds, percent
from strategies.gates.latency import quantile
from strategies.gates.memory import ERRORS
from strategies.plan import Kind, MetricGate
from strategies.routing import HUNDRED, Split, Steering
from strategies.verdicts import Arm, Outcome, Reading, Verdict

QUANTILES = {"latency_p50": 0.5, "latency_p95": 0.95, "latency_p99": 0.99}
GAP_LOOKS = 2.5
PLAIN_LATENCY = "latency_p99"
_GRAVITY = {Outcome.FAIL: 0, Outcome.WAIT: 1, Outcome.PASS: 2}


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity over the looks; NaN where nothing was measured."""

    name: str
    values: tuple[float, ...]

    @property
    def last(self) -> tuple[int, float] | None:
        """Place and value of the newest measurement."""
        known = [(place, value) for place, value in enumerate(self.values) if not math.isnan(value)]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity for both versions with its bound."""

    title: str
    candidate: Curve
    baseline: Curve | None
    bound: Curve
    words: Callable[[float], str]
    least_top: float


@dataclass(frozen=True, slots=True)
class StageSpan:
    """The looks of one stage, in seconds, and the share it asks."""

    start: float
    end: float
    name: str


def looks_in_order(card: Card) -> Sequence[Look]:
    """All looks by time."""
    return sorted(card.looks, key=lambda look: look.at)


def seconds(looks: Sequence[Look]) -> list[float]:
    """When each look was, since the first."""
    return [(look.at - looks[0].at).total_seconds() for look in looks]


def gaps(times: Sequence[float]) -> list[int]:
    """Places after which a line must break, because looks are missing."""
    steps = [after - before for before, after in pairwise(times)]
    if len(steps) < 3:
        return []
    usual = median(steps)
    return [place for place, step in enumerate(steps) if step > GAP_LOOKS * usual]


def stage_spans(card: Card, looks: Sequence[Look], times: Sequence[float]) -> list[StageSpan]:
    """Stages as they follow each other in the looks."""
    shares = [_stage_name(stage.splits[card.release.target.service], card) for stage in card.release.plan.stages]
    spans: list[StageSpan] = []
    for stage, group in groupby(range(len(looks)), key=lambda place: looks[place].stage):
        places = list(group)
        start = spans[-1].end if spans else times[places[0]]
        name = shares[stage] if 0 <= stage < len(shares) else ""
        after = times[places[-1] + 1] if places[-1] + 1 < len(times) else times[places[-1]]
        spans.append(StageSpan(start, (times[places[-1]] + after) / 2, name))
    return spans


def asked_shares(card: Card) -> list[float]:
    """What each stage asks of the candidate, 0 to 1: its share, or that of the copies; NaN where nobody can know."""
    return [_asked(stage.splits[card.release.target.service], card) for stage in card.release.plan.stages]


def _stage_name(split: Split, card: Card) -> str:
    """The stage's amount; a match is called the group, for a picture has no room for its words."""
    candidate = card.release.target.candidate
    if split.steering(candidate) is not Steering.MATCHES or not split.matches:
        return amount(split, candidate)
    weight, inside = split.share(candidate), min(match.share for match in split.matches)
    group = "group" if inside == HUNDRED else f"{inside.normalize():f} % of group"
    return f"{weight.normalize():f} % + {group}" if weight else group


def _asked(split: Split, card: Card) -> float:
    candidate = card.release.target.candidate
    match split.steering(candidate):
        case Steering.WEIGHTS:
            return float(split.share(candidate)) / 100
        case Steering.MIRROR:
            return float(split.mirror.percent) / 100 if split.mirror else math.nan
        case Steering.MATCHES:
            return float(split.share(candidate)) / 100 if split.sticky else math.nan
        case _:  # pragma: no cover
            assert_never(split.steering(candidate))


def _measured(reading: Reading) -> float:
    """The candidate's share of requests; of a mirrored look, its copies per live request."""
    if not reading.is_mirrored:
        return _or_nan(reading.share)
    live = reading.baseline.requests
    return (reading.candidate.requests or 0.0) / live if live else math.nan


def shown_gates(card: Card, most: int) -> list[str]:
    """The metrics that have a panel: those of the stage's gates, else errors and p99; failing ones before others."""
    usual = [ERRORS, PLAIN_LATENCY] if card.release.target.carries_requests else []
    metrics = [gate.metric for gate in stage_gates(card)] or usual
    if len(metrics) > most:
        gravity = {verdict.gate: _GRAVITY[verdict.outcome] for verdict in newest_verdicts(card)}
        kept = set(sorted(metrics, key=lambda metric: gravity.get(metric, 1))[:most])
        metrics = [metric for metric in metrics if metric in kept]
    return metrics


def stage_gates(card: Card) -> Sequence[MetricGate]:
    """The metric gates of the present stage."""
    stage = card.release.current or card.release.plan.stages[0]
    return stage.metric_gates


def newest_verdicts(card: Card) -> Sequence[Verdict]:
    """What the gates say now."""
    return card.release.verdicts or (looks_in_order(card)[-1].verdicts if card.looks else ())


def outcome(card: Card) -> Outcome:
    """The release's verdict: the worst of its gates; without any, nothing is known yet."""
    outcomes = {verdict.outcome for verdict in newest_verdicts(card)}
    if Outcome.FAIL in outcomes:
        return Outcome.FAIL
    return Outcome.WAIT if Outcome.WAIT in outcomes or not outcomes else Outcome.PASS


def cut(text: str, longest: int) -> str:
    """The text, its end replaced by an ellipsis where it is too long."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def share(card: Card, looks: Sequence[Look]) -> Panel:
    """What the candidate was asked to get, and got."""
    shares = asked_shares(card)
    asked = [shares[look.stage] if 0 <= look.stage < len(shares) else math.nan for look in looks]
    measured = [_measured(look.reading) for look in looks]
    candidate, counted = card.release.target.candidate, card.release.target.counted
    title = f"Share of {counted}s {'copied ' * any(look.reading.is_mirrored for look in looks)}to {candidate}"
    return Panel(title, Curve(candidate, tuple(measured)), None, Curve("asked", tuple(asked)), percent, 0.05)


def metric(card: Card, looks: Sequence[Look], name: str) -> Panel:
    """Both versions' figures of one metric with their bound."""
    gate = next((gate for gate in stage_gates(card) if gate.metric == name), None)
    candidate, baseline = _arms(card, looks, lambda arm: _value(arm, name, gate))
    bound = _bound(looks, name)
    if name == ERRORS:
        return Panel("Errors (5xx)", candidate, baseline, bound, percent, 0.005)
    if name in QUANTILES:
        return Panel(f"Latency p{QUANTILES[name] * 100:.0f}", candidate, baseline, bound, milliseconds, 1.0)
    unit = gate.unit if gate else "1"
    title = name.replace("_", " ").capitalize() + (" per pod" if gate and gate.query is None else "")
    return Panel(title, candidate, baseline, bound, lambda value: level(value, unit), 1e-9)


def _value(arm: Arm, name: str, gate: MetricGate | None) -> float:
    if name == ERRORS:
        return _or_nan(arm.error_rate)
    if name in QUANTILES:
        found = quantile(QUANTILES[name], arm.buckets) if arm.buckets else None
        return found.value if found else math.nan
    if gate is not None and gate.measured is Kind.COUNTS:
        out_of, events = arm.counts.get(name, (0.0, 0.0))
        return events / out_of if out_of else math.nan
    return arm.gauges.get(name, math.nan)


def _arms(card: Card, looks: Sequence[Look], value: Callable[[Arm], float]) -> tuple[Curve, Curve]:
    target = card.release.target
    ours = Curve(target.candidate, tuple(value(look.reading.candidate) for look in looks))
    return ours, Curve(target.baseline, tuple(value(look.reading.baseline) for look in looks))


def _bound(looks: Sequence[Look], gate: str) -> Curve:
    return Curve("allowed", tuple(_or_nan(_bound_of(look.verdicts, gate)) for look in looks))


def _bound_of(verdicts: Sequence[Verdict], gate: str) -> float | None:
    return next((verdict.bound for verdict in verdicts if verdict.gate == gate), None)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
