"""The edges of what chance can tell: nothing seen on one side, shares of nothing and of everything."""

import pytest

from strategies.gates.chance import (
    LOOK,
    STRAYS,
    Counts,
    Level,
    Line,
    is_share_plausible,
    is_surely_worse,
    tells_share,
    tempered,
)

SAME = Line()
SOME = Counts(1000, 10)


@pytest.mark.parametrize(("candidate", "baseline"), [(Counts(), SOME), (SOME, Counts()), (Counts(), Counts())])
def test_nothing_seen_on_one_side_proves_nothing(candidate: Counts, baseline: Counts) -> None:
    assert not is_surely_worse(candidate, baseline, SAME, LOOK)


def test_a_candidate_that_is_as_good_is_not_worse_and_one_that_is_far_worse_is() -> None:
    assert not is_surely_worse(SOME, SOME, SAME, LOOK)
    assert is_surely_worse(Counts(1000, 60), SOME, SAME, LOOK)
    assert is_surely_worse(Counts(1000, 1000), Counts(1000, 0), SAME, LOOK)


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_counts_that_vary_no_more_than_by_chance_keep_their_level(factor: float) -> None:
    assert tempered(LOOK, factor) is LOOK


def test_counts_that_vary_more_ask_for_more() -> None:
    wider = tempered(Level(0.005, 2.5758), 4)
    assert wider.root == pytest.approx(2 * 2.5758)
    assert wider.tail == pytest.approx(1.3e-7, rel=0.1)


@pytest.mark.parametrize("asked", [0.0, STRAYS, 1 - STRAYS, 1.0])
def test_one_request_tells_of_a_share_of_nothing_or_of_everything(asked: float) -> None:
    assert tells_share(1, asked)
    assert not tells_share(0, asked)


def test_a_share_of_nothing_allows_a_stray_and_no_more() -> None:
    assert is_share_plausible(1, 1000, 0.0)
    assert is_share_plausible(0, 1000, 0.0)
    assert not is_share_plausible(100, 1000, 0.0)
    assert is_share_plausible(1000, 1000, 1.0)
    assert not is_share_plausible(900, 1000, 1.0)
    assert not tells_share(5, 0.5)
    assert tells_share(50, 0.5)
