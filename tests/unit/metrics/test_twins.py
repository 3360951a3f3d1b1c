"""A proxy that is scraped twice, by two jobs or at two ports, counts once."""

from dataclasses import replace

import pytest

from bot.metrics.counters import Window, measured, remembered
from bot.metrics.snapshots import Gone, Result, Scrapes, Snapshot, scrapes, snapshots
from tests.builders import NOW, a_target
from tests.unit.metrics.test_counters import THEN

HOST = a_target().host
FRESH = NOW.timestamp() - 1
JOBS = ({"instance": "10.0.0.1:15090", "job": "envoy"}, {"instance": "10.0.0.1:15020", "job": "pods"})


def scraped(*places: dict[str, str], pod: str = "gw-0") -> Scrapes:
    labels = {"destination_service": HOST, "reporter": "source", "namespace": "istio", "pod": pod}
    return scrapes([{"metric": labels | place, "value": [0, repr(FRESH)]} for place in places])


def counted(value: float, *places: dict[str, str]) -> Snapshot:
    labels = {"destination_service": HOST, "destination_version": "v1", "response_code": "200"}
    rows: list[Result] = [{"metric": labels | place, "value": [0, repr(value)]} for place in places]
    return snapshots([HOST], NOW, rows, ())[HOST]


@pytest.mark.parametrize("places", [JOBS, ({"instance": "a", "job": "x"}, {"instance": "a", "job": "y"})])
@pytest.mark.parametrize("pod", ["gw-0", ""])
def test_a_pod_that_is_scraped_twice_counts_once(places: tuple[dict[str, str], ...], pod: str) -> None:
    same_address = places[0]["instance"] == places[1]["instance"]
    then, now = (counted(value, *places) for value in (100.0, 130.0))
    window = Window(replace(then, at=THEN), now, scraped(*places, pod=pod).of(HOST, "source"), {}, sees_absence=True)
    # Two addresses of a pod that nobody names are two proxies, as far as anybody can tell.
    assert measured(window, a_target()).baseline.requests == (30 if pod or same_address else 60)


def test_two_pods_count_each() -> None:
    both = {**scraped(JOBS[0]).newest[HOST, "source"], **scraped(JOBS[1], pod="gw-1").newest[HOST, "source"]}
    places = {name: name for name in both}
    assert Scrapes({(HOST, "source"): both}, places).of(HOST, "source") == both


def test_who_comes_back_does_not_count_again_what_its_twin_counted() -> None:
    known = scraped(*JOBS)
    first, second = sorted(known.newest[HOST, "source"])
    assert list(known.of(HOST, "source")) == [first]
    assert list(known.of(HOST, "source", {first: Gone(Snapshot(THEN), 1)})) == [second]
    assert list(known.of(HOST, "source", (first, second))) == [first]


def test_a_whole_look_away_loses_nothing_and_doubles_nothing() -> None:
    looks = [(100.0, JOBS), (110.0, JOBS), (120.0, JOBS[:1]), (130.0, JOBS), (140.0, JOBS)]
    then = None
    seen = []
    for value, places in looks:
        now = counted(value, *places)
        if then is not None:
            window = Window(then, now, scraped(*places).of(HOST, "source", then.gone), {}, sees_absence=True)
            seen.append(measured(window, a_target()).baseline.requests)
        then = replace(remembered(then, now), at=THEN)
    assert seen == [10, 10, 10, 10]
