"""Quantiles, tails, likelihoods and the words for them."""

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from strategies.gates import figures
from strategies.gates.chance import EQUAL, LOOK, Counts, Line, is_surely_above, is_surely_worse
from strategies.gates.latency import added, around, quantile, tail

# What histogram_quantile of Prometheus 2.42 gives for these buckets.
BUCKETS = {100.0: 10.0, 250.0: 40.0, 500.0: 40.0, math.inf: 50.0}


@pytest.mark.parametrize(
    ("q", "expected", "bucket"),
    [
        (0.1, 50.0, (0, 100)),
        (0.2, 100.0, (0, 100)),
        (0.5, 175.0, (100, 250)),
        (0.8, 250.0, (100, 250)),
        (0.9, 500.0, (500, math.inf)),
    ],
)
def test_a_quantile_is_interpolated_as_prometheus_does(q: float, expected: float, bucket: tuple[float, float]) -> None:
    found = quantile(q, BUCKETS)
    assert found is not None
    assert found.value == pytest.approx(expected)
    assert (found.lower, found.upper) == bucket


@pytest.mark.parametrize("buckets", [{}, {math.inf: 5.0}, {10.0: 0.0, math.inf: 0.0}, {10.0: 5.0, 20.0: 5.0}])
def test_a_histogram_that_says_nothing_has_no_quantile(buckets: dict[float, float]) -> None:
    assert quantile(0.5, buckets) is None


def test_counts_that_seem_to_fall_are_made_to_rise() -> None:
    found = quantile(0.5, {10.0: 6.0, 20.0: 4.0, math.inf: 10.0})
    assert found is not None
    assert found.value == pytest.approx(10 * 5 / 6)


def test_a_tail_counts_what_took_longer() -> None:
    assert tail(100.0, BUCKETS) == Counts(50, 40)
    assert tail(0.0, BUCKETS) == Counts(50, 50)


def test_the_edges_round_a_value() -> None:
    assert (around(120, BUCKETS), around(250, BUCKETS)) == ((100, 250), (250, 250))
    assert (around(5, BUCKETS), around(900, BUCKETS)) == ((0, 100), (500, math.inf))


def test_histograms_of_other_edges_keep_the_common_ones() -> None:
    assert added(BUCKETS, {250.0: 1.0, math.inf: 2.0}) == {250.0: 41.0, math.inf: 52.0}
    assert added({}, BUCKETS) == BUCKETS


def test_an_exact_tail_decides_above() -> None:
    assert not is_surely_above(Counts(30, 1), 0.01, LOOK)
    assert is_surely_above(Counts(30, 3), 0.01, LOOK)
    assert not is_surely_above(Counts(30, 0), 0.0, LOOK)


@given(st.integers(1, 500), st.integers(1, 500), st.data())
def test_the_likelihood_root_is_the_one_a_library_finds(n1: int, n0: int, data: st.DataObject) -> None:
    x1, x0 = data.draw(st.integers(0, n1)), data.draw(st.integers(0, n0))
    line = data.draw(st.sampled_from([EQUAL, Line(1.0, 0.01), Line(1.1, 0.0)]))
    root = likelihood_root(Counts(n1, x1), Counts(n0, x0), line)
    if abs(root - LOOK.root) > 1e-3:
        assert is_surely_worse(Counts(n1, x1), Counts(n0, x0), line, LOOK) is (root > LOOK.root)


def likelihood_root(ours: Counts, theirs: Counts, line: Line) -> float:
    def log_likelihood(rate: float, seen: Counts) -> float:
        rate = min(max(rate, 1e-12), 1 - 1e-12)
        return seen.bad * math.log(rate) + (seen.requests - seen.bad) * math.log(1 - rate)

    def on_line(rate: float) -> float:
        return -log_likelihood(rate, theirs) - log_likelihood(line.ratio * rate + line.offset, ours)

    if ours.rate <= line.ratio * theirs.rate + line.offset:
        return 0.0
    top = min(1.0, (1 - line.offset) / line.ratio)
    nearest = -minimize_scalar(on_line, bounds=(0, top), method="bounded", options={"xatol": 1e-12}).fun
    best = log_likelihood(ours.rate, ours) + log_likelihood(theirs.rate, theirs)
    return math.sqrt(max(2 * (best - nearest), 0.0))


def test_an_equal_candidate_is_rarely_called_worse() -> None:
    chance, wrong = random.Random(7), 0
    for _ in range(2000):
        ours, theirs = (sum(chance.random() < 0.02 for _ in range(n)) for n in (100, 300))
        wrong += is_surely_worse(Counts(100, ours), Counts(300, theirs), EQUAL, LOOK)
    assert wrong <= 20  # nominal 0.5 % of 2,000 is 10


@pytest.mark.parametrize(
    ("said", "of", "words"),
    [
        (figures.percent, [0.02], "2.0 %"),
        (figures.percent, [0.003], "0.3 %"),
        (figures.percent, [0.00123], "0.12 %"),
        (figures.percent, [0.0000001], "<0.001 %"),
        (figures.percent, [0], "0 %"),
        (figures.points, [0.017], "+1.7 pp"),
        (figures.points, [-0.001], "−0.1 pp"),
        (figures.change, [0.1], "+10 %"),
        (figures.milliseconds, [1234.4], "1,234 ms"),
        (figures.milliseconds, [2.5], "2.5 ms"),
        (figures.milliseconds, [12_345], "12.3 s"),
        (figures.milliseconds, [math.inf], "∞"),
        (figures.level, [0.25, "ratio"], "25.0 %"),
        (figures.level, [120.0, "ms"], "120 ms"),
        (figures.level, [512.0, "bytes"], "512 B"),
        (figures.level, [1234.5, "1"], "1,234"),
        (figures.count, [1, "request"], "1 request"),
        (figures.count, [1900, "request"], "1,900 requests"),
        (figures.span, [20], "20 s"),
        (figures.span, [660], "11 min"),
        (figures.span, [9720], "2.7 h"),
        (figures.span, [0], "1 s"),
        (figures.span, [89], "89 s"),
        (figures.span, [90], "2 min"),
        (figures.span, [5399], "90 min"),
        (figures.span, [5400], "1.5 h"),
        (figures.percent, [0.000009], "<0.001 %"),
        (figures.percent, [0.00001], "0.001 %"),
        (figures.percent, [0.0001234], "0.012 %"),
        (figures.percent, [0.00999], "1 %"),
        (figures.percent, [0.01], "1.0 %"),
        (figures.points, [0], "+0.0 pp"),
        (figures.points, [-0.000001], "−0.001 pp"),
        (figures.points, [0.00002], "+0.002 pp"),
        (figures.points, [0.0099], "+0.99 pp"),
        (figures.points, [0.01], "+1.0 pp"),
        (figures.change, [0], "+0 %"),
        (figures.change, [-0.25], "−25 %"),
        (figures.milliseconds, [9], "9 ms"),
        (figures.milliseconds, [10.4], "10 ms"),
        (figures.milliseconds, [9999], "9,999 ms"),
        (figures.milliseconds, [10_000], "10.0 s"),
        (figures.level, [1023, "bytes"], "1,023 B"),
        (figures.level, [1024, "bytes"], "1 KiB"),
        (figures.level, [1536, "bytes"], "1.5 KiB"),
        (figures.level, [999 * 2**20, "bytes"], "999 MiB"),
        (figures.level, [1000 * 2**20, "bytes"], "1,000 MiB"),
        (figures.level, [2**30, "bytes"], "1 GiB"),
        (figures.level, [123_456.7, "1"], "123,457"),
        (figures.level, [999.4, "connections"], "999 connections"),
        (figures.level, [1500, "connections"], "1,500 connections"),
        (figures.level, [0.1234, "cores"], "0.123 cores"),
    ],
)
def test_figures_read_as_people_write_them(said: Callable[..., str], of: list[object], words: str) -> None:
    assert said(*of) == words
