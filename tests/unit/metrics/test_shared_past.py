"""The days before several services: as many as fit are asked as one, and none suffers from the others."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.metrics import shared_past
from bot.metrics.connection import RefusedError, UnansweredError
from bot.metrics.past import Asked
from bot.metrics.queries import Reporter
from bot.metrics.snapshots import Result
from tests.builders import NOW, a_target, the_gates


class Prometheus:
    """Knows so many series of each host, and none of their values; may refuse questions about several."""

    def __init__(self, series: int = 0, refuses: str = "") -> None:
        self.asked: list[str] = []
        self.series, self.refuses = series, refuses

    def ask(self, query: str, at: datetime | None = None, timeout: int | None = None) -> Sequence[Result]:
        self._note(query)
        if "le)" in query or ",le" in query:
            return []
        labels = {"destination_version": "v1", "reporter": "source"}
        hosts = [host for host in ("reviews", "ratings", "payments") if host in query]
        return [
            {"metric": {**labels, "destination_service": f"{host}.shop.svc.cluster.local", "instance": str(n)}}
            for host in hosts
            for n in range(self.series)
        ]

    def ask_range(
        self, query: str, since: datetime, until: datetime, step: timedelta, timeout: int | None = None
    ) -> Sequence[Result]:
        self._note(query)
        return []

    def _note(self, query: str) -> None:
        self.asked.append(query)
        if self.refuses and "|" in query.partition("destination_service=~")[2].partition('"}')[0].partition('",')[0]:
            raise RefusedError(self.refuses, self.refuses)


def asked(*services: str) -> list[Asked]:
    """Their last day."""
    since = NOW - timedelta(days=1)
    return [
        Asked(a_target(service), f"{service}.shop.svc.cluster.local", the_gates(), since, NOW, 15.0)
        for service in services
    ]


def read(prometheus: Prometheus, *services: str) -> int:
    """How many were read."""
    return len(shared_past.read(prometheus, Reporter.BOTH, asked(*services)))  # type: ignore[arg-type]


def test_several_services_take_few_queries_more_than_one() -> None:
    alone, together = Prometheus(3), Prometheus(3)
    assert read(alone, "reviews") == 1
    assert read(together, "reviews", "ratings", "payments") == 3
    # How many series there are, requests and failures by two reporters, durations at two times; and for each that had
    # hardly a request lately its durations a day ago.
    assert (len(alone.asked), len(together.asked)) == (5, 1 + 4 + 2 + 3)


@pytest.mark.parametrize(("series", "fit"), [(66, 3), (67, 2), (100, 2), (101, 1), (500, 1)])
def test_as_many_are_read_as_one_answer_may_hold_and_one_in_any_case(series: int, fit: int) -> None:
    assert read(Prometheus(series), "reviews", "ratings", "payments") == fit


def test_no_more_than_a_few_are_read_at_once() -> None:
    services = [f"svc-{number}" for number in range(20)]
    assert read(Prometheus(), *services) == shared_past.AT_ONCE


def test_what_is_refused_for_several_is_asked_for_the_first_alone() -> None:
    prometheus = Prometheus(3, refuses="query processing would load too many samples into memory")
    found = shared_past.read(prometheus, Reporter.BOTH, asked("reviews", "ratings"))  # type: ignore[arg-type]
    assert [each.trouble for each in found] == [""]


def test_who_is_away_is_said_once() -> None:
    class Away(Prometheus):
        def _note(self, query: str) -> None:
            raise UnansweredError("away")

    found = shared_past.read(Away(), Reporter.BOTH, asked("reviews", "ratings"))  # type: ignore[arg-type]
    assert [each.trouble for each in found] == ["away"]
