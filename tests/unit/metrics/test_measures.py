"""Calls to others, cpu and memory, owners' own queries: each kind asked once for all releases."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.metrics import queries
from bot.metrics.connection import Connection, UnansweredError
from bot.metrics.measures import Measures
from bot.metrics.resources import pods_of
from bot.ports import Subject
from strategies.plan import Better, Kind, MetricGate
from strategies.verdicts import Arm, Reading
from tests.builders import NOW, a_target

STEP = timedelta(seconds=15)
OUTGOING, CPU, MEMORY = (MetricGate(name, "1") for name in ("outgoing_errors", "cpu", "memory"))
ORDERS = MetricGate("orders", "ratio", Better.HIGHER, query='orders_total{version="{{version}}"}', kind=Kind.COUNTS)
SOLD = replace(ORDERS, per='carts_total{version="{{version}}"}')
REVENUE = MetricGate("revenue", "EUR", query='revenue{version="{{version}}"}', kind=Kind.GAUGE)
Row = tuple[dict[str, str], float]


class Scripted(Connection):
    """Answers with the rows of the script whose words are in the query."""

    def __init__(self) -> None:
        self.sent = 0
        self.rows: dict[str, list[Row]] = {}
        self.trouble: dict[str, str] = {}
        self.asked: list[str] = []

    def ask(self, query: str, at: datetime | None = None, timeout: int | None = None) -> Sequence[Mapping[str, Any]]:
        self.sent += 1
        self.asked.append(query)
        for words, text in self.trouble.items():
            if words in query:
                raise UnansweredError(text)
        return [{"metric": labels, "value": [0, repr(value)]} for labels, value in self._found(query)]

    def _found(self, query: str) -> list[Row]:
        found: list[Row] = []
        for words, rows in self.rows.items():
            if words in query:
                place = {queries.PART: str(query.split("\n").index(words) // 2)} if "\n" in query else {}
                found.extend((place | labels, value) for labels, value in rows)
        return found


class Service:
    """One release that is looked at again and again."""

    def __init__(self, *gates: MetricGate, release: str = "reviews-1") -> None:
        self.connection = Scripted()
        self.measures = Measures(self.connection)
        self.gates, self.release = gates, release
        self.n = 0

    def look(
        self, baseline: float | None = 950.0, candidate: float | None = 50.0, answered: float | None = None
    ) -> Reading:
        since, at = NOW + STEP * self.n, NOW + STEP * (self.n + 1)
        self.n += 1
        buckets = {} if answered is None else {math.inf: answered}
        reading = Reading(at, since, Arm(baseline, 0.0), Arm(candidate, 0.0, buckets))
        subject = Subject(self.release, a_target(), since, gates=self.gates)
        return self.measures.read([subject], {self.release: reading}, at, 5)[self.release]


def calls(version: str, code: str, value: float) -> Row:
    return {
        "source_workload_namespace": "shop",
        "source_workload": f"reviews-{version}",
        "instance": f"{version}-1",
        "response_code": code,
    }, value


def container(kind: str, version: str, value: float, pod: str = "bcdfg-hjklm", name: str = "reviews") -> Row:
    labels = {"namespace": "shop", "pod": f"reviews-{version}-{pod}", "container": name, "id": f"/{pod}/{name}"}
    return {**labels, queries.PART: kind}, value


def test_nobody_who_asks_nothing_costs_a_query() -> None:
    service = Service(MetricGate("errors", "ratio"))
    assert service.look().troubles == {}
    assert service.connection.asked == []


def test_calls_to_others_are_counted_by_the_callers_workload() -> None:
    service = Service(OUTGOING)
    for n in range(2):
        service.connection.rows["istio_requests_total"] = [
            calls("v1", "200", 100 + 90 * n), calls("v2", "200", 10 + 8 * n), calls("v2", "503", 2.0 * n)
        ]  # fmt: skip
        reading = service.look()
    assert reading.baseline.counts == {"outgoing_errors": (90, 0)}
    assert reading.candidate.counts == {"outgoing_errors": (10, 2)}


def test_calls_that_two_jobs_scrape_count_once() -> None:
    service = Service(OUTGOING)
    for n in range(2):
        rows = [calls(version, "200", 100.0 * n) for version in ("v1", "v2")]
        twins = [(labels | {"job": job, "pod": labels["instance"]}, value) for labels, value in rows for job in "ab"]
        service.connection.rows["istio_requests_total"] = twins
        reading = service.look()
    assert reading.candidate.counts == {"outgoing_errors": (100, 0)}


def test_a_version_that_calls_nobody_is_no_data() -> None:
    service = Service(OUTGOING)
    service.connection.rows["istio_requests_total"] = [calls("v1", "200", 100)]
    service.look()
    assert service.look().troubles == {"outgoing_errors": "Prometheus knows of no calls that v2 makes to others."}


def test_cpu_and_memory_are_means_per_pod_of_both_versions_in_one_query() -> None:
    service = Service(CPU, MEMORY)
    for n in range(3):
        service.connection.rows["container_cpu"] = [
            container("cpu", "v1", 10 + 3 * n, "bcdfg-hjklm"), container("cpu", "v1", 10 + 6 * n, "bcdfg-mlkjh"),
            container("cpu", "v2", 1 + 1.5 * n), container("cpu", "v2", 5 + 0.75 * n, name="istio-proxy"),
            container("memory", "v1", 100, "bcdfg-hjklm"), container("memory", "v1", 300, "bcdfg-mlkjh"),
            container("memory", "v2", 50), container("memory", "v2", 70, name="istio-proxy"),
        ]  # fmt: skip
        reading = service.look()
    assert reading.baseline.gauges == {"cpu": pytest.approx(0.3), "memory": 200}
    assert reading.candidate.gauges == {"cpu": pytest.approx(0.15), "memory": 120}
    assert len(service.connection.asked) == 3


def test_a_kubelet_that_is_scraped_seldom_gives_the_rate_since_its_last_scrape() -> None:
    service = Service(CPU)
    levels = []
    for used in (10, 10, 16, 16, 22, 22, 22, 22, 22, 22):
        rows = [container("cpu", version, used) for version in ("v1", "v2")]
        service.connection.rows["container_cpu"] = rows
        levels.append(service.look().candidate.gauges.get("cpu"))
    assert levels[2:9] == [pytest.approx(0.2)] * 7
    assert levels[9] is None


def test_a_container_that_began_anew_is_not_counted_twice() -> None:
    service = Service(CPU)
    for rows in ([("a", 50.0)], [("a", 53.0)], [("a", 53.0), ("b", 3.0)], [("b", 6.0)]):
        service.connection.rows["container_cpu"] = [
            (labels | {"id": id}, value)
            for version in ("v1", "v2")
            for id, value in rows
            for labels, _ in [container("cpu", version, 0)]
        ]
        reading = service.look()
    assert reading.candidate.gauges["cpu"] == pytest.approx(0.2)


def test_pods_are_told_by_the_names_that_kubernetes_makes() -> None:
    names = ["reviews-v2-7d9f8b6c5-xk2lp", "reviews-v2-0", "reviews-v2-canary-0", "reviews-v22-7d9f8b6c5-xk2lp"]
    assert pods_of("reviews-v2", names) == names[:2]


def test_a_version_without_a_deployment_is_named() -> None:
    service = Service(CPU)
    subject = Subject("reviews-1", a_target(workloads={"v1": "reviews-v1"}), NOW, gates=(CPU,))
    reading = service.measures.read([subject], {"reviews-1": Reading(NOW + STEP, NOW)}, NOW + STEP, 5)["reviews-1"]
    assert reading.troubles["cpu"] == "No Deployment is known for v2."
    assert service.connection.asked == []


def own(*rows: tuple[str, float]) -> dict[str, list[Row]]:
    """Rows of own queries, by metric and version as they stand in the text."""
    found: dict[str, list[Row]] = {}
    for words, value in rows:
        name, _, version = words.partition(" ")
        found.setdefault(f'{name}{{version="{version}"}}', []).append(({"pod": "p"}, value))
    return found


def test_counts_are_out_of_the_versions_requests() -> None:
    service = Service(ORDERS)
    for n in range(2):
        service.connection.rows = own(("orders_total v1", 100 + 30 * n), ("orders_total v2", 5 + 2 * n))
        reading = service.look()
    assert (reading.baseline.counts, reading.candidate.counts) == ({"orders": (950, 30)}, {"orders": (50, 2)})


def test_counts_are_out_of_what_per_says() -> None:
    service = Service(SOLD)
    for n in range(2):
        service.connection.rows = own(
            ("orders_total v1", 30 * n), ("orders_total v2", 2 * n),
            ("carts_total v1", 60 * n), ("carts_total v2", 3 * n),
        )  # fmt: skip
        reading = service.look()
    assert (reading.baseline.counts, reading.candidate.counts) == ({"orders": (60, 30)}, {"orders": (3, 2)})


def test_requests_wait_for_their_events_for_a_minute_and_then_had_none() -> None:
    service = Service(ORDERS)
    seen = []
    for ours in (0, 0, 0, 6, 6, 6, 6, 6):
        service.connection.rows = own(("orders_total v1", 100 + 30 * service.n), ("orders_total v2", ours))
        seen.append(service.look().candidate.counts.get("orders"))
    assert seen == [None, (0, 0), (0, 0), (150, 6), (0, 0), (0, 0), (0, 0), (200, 0)]


def test_counts_are_out_of_what_the_pods_own_proxies_count_where_they_count() -> None:
    service = Service(ORDERS)
    seen = []
    for n, answered in enumerate((0.0, 40.0, None, 90.0)):
        service.connection.rows = own(("orders_total v1", 30 * n), ("orders_total v2", 16 * (n // 2)))
        seen.append(service.look(answered=answered).candidate.counts.get("orders"))
    assert seen == [None, (40, 0), (0, 16), (90, 0)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (own(("revenue v1", 5.0)), "The query of revenue gives no series for v2."),
        (own(("revenue v1", 5.0), ("revenue v2", 5.0), ("revenue v2", 6.0)), "gives 2 series for v2; wrap it in sum("),
        (own(("revenue v1", 5.0), ("revenue v2", float("nan"))), "The query of revenue gives no number for v2."),
    ],
)
def test_a_gauge_is_one_number_per_version(rows: dict[str, list[Row]], said: str) -> None:
    service = Service(REVENUE)
    service.connection.rows = rows
    if "2 series" in said:
        service.connection.rows['revenue{version="v2"}'] = [({"pod": "a"}, 5.0), ({"pod": "b"}, 6.0)]
    assert said in service.look().troubles["revenue"]


def test_a_gauge_is_read_at_its_first_look() -> None:
    service = Service(REVENUE)
    service.connection.rows = own(("revenue v1", 5.5), ("revenue v2", 5.0))
    reading = service.look()
    assert (reading.baseline.gauges, reading.candidate.gauges) == ({"revenue": 5.5}, {"revenue": 5.0})


def test_a_refused_query_names_its_metric_and_leaves_the_others() -> None:
    service = Service(REVENUE, OUTGOING)
    service.connection.trouble = {"revenue": "Prometheus refused the query."}
    service.connection.rows["istio_requests_total"] = [calls("v1", "200", 100), calls("v2", "200", 1)]
    service.look()
    reading = service.look()
    assert reading.troubles == {"revenue": "Prometheus refused the query."}
    assert reading.candidate.counts == {"outgoing_errors": (0, 0)}


def test_a_failed_query_loses_no_event() -> None:
    service = Service(OUTGOING)
    for n in range(3):
        service.connection.trouble = {"istio": "unreachable"} if n == 1 else {}
        service.connection.rows["istio_requests_total"] = [calls(v, "200", 100 * n) for v in ("v1", "v2")]
        reading = service.look()
    assert reading.candidate.counts == {"outgoing_errors": (200, 0)}


def test_a_thousand_releases_of_every_kind_are_three_queries() -> None:
    connection = Scripted()
    subjects = [
        Subject(f"r-{n}", a_target(f"s-{n}"), NOW, gates=(OUTGOING, CPU, MEMORY, ORDERS, SOLD, REVENUE))
        for n in range(1000)
    ]
    readings = {subject.release: Reading(NOW + STEP, NOW) for subject in subjects}
    Measures(connection).read(subjects, readings, NOW + STEP, 5)
    assert connection.sent == 3
