"""Raw counters of any kind: resets, new and vanished series, looks that were missed."""

import math
from collections.abc import Hashable
from datetime import timedelta

from bot.metrics.growth import FORGOTTEN_AFTER, Counters, Starts, grown, remembered
from tests.builders import NOW

STEP = timedelta(seconds=15)
PART = ("reviews-1", "orders", "v2")


def pod(key: Hashable) -> str:
    return str(key).partition("/")[0]


def take(starts: Starts, n: int, now: dict[str, float], since: int | None = None) -> dict[str, float] | None:
    begins = NOW + STEP * (n - 1 if since is None else since)
    return starts.take(PART, begins, NOW + STEP * n, now, pod)


def test_a_counter_that_fell_counts_from_zero() -> None:
    assert grown(Counters({"a/200": 100.0, "b/200": 7.0}), {"a/200": 8.0, "b/200": 9.0}, pod) == {
        "a/200": 8.0,
        "b/200": 2.0,
    }


def test_a_new_series_of_a_known_pod_counts_and_one_of_a_pod_nobody_saw_does_not() -> None:
    then = Counters({"a/200": 100.0})
    assert grown(then, {"a/200": 101.0, "a/500": 3.0, "b/200": 900.0}, pod) == {"a/200": 1.0, "a/500": 3.0}


def test_a_pod_that_appears_between_two_looks_is_new() -> None:
    starts = Starts()
    take(starts, 0, {"a/200": 1.0})
    take(starts, 1, {"a/200": 2.0})
    assert take(starts, 2, {"a/200": 2.0, "b/200": 5.0}) == {"a/200": 0.0, "b/200": 5.0}


def test_a_pod_whose_scrape_failed_goes_on_from_its_last_count() -> None:
    starts = Starts()
    for n, now in enumerate(({"a": 100.0}, {}, {}, {"a": 130.0})):
        found = take(starts, n, now)
    assert found == {"a": 30.0}


def test_no_number_is_no_data() -> None:
    assert grown(Counters({"a": math.nan}), {"a": 5.0}, pod) == {"a": 5.0}
    assert grown(Counters({"a": 3.0}), {"a": math.nan}, pod) == {}


def test_a_first_look_and_one_behind_a_gap_have_no_start() -> None:
    starts = Starts()
    assert take(starts, 0, {"a": 1.0}) is None
    assert take(starts, 5, {"a": 9.0}) is None
    assert take(starts, 6, {"a": 11.0}) == {"a": 2.0}


def test_a_missed_look_loses_nothing() -> None:
    starts = Starts()
    take(starts, 0, {"a": 1.0})
    starts.missed("reviews-1", {"orders"}, NOW, NOW + STEP)
    starts.missed("reviews-2", {"orders"}, NOW, NOW + STEP * 9)
    assert take(starts, 2, {"a": 9.0}) == {"a": 8.0}


def test_what_nobody_looks_at_is_forgotten() -> None:
    starts = Starts()
    take(starts, 0, {"a": 1.0})
    starts.forget(NOW + FORGOTTEN_AFTER + STEP)
    assert starts.parts("reviews-1") == []


def test_vanished_series_are_let_go_of_after_half_a_day() -> None:
    then = Counters({}, {"a": (1.0, 5_000), "b": (1.0, 10)}, is_watched=True)
    assert remembered(then, {}).absent == {"b": (1.0, 11)}
