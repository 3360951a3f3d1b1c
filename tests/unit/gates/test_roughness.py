"""How bad requests come, told from neighbouring looks."""

import numpy as np
import pytest

from strategies.gates.account import ERRORS_APART, Account
from strategies.gates.chance import Line
from strategies.gates.counts import nats_beyond
from strategies.gates.overdispersion import Bursts
from strategies.gates.roughness import Roughness


def rough(counts: list[int], requests: int = 500) -> Roughness:
    seen = Roughness()
    for bad in counts:
        seen.note(requests, bad)
    return seen


def test_single_errors_are_smooth_and_clusters_are_rough() -> None:
    rng = np.random.default_rng(3)
    alone = [rough(rng.binomial(500, 0.01, 60).tolist()).factor for _ in range(40)]
    clusters = [rough((5 * rng.poisson(1.0, 60)).tolist()).factor for _ in range(40)]
    assert np.median(alone) == 1
    assert 4 < np.median(clusters) < 12


def test_a_rate_that_moves_slowly_is_no_burst() -> None:
    rng = np.random.default_rng(4)
    rates = np.linspace(0.005, 0.08, 60)
    assert np.median([rough(rng.binomial(500, rates).tolist()).factor for _ in range(40)]) < 1.3


@pytest.mark.parametrize("counts", [[], [3], [0, 0, 0, 4]])
def test_too_little_says_nothing(counts: list[int]) -> None:
    assert rough(counts).factor == 1


def test_a_look_without_requests_leaves_its_neighbours_side_by_side() -> None:
    one, other = rough([3, 4]), Roughness()
    for requests, bad in ((500, 3), (0, 0), (500, 4)):
        other.note(requests, bad)
    assert one == other


def test_what_history_knows_is_not_asked_of_the_looks() -> None:
    account = Account(Line(), Line(), Bursts(1.2, is_known=True))
    for bad in (0, 40, 0, 40, 0, 40, 0, 40):
        account.roughness[0].note(500, bad)
    assert account.tempering == 1.2
    account.bursts = Bursts()
    assert account.tempering > 5


def test_without_history_the_totals_must_show_harm_by_themselves() -> None:
    account = Account(Line(1.0, 0.001), Line(1.0, 0.005))
    account.note(5.0, (9500, 20, 500, 20), ERRORS_APART)
    believed = [account.is_believable]
    account.rough = 12.0
    assert [*believed, account.is_believable] == [True, False]
    assert account.excess == pytest.approx(nats_beyond((9500, 20, 500, 20), Line(1.0, 0.001)))
    assert nats_beyond((9500, 190, 500, 10), Line(1.0, 0.001)) == 0


def test_one_big_burst_is_no_outage() -> None:
    account = Account(Line(), Line())
    believed = []
    for bad in (45, 1, 20):
        account.note(5.0, (950, 0, 50, bad), 1)
        believed.append(account.is_believable)
    assert believed == [False, False, True]
