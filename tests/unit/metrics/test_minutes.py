"""Ranges of counters as requests and bad ones minute by minute."""

from collections.abc import Mapping

from bot.metrics.counters import picker
from bot.metrics.minutes import by_instance, by_instance_above, grown, together, values
from bot.metrics.snapshots import Result
from tests.builders import NOW, a_target


def series(values: Mapping[int, float | str], instance: str = "p1", version: str = "v1", **labels: str) -> Result:
    metric = {"destination_version": version, "instance": instance, **labels}
    return {"metric": metric, "values": [[NOW.timestamp() + 60 * at, str(value)] for at, value in values.items()]}


def read(*results: Result) -> dict[str, dict[int, float]]:
    return values(results, picker(a_target())("v1"), NOW)


def test_a_minute_is_the_difference_of_its_ends() -> None:
    every, bad = read(series({0: 100, 1: 160, 2: 190})), read(series({0: 1, 1: 3, 2: 3}))
    assert by_instance(every, bad, 2) == {"p1": [(60, 2), (30, 0)]}


def test_the_first_bad_request_of_an_instance_counts() -> None:
    assert by_instance(read(series({0: 100, 1: 160})), read(series({1: 2})), 1) == {"p1": [(60, 2)]}


def test_a_reset_counts_from_zero() -> None:
    every, bad = read(series({0: 100, 1: 7})), read(series({0: 5, 1: 1}))
    assert by_instance(every, bad, 1) == {"p1": [(7, 1)]}


def test_a_minute_without_a_scrape_at_both_ends_was_not_measured() -> None:
    every = read(series({0: 100, 2: 300, 3: 310, 4: "NaN"}))
    assert by_instance(every, {}, 4) == {"p1": [None, None, (10, 0), None]}


def test_other_versions_are_left_out() -> None:
    assert read(series({0: 1}, version="v2")) == {}


def test_all_instances_together_are_those_that_were_measured() -> None:
    both = {"p1": [(10, 1), None, None], "p2": [(5, 0), (6, 2), None]}
    assert together(both, 3) == [(15, 1), (6, 2), None]
    assert together({}, 2) == [None, None]


def test_requests_above_an_edge_are_all_but_those_below_it() -> None:
    every, below = read(series({0: 100, 1: 160})), read(series({0: 90, 1: 140}))
    assert by_instance_above(every, below, 1) == {"p1": [(60, 10)]}
    assert by_instance_above(every, {}, 1) == {}


def test_growth_counts_a_reset_anew_and_a_late_beginning_from_zero() -> None:
    assert grown({0: 5.0, 1: 7.0, 2: 1.0, 3: 4.0}, 0) == 2 + 1 + 3
    assert grown({0: 5.0, 1: 7.0, 2: 9.0}, 1) == 2
    assert grown({2: 6.0, 3: 6.0}, 1) == 6
    assert grown({}, 0) == 0
