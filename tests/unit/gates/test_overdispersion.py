"""Bursts of bad requests: found where they are, not found where they are not."""

import numpy as np
import pytest

from strategies.gates.overdispersion import bursts, dispersion


def windows(seed: int, *, cluster: int = 1, number: int = 480, expected: float = 6.0) -> list[tuple[int, int]]:
    """Minutes of 600 requests; bad ones come in clusters of one size, so that the factor is that size."""
    rng = np.random.default_rng(seed)
    return [(600, int(cluster * bad)) for bad in rng.poisson(expected / cluster, number)]


def test_independent_errors_need_no_tempering() -> None:
    factors = [bursts(windows(seed)).factor for seed in range(40)]
    assert np.median(factors) < 1.1
    assert max(factors) < 1.6


@pytest.mark.parametrize("cluster", [3, 10])
def test_clusters_are_measured_and_never_believed_too_small(cluster: int) -> None:
    for seed in range(20):
        measured, _ = dispersion(windows(seed, cluster=cluster), 60)
        assert measured == pytest.approx(cluster, rel=0.35)
        assert bursts(windows(seed, cluster=cluster)).factor >= cluster


def test_a_rate_that_moves_with_the_hour_is_no_burst() -> None:
    rng = np.random.default_rng(3)
    day = [(600, int(rng.poisson(6 + 4 * np.sin(hour)))) for hour in range(24) for _ in range(60)]
    assert bursts(day).factor < 1.2
    assert dispersion(day, len(day))[0] > 1.8


def test_bursts_longer_than_a_window_are_seen_over_several() -> None:
    rng = np.random.default_rng(4)
    lasting = [(600, int(rng.poisson(rate))) for rate in rng.choice([1.0, 11.0], 120) for _ in range(5)]
    assert bursts(lasting).factor > 2 * dispersion(lasting, 60)[0]


def test_history_too_short_to_tell_is_said() -> None:
    assert not bursts([]).is_known
    assert not bursts([(600, 1)] * 60).is_known
    assert bursts([(600, 2)] * 60).is_known


def test_a_window_without_requests_or_a_perfect_past_measures_nothing() -> None:
    assert bursts([(0, 0), (600, 0), (600, 0)]).factor == 1
    assert dispersion([(10, 10), (5, 5)], 60) == (1.0, float("inf"))
