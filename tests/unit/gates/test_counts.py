"""Evidence from counts: no point of the null inflates it, whatever the guess, the border and the sizes."""

import math
from itertools import product

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import comb

from strategies.gates.counts import (
    Border,
    Floats,
    Guess,
    Samples,
    as_good,
    divergence,
    information,
    log_evidence,
    nearest_rates,
    worse,
)

SIZES = [(6, 3), (12, 2), (3, 9)]
LINES = [(1.0, 0.05), (1.0, 0.0), (1.5, 0.02), (0.8, 0.1), (0.9, 0.12), (1.0, 0.3)]
GUESSES = [0.01, 0.2, 0.6, 0.95]
RATES = np.linspace(0, 1, 41)


def binomial(n: int) -> Floats:
    """The chance of each count at each of RATES, shape (rates, n + 1)."""
    k, p = np.arange(n + 1), RATES[:, None]
    return np.asarray(comb(n, k) * p**k * (1 - p) ** (n - k), dtype=np.float64)


def ratios(sizes: tuple[int, int], line: tuple[float, float], guess: tuple[float, float]) -> Floats:
    """The likelihood ratio of every pair of bad counts."""
    n0, n1 = sizes
    x0, x1 = np.meshgrid(np.arange(n0 + 1.0), np.arange(n1 + 1.0), indexing="ij")
    full = [np.full(x0.shape, value) for value in (n0, n1, *guess, *line)]
    seen = Samples(full[0], x0, full[1], x1)
    return np.exp(log_evidence(seen, Guess(full[2], full[3]), Border(full[4], full[5])))


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("tempered", [1.0, 2.5])
def test_no_point_of_either_null_expects_more_than_one(
    sizes: tuple[int, int], line: tuple[float, float], tempered: float
) -> None:
    border = Border(np.array([line[0]]), np.array([line[1]]))
    for a0, (side, guesses) in product(GUESSES, ((1, worse), (-1, as_good))):
        for a1 in guesses(np.array([a0]), border)[0]:
            evidence = ratios(sizes, line, (a0, a1)) ** (1 / tempered)
            expected = binomial(sizes[0]) @ evidence @ binomial(sizes[1]).T
            is_null = side * (RATES[None, :] - line[0] * RATES[:, None] - line[1]) <= 0
            assert expected[is_null].max() <= 1 + 1e-9, (side, a0, a1)


def test_nearest_rates_minimise_the_weighted_divergence() -> None:
    for n0, n1, a0, a1, d in [(950, 50, 0.001, 0.02, 0.001), (5, 800, 0.3, 0.1, 0.05), (100, 100, 0.02, 0.021, 0.3)]:
        guess, border = Guess(np.array(a0), np.array(a1)), Border(np.array(1.0), np.array(d))
        q0, _ = nearest_rates(np.array(float(n0)), np.array(float(n1)), guess, border)

        def cost(q: float, *, n: tuple[int, int] = (n0, n1), g: Guess = guess, d: float = d) -> float:
            total = n[0] * divergence(g.baseline, np.array(q)) + n[1] * divergence(g.candidate, np.array(q + d))
            return float(total)

        best = minimize_scalar(cost, bounds=(1e-12, 1 - d - 1e-12), method="bounded", options={"xatol": 1e-13})
        assert float(q0) == pytest.approx(best.x, rel=1e-5)


def test_with_an_endless_baseline_it_is_the_ratio_of_one_sample() -> None:
    a0, a1, border = 0.01, 0.05, 0.015
    seen = Samples(*(np.array([value]) for value in (1e13, 1e11, 200.0, 7.0)))
    [log] = log_evidence(seen, Guess(np.array([a0]), np.array([a1])), Border(np.array([1.0]), np.array([0.005])))
    one_sample = 7 * math.log(a1 / border) + 193 * math.log((1 - a1) / (1 - border))
    assert log == pytest.approx(one_sample, abs=1e-3)


def test_the_answer_does_not_depend_on_the_neighbours_in_the_array() -> None:
    rng = np.random.default_rng(5)
    n0, n1 = rng.integers(1, 10**6, 300).astype(np.float64), rng.integers(1, 10**4, 300).astype(np.float64)
    guess = Guess(rng.uniform(1e-5, 0.3, 300), rng.uniform(1e-5, 0.6, 300))
    border = Border(np.ones(300), np.full(300, 0.001))
    bad = [np.asarray(np.round(n / 50), dtype=np.float64) for n in (n0, n1)]
    seen = Samples(n0, bad[0], n1, bad[1])
    together = log_evidence(seen, guess, border)
    for place in (0, 7, 299):
        one = slice(place, place + 1)
        alone = log_evidence(
            Samples(*(a[one] for a in seen)), Guess(*(a[one] for a in guess)), Border(*(a[one] for a in border))
        )
        assert alone[0] == together[place]


@pytest.mark.parametrize(("n0", "n1"), [(0.0, 50.0), (900.0, 0.0), (0.0, 0.0)])
def test_a_version_without_requests_proves_nothing(n0: float, n1: float) -> None:
    seen = Samples(np.array([n0]), np.array([0.0]), np.array([n1]), np.array([0.0]))
    guess, border = Guess(np.array([0.01]), np.array([0.4])), Border(np.array([1.0]), np.array([0.001]))
    assert log_evidence(seen, guess, border)[0] == 0
    assert information(seen.baseline, seen.candidate, guess, border)[0] == 0


def test_a_border_beyond_every_rate_leaves_no_guess_of_harm() -> None:
    border = Border(np.array([1.0]), np.array([0.2]))
    assert np.isnan(worse(np.array([0.9]), border)).all()
    assert (as_good(np.array([0.9]), border) <= 1).all()


def test_guesses_lie_on_their_side_of_the_border() -> None:
    for rate, ratio, offset in product([1e-6, 0.001, 0.3, 0.97], [0.7, 1.0, 1.4], [0.0, 0.001, 0.02]):
        border, baseline = Border(np.array([ratio]), np.array([offset])), np.array([rate])
        on_border = ratio * rate + offset
        above, below = worse(baseline, border), as_good(baseline, border)
        assert (above[np.isfinite(above)] > on_border).all()
        assert (below[np.isfinite(below)] < on_border).all()


def test_a_search_that_is_cut_short_still_ends_between_the_guess_and_the_border(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("strategies.gates.counts._ROUNDS", 1)
    sizes, guess = [np.array([value]) for value in (4e8, 2.0)], Guess(np.array([0.999]), np.array([0.001]))
    theirs, ours = nearest_rates(sizes[0], sizes[1], guess, Border(np.array([17.0]), np.array([0.0])))
    assert 0.001 / 17 <= theirs[0] <= 1 / 17
    assert ours[0] == pytest.approx(17 * theirs[0])
