"""Both sides of edges that longer stories never stand on."""

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from strategies.gates import aa
from strategies.gates.account import AT_LAUNCH, ERRORS_APART, LONGEST, SOON, Account
from strategies.gates.chance import STAGE, Line
from strategies.gates.comparison import Standing
from strategies.gates.counts import STEPS
from strategies.gates.latency_quantile import compare_latency
from strategies.gates.nameless import Nameless
from strategies.gates.overdispersion import Bursts, bursts
from tests.unit.gates.looks import P50

if TYPE_CHECKING:
    from strategies.gates.course import Minutes

LOOK = 5


@pytest.mark.parametrize(("beside", "is_back"), [(-1e-6, False), (1e-6, True)])
def test_a_replay_is_rolled_back_at_the_bar_with_the_stake_placed_until_then(beside: float, is_back: bool) -> None:
    paid = AT_LAUNCH + (1 - AT_LAUNCH) * math.log1p(LOOK / SOON) / math.log1p(LONGEST / SOON)
    logs = np.zeros((1, LOOK + 1, len(STEPS)))
    logs[0, LOOK] = math.log((aa.BAR - (1 - paid)) / paid) + beside
    apart = np.full((1, LOOK + 1), float(ERRORS_APART))
    assert aa._rolled_back(logs, apart, Bursts(1.0, is_known=True)).tolist() == [is_back]


@pytest.mark.parametrize(("apart", "differ"), [(12, False), (20, True)])
def test_pods_differ_from_three_standard_errors_of_nine_on(apart: int, differ: bool) -> None:
    bad = [100 - apart, 100 + apart] * 4 + [100]
    pods: dict[str, Minutes] = {f"pod-{n}": [(1_000, each)] for n, each in enumerate(bad)}
    found = aa.spread(pods, 1.0)
    assert found is not None
    assert (found > 0) is differ


def test_the_first_good_look_after_an_outage_begins_anew() -> None:
    account = Account(Line(1.0, 0.001), Line(1.0, 0.005))
    account.note(5, (100, 0, 100, 90), 1)
    assert account.outage == [1, 100, 90]
    account.note(5, (1_000, 0, 1_000, 0), 0)
    assert account.outage == [0, 0, 0]


def test_nameless_errors_of_a_stages_first_second_are_its_own() -> None:
    assert Nameless().after(50, 0.5, (1.0, 1_000.0)).is_ours


def test_a_slowdown_is_proven_on_an_edge_of_one_millisecond_too() -> None:
    candidate = {0.5: 0.0, 1.0: 0.0, 2.0: 1_000.0, math.inf: 1_000.0}
    baseline = {0.5: 400.0, 1.0: 400.0, 2.0: 1_000.0, math.inf: 1_000.0}
    found = compare_latency(P50, 0.5, candidate, baseline, level=STAGE)
    assert found.standing is Standing.SURELY_BEYOND


def test_bursts_of_many_windows_are_measured_against_each_hours_own_rate() -> None:
    # Ten bad minutes of every forty; over the day the rate itself moves, which is no burst.
    day = [(1_000, round((8 if n % 40 < 10 else 1) * (1 + n // 60 / 6))) for n in range(1_440)]
    fives = [sum(bad for _, bad in day[n : n + 5]) for n in range(0, 1_440, 5)]
    hours = [fives[n : n + 12] for n in range(0, 288, 12)]
    means = [sum(hour) / 12 for hour in hours]
    squares = [
        (bad - mean) ** 2 / (mean * (1 - mean / 5_000)) for hour, mean in zip(hours, means, strict=True) for bad in hour
    ]
    assert bursts(day).factor == pytest.approx(1.5 * sum(squares) / (24 * 11))


def test_bursts_that_no_single_window_shows_are_believed_once_they_are_sure() -> None:
    high, low = [(1_000, bad) for bad in (6, 6, 6, 7, 7)], [(1_000, bad) for bad in (4, 4, 4, 3, 3)]
    assert bursts([*high, *low] * 144).factor > 1.5
    assert bursts([*high, *low] * 6).factor == 1.0
