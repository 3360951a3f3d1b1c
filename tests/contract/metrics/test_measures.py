"""Further kinds of metrics on the sandbox's evaluator and on a real Prometheus: the same samples, the same readings."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import templates
from bot.metrics import queries
from bot.ports import Subject
from strategies.plan import Better, Kind, MetricGate
from tests.builders import a_target
from tests.contract.metrics.service import Scraped, at, requests

if TYPE_CHECKING:
    from bot.metrics.prometheus import PrometheusMetrics
    from strategies.verdicts import Reading
    from tests.contract.prometheus.pair import Pair

OUTGOING, CPU, MEMORY = (MetricGate(name, "1") for name in ("outgoing_errors", "cpu", "memory"))
ORDERS = MetricGate(
    "orders",
    "ratio",
    Better.HIGHER,
    query='shop_orders_total{service="{{service}}",version="{{version}}"}',
    kind=Kind.COUNTS,
)
SOLD = replace(ORDERS, metric="sold", per='shop_carts_total{version=~"{{version}}"}')
REVENUE = MetricGate(
    "revenue", "EUR", query='sum(rate(shop_eur_total{version="{{version}}"}[{{look}}]))', kind=Kind.GAUGE
)
BROKEN = MetricGate("broken", "1", query='sum by (version) (up{v="{{version}}"}) sum', kind=Kind.GAUGE)
TIMES = (0, 5, 10, 15, 20, 25, 30)


def served(scraped: Scraped) -> Scraped:
    for version in ("v1", "v2"):
        scraped.add(requests(version), {second: 10 * second for second in TIMES})
    return scraped


def counted(name: str, version: str, per_second: float, **labels: str) -> tuple[dict[str, str], dict[float, float]]:
    own = {"__name__": name, "service": "reviews", "version": version, "pod": f"reviews-{version}-bcdfg-hjklm"}
    return own | labels, {second: 100 + per_second * second for second in TIMES}


def container(name: str, version: str, per_second: float, **labels: str) -> tuple[dict[str, str], dict[float, float]]:
    place = {"namespace": "shop", "container": "reviews", "id": f"/{version}"}
    found, samples = counted(name, version, per_second, **place | labels)
    return {label: value for label, value in found.items() if value}, samples


def looked(metrics: PrometheusMetrics, *gates: MetricGate) -> Reading:
    """The second of two looks that follow each other."""
    for since in (0, 15):
        subject = Subject("reviews-1", a_target(), at(since), gates=gates, look=timedelta(seconds=15))
        reading = metrics.look([subject], at(since + 15))["reviews-1"]
    return reading


def test_calls_to_others_are_counted_by_who_makes_them(empty_pair: Pair) -> None:
    scraped = served(Scraped(empty_pair))
    for version, bad in (("v1", 0.4), ("v2", 2.0)):
        source = {"source_workload": f"reviews-{version}", "source_workload_namespace": "shop"}
        place = {"destination_service": "ratings.shop.svc.cluster.local", "instance": f"{version}-1"}
        for code, rate in (("200", 10.0), ("503", bad)):
            labels = requests("v1", code, **source, **place)
            scraped.add(labels, {second: 50 + rate * second for second in TIMES})
    scraped.store()
    for metrics in scraped.looking():
        reading = looked(metrics, OUTGOING)
        assert reading.troubles == {}
        assert reading.baseline.counts == {"outgoing_errors": (156, 6)}
        assert reading.candidate.counts == {"outgoing_errors": (180, 30)}


def test_cpu_and_memory_are_those_of_the_versions_own_pods(empty_pair: Pair) -> None:
    scraped = served(Scraped(empty_pair))
    for version, cores in (("v1", 0.2), ("v2", 0.5)):
        scraped.add(*container(queries.CPU, version, cores))
        # The same container, scraped by a second job, and the pod as a whole, which has no container.
        scraped.add(*container(queries.CPU, version, cores, job="again"))
        scraped.add(*container(queries.CPU, version, 9.0, container=""))
        scraped.add(*container(queries.MEMORY, version, 0.0))
        scraped.add(*container(queries.CPU, version, 7.0, pod=f"reviews-{version}-canary-0"))
    scraped.store()
    for metrics in scraped.looking():
        reading = looked(metrics, CPU, MEMORY)
        assert reading.baseline.gauges == {"cpu": pytest.approx(0.2), "memory": 100}
        assert reading.candidate.gauges == {"cpu": pytest.approx(0.5), "memory": 100}


def test_the_owners_queries_are_asked_together(empty_pair: Pair) -> None:
    scraped = served(Scraped(empty_pair))
    for version, sold in (("v1", 4.0), ("v2", 1.0)):
        for name, rate in (("shop_orders_total", sold), ("shop_carts_total", 5.0), ("shop_eur_total", 20 * sold)):
            scraped.add(*counted(name, version, rate))
    scraped.store()
    for metrics in scraped.looking():
        reading = looked(metrics, ORDERS, SOLD, REVENUE)
        assert reading.troubles == {}
        assert reading.baseline.counts == {"orders": (150, 60), "sold": (75, 60)}
        assert reading.candidate.counts == {"orders": (150, 15), "sold": (75, 15)}
        assert reading.candidate.gauges == {"revenue": pytest.approx(20)}


def test_a_refused_query_keeps_its_own_gate_alone(empty_pair: Pair) -> None:
    scraped = served(Scraped(empty_pair))
    for version in ("v1", "v2"):
        scraped.add(*counted("shop_eur_total", version, 20.0))
    scraped.store()
    for metrics in scraped.looking():
        for since in (0, 15):
            subjects = [
                Subject(name, a_target(), at(since), gates=(gate,))
                for name, gate in (("reviews-1", REVENUE), ("reviews-2", BROKEN))
            ]
            readings = metrics.look(subjects, at(since + 15))
        assert readings["reviews-1"].candidate.gauges == {"revenue": pytest.approx(20)}
        assert "refused the query: HTTP 400" in readings["reviews-2"].troubles["broken"]


def test_a_thousand_owners_queries_are_answered_at_once(empty_pair: Pair) -> None:
    services = [f"s{n}" for n in range(1000)]
    values = [templates.values(name, "v1", "shop", timedelta(seconds=15)) for name in services]
    query = queries.labelled([templates.filled(ORDERS.query or "", each) for each in values])
    scraped = Scraped(empty_pair)
    for name in services[::250]:
        scraped.add(*counted("shop_orders_total", "v1", 1.0, service=name))
    scraped.store()
    for client in (empty_pair.built, empty_pair.real):
        form = {"query": query, "time": f"{at(20).timestamp():.3f}"}
        found = client.post("/api/v1/query", data=form).json()["data"]["result"]
        assert {row["metric"][queries.PART] for row in found} == {"0", "250", "500", "750"}


def test_what_stands_against_a_query_is_told_with_the_nearest_metric(empty_pair: Pair) -> None:
    scraped = served(Scraped(empty_pair))
    scraped.store()
    slip = MetricGate("slip", "1", query='istio_request_total{destination_version="{{version}}"}', kind=Kind.COUNTS)
    scalar = MetricGate("scalar", "1", query='scalar(up{version="{{version}}"})', kind=Kind.GAUGE)
    window = MetricGate("window", "1", query='up{version="{{version}}"}[{{look}}]', kind=Kind.GAUGE)
    for metrics in scraped.looking():
        told = metrics.objections(a_target(), (BROKEN, slip, scalar, window), timedelta(seconds=15), at(20))
        assert told is not None
        assert [each.is_final for each in told] == [True] * 4
        assert told[0].text.startswith("metrics.broken.query: Prometheus does not take it: ")
        assert "did you mean istio_requests_total?" in told[1].text
        assert all("expected type" in each.text for each in told[2:])


def test_a_gauge_of_nothing_is_no_number(empty_pair: Pair) -> None:
    scraped = served(Scraped(empty_pair))
    for version in ("v1", "v2"):
        scraped.add({"__name__": "shop_eur_total", "version": version}, {0: 1, 15: math.nan, 30: math.nan})
    scraped.store()
    gate = replace(REVENUE, query='shop_eur_total{version="{{version}}"}')
    for metrics in scraped.looking():
        assert "gives no number for v1" in looked(metrics, gate).troubles["revenue"]
