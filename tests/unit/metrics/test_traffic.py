"""How many requests a service gets in an hour, from two readings of its counters."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from bot.metrics.snapshots import Result
from bot.metrics.traffic import per_hour

MINUTE = timedelta(minutes=1)


def rows(values: Mapping[str, float | str], reporter: str = "source") -> list[Result]:
    """One counter per instance."""
    names = {"destination_version": "v1", "destination_workload": "reviews-v1", "reporter": reporter}
    return [{"metric": {**names, "instance": name}, "value": [0, str(value)]} for name, value in values.items()]


def test_what_was_counted_in_a_minute_is_told_for_an_hour() -> None:
    assert per_hour(rows({"a": 100, "b": 5}), rows({"a": 150, "b": 15}), "source", MINUTE) == 3_600


def test_a_reset_and_a_new_pod_count_what_they_show() -> None:
    assert per_hour(rows({"a": 100}), rows({"a": 10, "b": 20}), "source", MINUTE) == 30 * 60


def test_a_service_that_stands_still_gets_none() -> None:
    assert per_hour(rows({"a": 100}), rows({"a": 100}), "source", MINUTE) == 0


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([], rows({"a": 9})),
        (rows({"a": 9}), []),
        (rows({"a": 1}), rows({"a": "NaN"})),
        (rows({"a": 1}, "destination"), rows({"a": 9})),
    ],
)
def test_what_has_no_beginning_is_not_guessed(then: list[Result], now: list[Result]) -> None:
    assert per_hour(then, now, "source", MINUTE) is None
