"""The judge's odds, look by look, against the same formulas written down a second time (`oracle`)."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from strategies.gates.account import Account
from strategies.gates.bands import Band, Bar, Seen, band, gauge_band, measured, only_learnt
from strategies.gates.chance import Line
from strategies.gates.gauges import Differences, long_run_variance, odds_against, variance_per_look
from strategies.gates.overdispersion import Bursts
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.sequential import judge
from strategies.gates.trial import Decision, Finding, Look, Trial
from strategies.plan import Better
from strategies.verdicts import Outcome
from tests.unit.gates.oracle import Four, Wealth

ERRORS = Metric("errors", Kind.COUNTS, 0.001, 0.005)
KNOWN = Bursts(1.0, is_known=True)
RARE: list[Four] = [(950, 1, 50, 0), (950, 0, 50, 2), (900, 3, 61, 1), (0, 0, 40, 1), (950, 2, 0, 0), (80, 0, 900, 9)]
HIGH: list[Four] = [(500, 300, 400, 240), (500, 420, 300, 280), (900, 850, 200, 188), (300, 280, 20, 20)]
ROUGH: list[Four] = [(900, 9, 300, 3), (900, 2, 300, 9), (900, 30, 200, 0), (500, 1, 300, 20), (900, 9, 300, 4)]
SLOWLY, DAYS = (0, 10, 65, 130, 600, 3660), (0, 15, 3600, 21_600, 44_000, 60_000)


@pytest.mark.parametrize(
    ("looks", "times", "lines", "deadline", "past", "bursts"),
    [
        (RARE, SLOWLY, ((1.0, 0.001), (1.0, 0.005)), None, (60_000.0, 60.0), KNOWN),
        (RARE, DAYS, ((1.0, 0.001), (1.0, 0.005)), None, (0.0, 0.0), KNOWN),
        (RARE, (300, 310, 365, 700, 890, 905), ((1.0, 0.0005), (1.5, 0.0)), 905.0, (3000.0, 6.0), KNOWN),
        (RARE, SLOWLY, ((1.2, 0.0), (1.5, 0.0)), None, (1e4, 25.0), Bursts(2.5, is_known=True)),
        (HIGH, SLOWLY[:4], ((1.0, 0.01), (1.0, 0.03)), None, (0.0, 0.0), KNOWN),
        (HIGH, SLOWLY[:4], ((0.9, 0.1), (0.8, 0.2)), None, (100.0, 90.0), KNOWN),
        (ROUGH, SLOWLY[:5], ((1.0, 0.001), (1.0, 0.005)), None, (1e4, 1e2), Bursts()),
        (ROUGH, SLOWLY[:5], ((1.0, 0.001), (0.9, 0.0)), 20.0, (1e4, 1e2), KNOWN),
        ([(9000, 0, 9000, 9000)], (0,), ((1.0, 0.001), (1.0, 0.005)), None, (1e5, 10.0), KNOWN),
    ],
)
def test_the_odds_are_those_of_the_formula(
    looks: list[Four],
    times: Sequence[float],
    lines: tuple[tuple[float, float], tuple[float, float]],
    deadline: float | None,
    past: tuple[float, float],
    bursts: Bursts,
) -> None:
    trial = a_trial(Account(Line(*lines[0]), Line(*lines[1]), bursts), deadline_s=deadline)
    account = trial.accounts["errors"]
    account.requests, account.bad = past
    horizon = None if deadline is None else (deadline - times[0]) / 60
    oracle = Wealth(*lines, horizon, bursts.factor if bursts.is_known else None, *past)
    pace, last = 0.0, None
    for t, look in zip(times, looks, strict=True):
        finding = see(trial, t, look)
        oracle.see((t - times[0]) / 60, look)
        assert (finding.harm_odds, finding.safe_odds) == pytest.approx((oracle.harm_odds, oracle.safe_odds), rel=1e-7)
        assert finding.needed_requests == pytest.approx(oracle.needed, rel=1e-7, abs=1)
        if last is not None:
            fresh = look[2] / (t - last)
            pace = 0.8 * pace + 0.2 * fresh if pace else fresh
        last = t
        assert trial.pace == pytest.approx(pace)
    assert trial.stage_requests == sum(look[2] for look in looks)
    assert account.stages == {5: [sum(column) for column in zip(*looks, strict=True)]}
    assert account.errors_apart == sum(look[3] > 0 for look in looks)


def a_trial(account: Account, **asked: object) -> Trial:
    return Trial(replace(Question((ERRORS,)), **asked), {"errors": account})  # type: ignore[arg-type]


def see(trial: Trial, t: float, look: Four) -> Finding:
    [found] = judge([(trial, Look(t, 5, {"errors": [look[:2]]}, {"errors": [look[2:]]}))])
    return found


@pytest.mark.parametrize(
    ("harm", "safe", "asked", "outcome", "decision"),
    [
        (100.0, 1.0, {}, Outcome.FAIL, Decision.ROLL_BACK),
        (99.9, 1.0, {}, Outcome.WAIT, None),
        (199.9, 1.0, {"is_halved": True}, Outcome.WAIT, None),
        (200.0, 1.0, {"is_halved": True}, Outcome.FAIL, Decision.ROLL_BACK),
        (199.9, 1.0, {"deadline_s": 900.0}, Outcome.WAIT, None),
        (200.0, 1.0, {"deadline_s": 900.0}, Outcome.FAIL, Decision.ROLL_BACK),
        (400.0, 1.0, {"alpha": 0.005, "is_halved": True}, Outcome.FAIL, Decision.ROLL_BACK),
        (399.0, 1.0, {"alpha": 0.005, "is_halved": True}, Outcome.WAIT, None),
        (9.9, 20.0, {}, Outcome.PASS, None),
        (9.9, 20.0, {"is_eager": True}, Outcome.PASS, Decision.PROMOTE),
        (9.9, 20.0, {"deadline_s": 100.1}, Outcome.PASS, None),
        (9.9, 20.0, {"deadline_s": 100.0}, Outcome.PASS, Decision.PROMOTE),
        (9.9, 19.9, {"deadline_s": 100.0}, Outcome.WAIT, Decision.HOLD),
        (9.9, 19.9, {"is_eager": True}, Outcome.WAIT, None),
        (10.0, 20.0, {"is_eager": True}, Outcome.WAIT, None),
        (1.0, 20.0, {"min_requests": 40}, Outcome.PASS, None),
        (1.0, 20.0, {"min_requests": 41}, Outcome.WAIT, None),
    ],
)
def test_each_bound_of_a_verdict_holds_on_both_of_its_sides(
    harm: float, safe: float, asked: dict[str, object], outcome: Outcome, decision: Decision | None
) -> None:
    account = Account(Line(1.0, 0.001), Line(1.0, 0.005), KNOWN, paid=1.0, gain=0.002)
    account.harm[3], account.safe = harm, [safe, 0.0]
    trial = a_trial(account, **asked)
    trial.weight = trial.stage_weight = 5
    trial.stage_requests = 40
    finding = see(trial, 100, (900, 0, 0, 0))
    assert (finding.harm_odds, finding.safe_odds) == (harm, safe)
    assert (finding.outcome, finding.decision) == (outcome, decision)


def test_two_metrics_share_the_budget_by_their_weights() -> None:
    metrics = (replace(ERRORS, weight=3.0), replace(ERRORS, name="other"))
    accounts = {metric.name: Account(Line(1.0, 0.001), Line(1.0, 0.005), KNOWN, paid=1.0) for metric in metrics}
    for harm, place in ((120.0, "errors"), (36.0, "other")):
        accounts[place].harm[0] = harm
    trial = Trial(Question(metrics), accounts)
    arms = {metric.name: [(900, 0)] for metric in metrics}, {metric.name: [(0, 0)] for metric in metrics}
    [finding] = judge([(trial, Look(0, 5, *arms))])
    assert (finding.harm_odds, finding.outcome) == (99.0, Outcome.WAIT)
    accounts["other"].harm[0] = 40.0
    [finding] = judge([(trial, Look(10, 5, *arms))])
    assert (finding.harm_odds, finding.outcome) == (100.0, Outcome.FAIL)


SAYINGS = [
    (
        Look(100, 5, {"errors": [(900, 9)]}, {"errors": [(0, 0)]}), 1.0, [3.0, 0.0], "Not enough yet: errors 3.0 % vs "
        "1.0 % (+2.0 pp), 3 of 100 requests; worse by +0.5 pp can be ruled out after about 949 more requests "
        "(2 min at this rate).",
    ),
    (
        Look(100, 5, {"errors": [(900, 9)]}, {"errors": [(0, 0)]}), 50.0, [3.0, 0.0], "errors 3.0 % vs 1.0 % "
        "(+2.0 pp), 3 of 100 requests; odds of 50:1 for more than the allowed +0.1 pp, at 100:1 it is rolled back.",
    ),
    (
        Look(100, 5, {"errors": [(900, 9)]}, {"errors": [(0, 0)]}), 2e6, [3.0, 0.0], "errors 3.0 % vs 1.0 % "
        "(+2.0 pp), 3 of 100 requests, surely worse than the allowed +0.1 pp (odds over 1,000,000:1). A good release "
        "is rolled back by mistake at most once in 100.",
    ),
    (
        Look(100, 5, {"errors": [(900, 9)]}, {"errors": [(0, 0)]}), 1.0, [25.0, 0.0], "errors 3.0 % vs 1.0 % "
        "(+2.0 pp), 3 of 100 requests; worse by +0.5 pp is ruled out at odds of 25:1.",
    ),
    (Look(100, 10, {}, {}), 1.0, [25.0, 0.0], "Skipped: the first look after a change of the weight is not counted."),
]  # fmt: skip


@pytest.mark.parametrize(("look", "harm", "safe", "reason"), SAYINGS)
def test_a_finding_is_said_in_one_sentence(look: Look, harm: float, safe: list[float], reason: str) -> None:
    account = Account(Line(1.0, 0.001), Line(1.0, 0.005), KNOWN, paid=1.0, gain=0.002, requests=1e4, bad=100.0)
    account.harm[2], account.safe, account.stages = harm, safe, {5: [1000, 10, 100, 3], 1: [100, 50, 100, 50]}
    account.stages[5][0] -= 900
    account.stages[5][1] -= 9
    trial = a_trial(account)
    trial.weight = trial.stage_weight = 5
    trial.last, trial.pace, trial.began = 90.0, 10.0, 0.0
    [finding] = judge([(trial, look)])
    assert finding.reason == reason


MARGINS = (-0.01, -0.002, 0.0, 0.001, 0.003, 0.005, 0.01, 0.03, 0.2)


@pytest.mark.parametrize("bursts", [KNOWN, Bursts(3.0, is_known=True), Bursts()])
@pytest.mark.parametrize("looks", [RARE, [(950, 0, 50, 1)] * 8, [(950, 9, 500, 2)] * 4, [(950, 1, 50, 40)] * 2])
def test_the_band_is_where_the_odds_of_each_margin_cross_their_bars(looks: list[Four], bursts: Bursts) -> None:
    recent, times = (60_000.0, 120.0), [100.0 + 50 * place for place in range(len(looks))]
    bar = Bar(150.0, 15.0, bursts, recent, 600.0, 0.005)
    found = band([Seen(t, *look) for t, look in zip(times, looks, strict=True)], MARGINS, bar)
    wealths = [
        Wealth((1.0, m), (1.0, m), 10.0, bursts.factor, *recent, depths=(0.0, 0.4, 0.7, 0.9),
               safe=[0.6, 0.4, 0.0, 0.0] if m <= 0.005 else [0.25] * 4)
        for m in MARGINS
    ]  # fmt: skip
    account = Account(Line(), Line(), bursts)
    harm, safe = [0.0] * len(MARGINS), [0.0] * len(MARGINS)
    for place, (t, look) in enumerate(zip(times, looks, strict=True)):
        account.note(5.0, look, int(look[3] > 0))
        for each, wealth in enumerate(wealths):
            wealth.see((t - times[0]) / 60, look)
            if account.is_believable:
                harm[each] = max(harm[each], math.log(wealth.harm_odds))
            safe[each] = max(safe[each], math.log(wealth.safe_odds))
        assert found.least[place] == pytest.approx(crossed(MARGINS[::-1], harm[::-1], math.log(150)), rel=1e-6)
        falling = [-margin for margin in MARGINS]
        assert found.greatest[place] == pytest.approx(-crossed(falling, safe, math.log(15)), rel=1e-6)


def crossed(margins: Sequence[float], odds: Sequence[float], bar: float) -> float:
    """The first margin whose odds, or those of one before it, reach the bar; between two of them, evenly."""
    for place, (margin, here) in enumerate(zip(margins, odds, strict=True)):
        if here >= bar:
            if place == 0:
                return margin
            return float(np.interp(bar, [odds[place - 1], here], [margins[place - 1], margin]))
    return -math.inf


def test_the_measured_difference_weighs_each_look_by_what_it_can_tell() -> None:
    looks = [Seen(10, 0, 0, 30, 3), Seen(20, 100, 5, 19, 2), Seen(30, 40, 0, 1, 1), Seen(40, 300, 3, 200, 8)]
    first, lone, enough, last = measured(looks)
    assert math.isnan(first)
    assert math.isnan(lone)
    weights = [100 * 19 / 119, 40 * 1 / 41, 300 * 200 / 500]
    differences = [2 / 19 - 0.05, 1.0, 0.04 - 0.01]
    assert enough == pytest.approx(np.average(differences[:2], weights=weights[:2]))
    assert last == pytest.approx(np.average(differences, weights=weights))


def test_of_good_events_the_first_look_with_any_is_knowledge_alone() -> None:
    looks = [Seen(10, 0, 0, 7, 1), Seen(20, 100, 40, 50, 20), Seen(30, 100, 41, 50, 21)]
    assert only_learnt(looks) == [looks[0], Seen(20, 100, 40, 0, 0), looks[2]]
    assert only_learnt(looks[:1]) == [Seen(10, 0, 0, 0, 0)]
    assert only_learnt([]) == []


def test_a_band_is_never_wider_than_what_the_judge_has_ruled_out() -> None:
    free = Band((0.0, 0.1), (1.0, 0.9), (0.5, 0.5))
    assert free.held_to(0.05, 0.95, is_harm=True, is_safe=True) == free
    assert free.held_to(0.3, 0.95, is_harm=False, is_safe=False) == free


@pytest.mark.parametrize("best_at", [0.5, 1.5, 60.0])
def test_the_band_of_a_level_solves_its_odds(best_at: float) -> None:
    readings = [2.0 + (-1) ** place * 0.5 + 0.01 * place for place in range(25)]
    found = gauge_band(readings, 0.7, 30.0, best_at)
    seen = Differences()
    low, high = -math.inf, math.inf
    log = math.log(30.0)
    width = (2 * log + math.log(1 + 2 * log)) / max(best_at, 1.0)
    for place, reading in enumerate(readings):
        seen = seen.plus(reading)
        if seen.looks >= 20:
            n = seen.looks
            away = math.sqrt(1.4 * (n * width + 1) / (n * n * width) * math.log(30.0 * math.sqrt(n * width + 1)))
            low, high = max(low, seen.mean - away), min(high, seen.mean + away)
            odds = odds_against(seen.mean - away, seen, 0.7, best_at, 1 / 30.0)
            assert odds == pytest.approx(30.0)
        assert (found.least[place], found.greatest[place]) == pytest.approx((low, high))
        assert found.measured[place] == pytest.approx(float(np.mean(readings[: place + 1])))
    assert math.isnan(gauge_band([math.nan], 1.0, 20.0).measured[0])


def test_variances_of_gauges_are_those_of_their_readings() -> None:
    readings = [math.sin(place) * (1 + place % 7) for place in range(119)]
    means = np.array(readings[:100]).reshape(5, 20).mean(axis=1)
    assert long_run_variance(readings[:99]) is None
    assert long_run_variance(readings[:100]) == long_run_variance(readings)
    assert long_run_variance(readings) == pytest.approx(20 * means.var(ddof=1))
    seen = Differences().plus(1.0).plus(4.0)
    assert Differences().plus(1.0).variance == 0
    assert (seen.mean, seen.variance) == (2.5, 4.5)
    assert variance_per_look(seen, None, 10.0) == 18.0
    assert variance_per_look(seen, 2.0, 10.0) == 24.0
    assert variance_per_look(seen, 2.0, 0.5) == 240.0
    assert variance_per_look(seen, 0.1, 60.0) == 4.5


def test_orders_are_said_as_their_owner_counts_them() -> None:
    metric = Metric("orders", Kind.COUNTS, 0.02, 0.05, better=Better.HIGHER)
    account = Account(Line(1.0, 0.02), Line(1.0, 0.05), KNOWN, paid=1.0, gain=0.01, requests=100.0, bad=50.0)
    account.safe, account.stages = [3.0, 0.0], {5: [0, 0, 100, 60]}
    trial = Trial(Question((metric,)), {"orders": account}, weight=5, stage_weight=5)
    [finding] = judge([(trial, Look(0, 5, {"orders": [(200, 100)]}, {"orders": [(0, 0)]}))])
    assert finding.reason == (
        "Not enough yet: orders 40.0 % vs 50.0 % (−10.0 pp), 40 of 100 requests; a drop of 5.0 pp can be ruled out "
        "after about 190 more requests."
    )
