"""The band of differences that are not ruled out: it only narrows, and ends where the judge does."""

import math

import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from strategies.gates.bands import Band, Bar, Seen, band, gauge_band, measured, spread
from strategies.gates.gauges import Differences, odds_against
from strategies.gates.overdispersion import Bursts
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.sequential import judge
from strategies.gates.trial import Look, opened

PAST = [(6000, 6)] * 60
BAR = Bar(bursts=Bursts(1.0, is_known=True), recent=(60_000.0, 60.0), deadline_s=900, tolerated=0.005)
GRID = spread(-0.01, 0.04, 0.001, 0.005)


def looks(baseline: float, candidate: float, *, n: int = 60, seed: int = 1) -> list[Seen]:
    rng = np.random.default_rng(seed)
    return [
        Seen(10.0 * k, 950, int(rng.binomial(950, baseline)), 50, int(rng.binomial(50, candidate)))
        for k in range(1, n + 1)
    ]


def test_the_band_only_narrows_and_holds_the_truth() -> None:
    found = band(looks(0.002, 0.022), GRID, BAR)
    assert list(found.least) == sorted(found.least)
    assert list(found.greatest) == sorted(found.greatest, reverse=True)
    assert found.least[-1] < 0.02 < found.greatest[-1]


@pytest.mark.parametrize("rates", [(0.002, 0.03), (0.001, 0.001)])
def test_it_leaves_the_margins_at_the_look_at_which_the_judge_decides(rates: tuple[float, float]) -> None:
    seen = looks(*rates, n=89)
    trial = opened(
        Question((Metric("errors", Kind.COUNTS, 0.001, 0.005),), deadline_s=900), {"errors": [[p] for p in PAST]}
    )
    findings = judge([(trial, Look(s.t, 5, {"errors": [s[1:3]]}, {"errors": [s[3:]]})) for s in seen])
    account = trial.accounts["errors"]
    start = opened(trial.question, {"errors": [[p] for p in PAST]}).accounts["errors"]
    horizon = 900 - seen[0].t
    found = band(seen, GRID, Bar(200, 20, account.bursts, (start.requests, start.bad), horizon, 0.005))
    surely_worse = next((k for k, finding in enumerate(findings) if finding.harm_odds >= 200), None)
    surely_fine = next((k for k, finding in enumerate(findings) if finding.safe_odds >= 20), None)
    assert next((k for k, low in enumerate(found.least) if low >= 0.001), None) == surely_worse
    assert next((k for k, high in enumerate(found.greatest) if high <= 0.005), None) == surely_fine
    assert (surely_worse is None) is not (surely_fine is None)


@pytest.mark.parametrize("counts", [(950, 2, 50, 1), (9_500, 40, 500, 12), (200_000, 900, 40_000, 400)])
def test_it_is_wider_than_the_interval_of_a_single_test_but_not_twice(counts: tuple[int, int, int, int]) -> None:
    n0, x0, n1, x1 = counts
    # Odds of 200 and of 20 are tails of 0.5 and of 5 %.
    low, _ = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff", alpha=0.01)
    _, high = confint_proportions_2indep(x1, n1, x0, n0, method="newcomb", compare="diff", alpha=0.1)
    found = band([Seen(10, *counts)], spread(2 * low - high, 2 * high - low), BAR)
    assert low - (high - low) < found.least[0] <= low
    assert high <= found.greatest[0] < high + (high - low)


def test_bursts_and_a_short_past_widen_it() -> None:
    seen = looks(0.002, 0.03)
    calm, bursty = (band(seen, GRID, Bar(bursts=Bursts(factor, is_known=True), tolerated=0)) for factor in (1.0, 3.0))
    assert bursty.least[-1] < calm.least[-1]
    assert bursty.greatest[-1] > calm.greatest[-1]
    outburst = [Seen(10, 950, 1, 50, 12)]
    assert band(outburst, GRID, Bar()).least == (-math.inf,)


def test_the_measured_difference_is_not_fooled_by_a_ramp_while_the_rate_moves() -> None:
    moving = [Seen(10, 950, 9, 50, 0), Seen(20, 500, 50, 500, 50)]
    assert measured(moving)[-1] == pytest.approx(0.0, abs=0.002)
    assert math.isnan(measured([Seen(10, 950, 1, 0, 0)])[0])


def test_the_band_of_a_level_ends_where_its_odds_do() -> None:
    readings = np.random.default_rng(3).normal(2, 1, 80).tolist()
    found = gauge_band(readings, 1.0, 20)
    seen = Differences()
    for reading in readings:
        seen = seen.plus(reading)
    assert found.least[18] == -math.inf
    low = max(found.least[:79])
    if found.least[-1] > low:
        assert odds_against(found.least[-1], seen, 1.0) == pytest.approx(20, rel=1e-6)
    assert found.least[-1] < 2 < found.greatest[-1]


def test_the_band_is_held_to_what_the_judge_knows() -> None:
    free = Band((0.0, 0.1), (1.0, 0.9), (0.5, 0.5))
    assert free.held_to(0.2, 0.8, is_harm=True, is_safe=False) == Band((0.0, 0.2), (1.0, 0.9), (0.5, 0.5))
    assert free.held_to(0.05, 0.8, is_harm=False, is_safe=True) == Band(
        (0.0, math.nextafter(0.05, -1)), (1.0, 0.8), (0.5, 0.5)
    )
    assert Band().held_to(0.2, 0.3, is_harm=True, is_safe=True) == Band()


def test_a_look_without_a_reading_leaves_the_band_of_a_level_where_it_was() -> None:
    readings = np.random.default_rng(3).normal(2, 1, 40).tolist()
    found = gauge_band([*readings, math.nan], 1.0, 20)
    assert (found.least[-1], found.greatest[-1]) == (found.least[-2], found.greatest[-2])
    assert found.measured[-1] == found.measured[-2]
