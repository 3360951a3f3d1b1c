"""The observed split."""

from math import comb

import pytest

from strategies.gates.chance import is_share_plausible
from strategies.verdicts import Arm, Outcome, Verdict
from tests.unit.gates.looks import Judge, an_arm


def splits(asked: float, *looks: tuple[int, int]) -> list[Verdict]:
    judge = Judge(asked=asked)
    return [judge.see(an_arm(baseline), an_arm(candidate))["split"] for baseline, candidate in looks]


def test_an_agreeing_share_passes_at_once() -> None:
    [verdict] = splits(0.05, (951, 49))
    assert (verdict.outcome, verdict.candidate, verdict.bound) == (Outcome.PASS, 0.049, 0.05)


def test_no_requests_wait() -> None:
    [verdict] = splits(0.05, (0, 0))
    assert (verdict.outcome, verdict.reason) == (Outcome.WAIT, "No requests measured yet.")


def test_three_wrong_looks_running_are_a_disagreement() -> None:
    verdicts = splits(0.25, *[(1000, 0)] * 3)
    assert {verdict.outcome for verdict in verdicts} == {Outcome.WAIT}
    assert verdicts[1].reason == "2 of 3 looks differ from the split: asked 25.0 %, measured 0 % of 1,000 requests."
    assert verdicts[2].reason.startswith("The mesh does not do what was asked of it for v2")


def test_a_right_look_ends_the_disagreement() -> None:
    assert splits(0.25, *[(1000, 0)] * 4, (750, 250))[-1].outcome is Outcome.PASS


def test_a_wrong_split_is_found_at_one_request_per_second_too() -> None:
    assert splits(0.05, *[(10, 0)] * 40)[-1].outcome is Outcome.WAIT


@pytest.mark.parametrize(
    ("asked", "look", "outcome"),
    [
        (1.0, (0, 1000), Outcome.PASS),
        (1.0, (1, 9999), Outcome.PASS),
        (1.0, (500, 500), Outcome.WAIT),
        (0.0, (1000, 0), Outcome.PASS),
        (0.0, (990, 10), Outcome.WAIT),
    ],
)
def test_nothing_and_everything_tolerate_strays_alone(asked: float, look: tuple[int, int], outcome: Outcome) -> None:
    assert splits(asked, look)[0].outcome is outcome


def test_without_a_split_nothing_is_asked() -> None:
    assert "split" not in Judge(asked=None).see(an_arm(1), an_arm(1))


def test_the_interval_is_the_exact_binomial_one() -> None:
    inside = [k for k in range(1001) if is_share_plausible(k, 1000, 0.05)]
    assert inside == list(range(inside[0], inside[-1] + 1))
    assert tail(1000, 0.05, range(inside[0])) <= 0.0005 < tail(1000, 0.05, range(inside[0] + 1))
    assert tail(1000, 0.05, range(inside[-1] + 1, 1001)) <= 0.0005 < tail(1000, 0.05, range(inside[-1], 1001))


def tail(n: int, p: float, ks: range) -> float:
    return sum(comb(n, k) * p**k * (1 - p) ** (n - k) for k in ks)


def test_a_version_that_was_not_measured_is_no_agreement() -> None:
    assert Judge(asked=0.0).see(an_arm(100), Arm())["split"].outcome is Outcome.WAIT
