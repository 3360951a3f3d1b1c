"""One owner's refused query is found by halves, and keeps nobody else's."""

from datetime import timedelta

from bot.metrics.batches import FORGOTTEN_AFTER, WAITS, Batches
from bot.metrics.connection import UnansweredError
from tests.builders import NOW

STEP = timedelta(seconds=15)
NAMES = [f"release-{n:04}" for n in range(1000)]


class Prometheus:
    """Refuses whatever holds one of the bad names."""

    def __init__(self, *bad: str) -> None:
        self.bad = set(bad)
        self.asked = 0

    def ask(self, names: frozenset[str]) -> frozenset[str]:
        self.asked += 1
        if self.bad & names:
            raise UnansweredError(f"refused {sorted(self.bad & names)[0]}")
        return names


def looks(batches: Batches[frozenset[str]], prometheus: Prometheus, count: int, most: int = 3) -> list[set[str]]:
    """Who was answered in each look."""
    answered = []
    for n in range(count):
        before = prometheus.asked
        found, silent = batches.ask(NAMES, NOW + STEP * n, most, prometheus.ask)
        assert prometheus.asked - before <= most
        here = {name for names in found for name in names}
        assert here | silent.keys() == set(NAMES)
        answered.append(here)
    return answered


def test_all_that_is_well_is_one_query() -> None:
    prometheus = Prometheus()
    assert looks(Batches(), prometheus, 2) == [set(NAMES)] * 2
    assert prometheus.asked == 2


def test_a_refused_query_is_found_within_ten_looks_and_then_keeps_nobody() -> None:
    answered = looks(Batches(), Prometheus("release-0137"), 11)
    assert len(answered[0]) >= 500
    assert answered[10] == set(NAMES) - {"release-0137"}


def test_the_lone_one_is_told_why_and_asked_again_each_minute() -> None:
    batches: Batches[frozenset[str]] = Batches()
    prometheus = Prometheus("release-0137")
    looks(batches, prometheus, 11)
    _, silent = batches.ask(NAMES, NOW + STEP * 11, 3, prometheus.ask)
    assert silent == {"release-0137": "refused release-0137"}
    prometheus.bad.clear()
    found, silent = batches.ask(NAMES, NOW + STEP * 20, 3, prometheus.ask)
    assert not silent
    assert {name for names in found for name in names} == set(NAMES)


def test_who_is_asked_apart_is_forgotten_an_hour_after_its_last_look() -> None:
    batches: Batches[frozenset[str]] = Batches()
    prometheus = Prometheus("ended")
    batches.ask(["ended"], NOW, 3, prometheus.ask)
    batches.ask(["other"], NOW + FORGOTTEN_AFTER - STEP, 3, prometheus.ask)
    assert batches.ask(["ended"], NOW + FORGOTTEN_AFTER - STEP, 0, prometheus.ask)[1] == {"ended": "refused ended"}
    batches.ask(["other"], NOW + 2 * FORGOTTEN_AFTER, 3, prometheus.ask)
    assert batches.ask(["ended"], NOW + 2 * FORGOTTEN_AFTER, 0, prometheus.ask)[1] == {}


def test_who_was_not_asked_is_told_that_it_waits() -> None:
    _, silent = Batches[frozenset[str]]().ask(NAMES, NOW, 1, Prometheus("release-0001").ask)
    assert set(silent.values()) == {WAITS}


def test_releases_of_another_rhythm_stay_apart() -> None:
    batches: Batches[frozenset[str]] = Batches()
    prometheus = Prometheus("a")
    batches.ask(["a"], NOW, 3, prometheus.ask)
    batches.ask(["b"], NOW + STEP, 3, prometheus.ask)
    found, silent = batches.ask(["a", "b"], NOW + STEP, 3, prometheus.ask)
    assert (found, silent) == ([frozenset("b")], {"a": "refused a"})
