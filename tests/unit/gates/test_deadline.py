"""The one exact test at the deadline."""

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.rates import test_poisson_2indep as poisson_oracle

from strategies.gates.chance import Line
from strategies.gates.deadline import SPENT_ON_BASELINE, is_surely_beyond


@pytest.mark.parametrize("bad", range(4, 26))
def test_without_a_margin_it_is_the_exact_conditional_test(bad: int) -> None:
    stage = (4000, 20, 1000, bad)
    oracle = poisson_oracle(bad, 1000, 20, 4000, value=1, method="exact-cond", alternative="larger").pvalue
    level = 0.005
    assert is_surely_beyond([stage], Line(), level) is bool(oracle <= level * (1 - SPENT_ON_BASELINE))


def test_stages_of_equal_weight_add_up_to_one() -> None:
    parts = [(2000, 8, 500, 6), (2000, 12, 500, 7)]
    assert is_surely_beyond(parts, Line(), 0.01)
    assert not is_surely_beyond([(4000, 20, 1000, 8)], Line(), 0.01)


@pytest.mark.parametrize(("rate", "requests"), [(0.001, 20_000), (0.02, 5_000), (0.3, 2_000)])
def test_a_candidate_on_the_allowed_margin_is_rejected_within_the_level(rate: float, requests: int) -> None:
    rng, level, border = np.random.default_rng(8), 0.02, Line(1.0, 0.002)
    rejected = 0
    for _ in range(2000):
        x0, x1 = rng.binomial(requests, rate), rng.binomial(requests // 4, rate + border.offset)
        rejected += is_surely_beyond([(requests, int(x0), requests // 4, int(x1))], border, level)
    assert binom.sf(rejected - 1, 2000, level) > 0.001


def test_clear_harm_is_rejected() -> None:
    assert is_surely_beyond([(20_000, 20, 5_000, 60)], Line(1.0, 0.001), 0.005)


def test_no_baseline_error_leaves_the_test_without_an_answer() -> None:
    assert not is_surely_beyond([(900, 0, 100, 4)], Line(1.0, 0.001), 0.005)


def test_stages_of_one_version_alone_count_for_nothing() -> None:
    assert not is_surely_beyond([(0, 0, 1000, 500), (1000, 500, 0, 0)], Line(), 0.05)
    assert not is_surely_beyond([], Line(), 0.05)
