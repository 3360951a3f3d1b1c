"""Steps are read as people write them."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import durations
from strategies import steps
from strategies.reasons import ReasonCode, Refused
from strategies.steps import Steps
from tests.unit.strategies.specs import decimals


def read(text: str) -> Steps | Refused:
    return steps.read(text, durations.read)


@pytest.mark.parametrize(
    ("text", "shares"),
    [
        ("5,25,50,100", ("5", "25", "50", "100")),
        ("0.5%, 5 %; 100", ("0.5", "5", "100")),
        ("90:10, 80:20, 30:70, 0:100", ("10", "20", "70", "100")),
        ("99.5:0.5,0:100", ("0.5", "100")),
        ("from 50 by 25", ("50", "75", "100")),
        ("FROM 10% by 40 to 100", ("10", "50", "90", "100")),
        ("100", ("100",)),
    ],
)
def test_lists_pairs_and_rises_are_read(text: str, shares: tuple[str, ...]) -> None:
    assert read(text) == Steps(decimals(*shares))


def test_a_timetable_says_how_long_each_step_is_held() -> None:
    found = read("from 5 by 10 every 15m to 100")
    assert isinstance(found, Steps)
    assert [int(share) for share in found.shares] == [5, 15, 25, 35, 45, 55, 65, 75, 85, 95, 100]
    assert found.hold == timedelta(minutes=15)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("5,abc,100", "'abc' is no step"),
        ("", "A step is empty"),
        ("5,,100", "A step is empty"),
        ("90:20, 0:100", "sums to 110 %"),
        ("90:x", "'90:x' is no step"),
        ("from 5 by 10 every", "each with its value"),
        ("from 5 from 6 by 1", "each with its value"),
        ("from 5 to 100", "each with its value"),
        ("from 5 by 10 every soon to 100", "'soon' is no length of time"),
        ("from 5 by ten to 100", "needs percents"),
        ("from 5 by 0 to 100", "never reaches 100 %"),
        ("from 0 by 5 to 100", "never reaches 100 %"),
        ("from 50 by 5 to 20", "never reaches 20 %"),
        ("from 0.01 by 0.01 to 100", "more than 100 steps"),
        (",".join(["1"] * 101), "101 steps are more than 100"),
    ],
)
def test_what_is_no_row_of_steps_is_refused_with_the_three_ways_to_write_one(text: str, why: str) -> None:
    found = read(text)
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.BAD_STEPS
    assert why in found.text
    assert "from 5 by 10 every 15m to 100" in found.text


@given(st.integers(1, 10_000), st.integers(100, 10_000))
def test_every_rise_climbs_by_equal_steps_and_ends_at_its_end(start: int, by: int) -> None:
    first, rise = Decimal(start) / 100, Decimal(by) / 100
    found = read(f"from {first} by {rise} to 100")
    assert isinstance(found, Steps)
    assert steps.trouble(found.shares) == ""
    assert found.shares[0] == first
    gaps = {after - before for before, after in zip(found.shares[:-1], found.shares[1:-1], strict=False)}
    assert gaps <= {rise}


@pytest.mark.parametrize("more", [0, 1])
def test_there_are_as_many_steps_as_anybody_means_and_no_more(more: int) -> None:
    listed = ",".join(f"{n / 2:g}" for n in range(1, steps.MOST + more)) + ",100"
    rising = f"from 0.5 by 0.5 to {(steps.MOST + 2 * more) / 2 + 0.5:g}"
    assert [isinstance(read(text), Refused) for text in (listed, rising)] == [bool(more)] * 2
