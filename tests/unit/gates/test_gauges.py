"""Evidence from gauges: the same odds as the published test, honest when readings depend on each other."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter
from ville import MSPRT, AsymptoticCS

from strategies.gates.gauges import (
    MOST_ODDS,
    Differences,
    long_run_variance,
    odds_against,
    variance_per_look,
)


def seen(readings: list[float]) -> Differences:
    differences = Differences()
    for reading in readings:
        differences = differences.plus(reading)
    return differences


def test_the_odds_are_those_of_a_mixture_sequential_ratio_test() -> None:
    readings = np.random.default_rng(1).normal(0.3, 1, 200)
    width = (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))) / 60
    oracle = MSPRT(theta0=0.1, sigma=1.0, tau=math.sqrt(width)).fit(readings).e_values_
    for looks in (20, 75, 200):
        ours = odds_against(0.1, seen(readings[:looks].tolist()), 1.0)
        assert ours == pytest.approx(oracle[looks - 1], rel=1e-9)


def test_the_band_of_undecided_bounds_is_the_asymptotic_confidence_sequence() -> None:
    readings = np.random.default_rng(2).normal(5, 2, 120)
    oracle = AsymptoticCS(alpha=0.05, t_opt=60, min_samples=20).fit(readings)
    differences = seen(readings.tolist())
    spread = readings.var(ddof=1)
    for end in (oracle.lower_[-1], oracle.upper_[-1]):
        assert odds_against(end, differences, spread) == pytest.approx(20, rel=0.05)


def test_dependent_readings_are_rarely_called_different() -> None:
    false, releases = 0, 150
    noise = np.random.default_rng(31).normal(size=(releases, 3, 1440))
    for paths in lfilter([1.0], [1.0, -0.6], noise):
        long_run = long_run_variance(paths[2].tolist())
        differences = Differences()
        for difference in paths[0, :120] - paths[1, :120]:
            differences = differences.plus(float(difference))
            if odds_against(0.0, differences, variance_per_look(differences, long_run, 60.0)) >= 100:
                false += 1
                break
    assert false / releases <= 0.02


def test_too_few_looks_know_nothing_and_constants_know_all() -> None:
    assert odds_against(1.0, seen([0.0] * 19), 0.0) == 1
    assert odds_against(1.0, seen([0.0] * 20), 0.0) == MOST_ODDS
    assert odds_against(0.0, seen([0.0] * 20), 0.0) == 1


def test_a_short_history_leaves_the_looks_with_a_wide_margin() -> None:
    differences = seen([1.0, -1.0] * 20)
    assert long_run_variance([1.0] * 99) is None
    assert variance_per_look(differences, None, 10.0) == pytest.approx(4 * differences.variance)
