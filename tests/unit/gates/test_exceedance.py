"""Latency as a count: the edge that is tested, and the margins at it."""

import math

import pytest

from strategies.gates.exceedance import LEAST_ALLOWED, above, exceedance
from tests.unit.gates.looks import a_histogram


def test_the_edge_nearest_to_the_baselines_quantile_is_tested() -> None:
    found = exceedance(0.99, 0.1, 0.25, a_histogram(100_000, mean=50.0))
    assert found is not None
    assert found.edge == 250  # p99 of an exponential law with mean 50 is 230 ms


def test_margins_lie_on_either_side_of_what_the_true_law_would_give() -> None:
    found = exceedance(0.99, 0.1, 0.25, a_histogram(1_000_000, mean=50.0))
    assert found is not None
    usual = math.exp(-250 / 50)
    assert found.allowed >= math.exp(-250 / 1.1 / 50) - usual
    assert found.tolerated <= math.exp(-250 / 1.25 / 50) - usual + 1e-5


def test_an_edge_that_nobody_exceeds_is_passed_over() -> None:
    found = exceedance(0.99, 0.1, 0.25, {10.0: 800_000, 25.0: 999_999, math.inf: 1_000_000})
    assert found is not None
    assert found.edge == 10


def test_a_flat_tail_still_allows_what_two_proxies_differ_by() -> None:
    found = exceedance(0.5, 0.01, 0.02, {10.0: 999_999, 20.0: 1_000_000, math.inf: 1_000_000})
    assert found is not None
    assert found.allowed >= LEAST_ALLOWED
    assert found.tolerated > found.allowed


@pytest.mark.parametrize("histogram", [{}, {math.inf: 0.0}, {10.0: 0.0, math.inf: 0.0}, {math.inf: 5.0}])
def test_an_empty_histogram_has_no_edge(histogram: dict[float, float]) -> None:
    assert exceedance(0.99, 0.1, 0.25, histogram) is None


def test_requests_above_an_edge_are_counted_where_the_edge_is_known() -> None:
    assert above(20.0, {10.0: 5.0, 20.0: 8.0, math.inf: 10.0}) == (10, 2)
    assert above(15.0, {10.0: 5.0, 20.0: 8.0, math.inf: 10.0}) is None
    assert above(20.0, {20.0: 11.0, math.inf: 10.0}) == (10, 0)
