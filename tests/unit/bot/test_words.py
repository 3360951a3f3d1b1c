"""Durations and bounds as people write them, and back."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import durations, margins
from strategies.plan import Margin


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172_800), ("0", 0), ("250ms", 0.25)],
)
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert durations.parse(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "ten minutes", "-5m", "30m1h", "5x", "99999d", "10m!"])
def test_what_is_no_length_of_time_is_named_with_what_is_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is not a length of time such as 90s, 10m, 1h30m or 2h") as caught:
        durations.parse(text)
    assert repr(text) in str(caught.value)


@settings(deadline=None)
@given(st.integers(0, int(durations.LONGEST.total_seconds())))
def test_what_is_written_is_read_back_to_the_second(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert durations.parse(durations.written(length)) == length


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("0.1%", "ratio", 0.001), ("250ms", "ms", 250), ("1.5s", "ms", 1500), ("100%", "ratio", 1)],
)
def test_a_limit_is_read_in_the_unit_of_its_metric(text: str, unit: str, value: float) -> None:
    assert margins.limit(text, unit) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "unit", "why"),
    [
        ("+0.1%", "ratio", "has a sign; a limit is absolute, such as 0.1%"),
        ("250ms", "ratio", "has the wrong unit; a limit here is written like 0.1%"),
        ("1%", "ms", "has the wrong unit; a limit here is written like 250ms or 1.5s"),
        ("0.1", "ratio", "has no unit or is no number; write it like 0.1%"),
        ("many", "ms", "has no unit or is no number"),
    ],
)
def test_a_wrong_limit_says_what_is_allowed(text: str, unit: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("+", r"\+").replace(".", r"\.")) as caught:
        margins.limit(text, unit)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "unit", "margin"),
    [
        ("+10%", "ms", Margin(0.1, relative=True)),
        ("+10%", "ratio", Margin(0.1, relative=True)),
        ("+0.5pp", "ratio", Margin(0.005)),
        ("+20ms", "ms", Margin(20)),
        ("+2s", "ms", Margin(2000)),
    ],
)
def test_a_margin_is_read_relative_or_absolute(text: str, unit: str, margin: Margin) -> None:
    assert margins.margin(text, unit) == margin


@pytest.mark.parametrize(
    ("text", "unit", "why"),
    [
        ("10%", "ms", "needs a \\+ sign: it says how much worse is still allowed, like \\+10% or \\+20ms"),
        ("-10%", "ratio", "needs a \\+ sign"),
        ("+20ms", "ratio", "has the wrong unit; a margin here is written like \\+0.1pp or \\+10%"),
        ("+1pp", "ms", "has the wrong unit"),
        ("+x", "ms", "has no unit or is no number"),
    ],
)
def test_a_wrong_margin_says_what_is_allowed(text: str, unit: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        margins.margin(text, unit)
    assert repr(text) in str(caught.value)
