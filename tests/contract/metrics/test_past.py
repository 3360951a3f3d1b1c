"""The days before a release, read from the sandbox's evaluator and from a real Prometheus."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from bot import preflight
from bot.metrics.connection import Connection
from bot.metrics.prometheus import PrometheusMetrics
from bot.metrics.queries import Reporter
from bot.preflight import DAY, Asked, run
from strategies.plan import Better, Kind, Margin, MetricGate
from tests.builders import a_plan, a_target
from tests.contract.metrics.days import Days
from tests.contract.metrics.service import requests
from tests.contract.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("real_prometheus")
ERRORS = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
P99 = MetricGate("latency_p99", "ms", allowed=Margin(0.1, relative=True), tolerated=Margin(0.25, relative=True))
ASKED = Asked(a_target(), (ERRORS, P99), a_plan(), timedelta(minutes=30))


def calm(days: Days, seed: int = 1) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    return np.random.default_rng(seed).binomial(days.per_minute, 0.004, (days.pods, days.minutes))


def test_a_calm_service_is_read_alike_and_every_gate_leaves_it_alone(tmp_path: Path) -> None:
    days = Days()
    bad = calm(days)
    with days.fill(bad).read_by(tmp_path) as both:
        recorded = [metrics.past(a_target(), (ERRORS, P99), days.at - 2 * DAY, days.at, PATIENCE) for metrics in both]
    assert recorded[0] == recorded[1]
    errors, latency = recorded[0].courses["errors"], recorded[0].courses["latency_p99"]
    assert list(errors.minutes) == [(900, int(failed)) for failed in bad.sum(axis=0)]
    assert errors.pods["v1-1"][7] == (300, int(bad[1, 7]))
    assert (latency.edge, latency.minutes[0]) == (500.0, (900, 6))
    found = preflight.found(ASKED, recorded[0])
    assert [report.has_passed for report in found.reports] == [True, True]
    assert [(report.replays, report.hours) for report in found.reports] == [(72, 24), (72, 24)]
    assert found.reports[0].past is not None
    assert found.reports[0].past.bursts.factor < 1.5
    assert found.past.per_second == 15.0
    assert found.warnings == ()


def test_bursts_and_a_pod_that_differs_are_found(tmp_path: Path) -> None:
    days = Days(minutes=1440)
    bad = np.random.default_rng(2).binomial(days.per_minute // 10, 0.004, (days.pods, days.minutes)) * 10
    bad[2] = np.random.default_rng(3).binomial(days.per_minute, 0.05, days.minutes)
    with days.fill(bad).read_by(tmp_path) as both:
        for metrics in both:
            found = run(metrics, replace(ASKED, gates=(ERRORS,)), DAY, days.at, PATIENCE)
            assert found.reports[0].past is not None
            assert found.reports[0].past.bursts.factor > 1.5
            assert any("pods differ by" in warning for warning in found.warnings)


ORDERS = MetricGate(
    "orders", "ratio", better=Better.HIGHER, allowed=Margin(0.002), tolerated=Margin(0.02),
    query='shop_orders_total{version="{{version}}"}', kind=Kind.COUNTS,
)  # fmt: skip
OUTGOING = MetricGate("outgoing_errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
VISITS = replace(ORDERS, metric="visits", per='shop_visits_total{version="{{version}}"}')
REVENUE = MetricGate(
    "revenue",
    "1",
    better=Better.HIGHER,
    allowed=Margin(0.05, relative=True),
    query='sum(revenue{version="{{version}}"})',
)
BROKEN = replace(REVENUE, metric="broken", query='sum(revenue{version="{{version}}"}')
CPU = MetricGate("cpu", "cores", allowed=Margin(0.1, relative=True))
PODS = MetricGate("memory", "bytes", allowed=Margin(0.1, relative=True))


def test_metrics_of_ones_own_and_what_pods_use_are_tried_too(tmp_path: Path) -> None:
    days, rng = Days(minutes=1440), np.random.default_rng(4)
    days.fill(calm(days))
    for pod in range(3):
        place = {"version": "v1", "pod": f"reviews-v1-5d8f9c7b6d-bcdf{'gh2'[pod]}"}
        days.counter(rng.binomial(300, 0.3, 1440), __name__="shop_orders_total", **place)
        days.counter(np.full(1440, 300), __name__="shop_visits_total", **place)
        days.gauge(rng.integers(95, 105, 1440), __name__="revenue", **place)
        container = {"namespace": "shop", "pod": place["pod"], "container": "app"}
        days.gauge(rng.integers(1000, 1020, 1440), __name__="container_memory_working_set_bytes", **container)
        cpu = "container_cpu_usage_seconds_total"
        days.counter(rng.integers(20, 25, 1440), __name__=cpu, id=f"/kubepods/{pod}", **container)
    gates = (ORDERS, VISITS, REVENUE, BROKEN, PODS, CPU)
    with days.read_by(tmp_path) as both:
        read = [metrics.past(a_target(), gates, days.at - DAY, days.at, PATIENCE) for metrics in both]
    assert read[0].courses == read[1].courses
    assert read[0].levels == read[1].levels
    reports = {report.gate.metric: report for report in preflight.found(replace(ASKED, gates=gates), read[1]).reports}
    assert (reports["visits"].replays, reports["visits"].alarms) == (72, ())
    visits = reports["visits"].past
    assert visits is not None
    assert visits.bad / visits.requests == pytest.approx(0.7, abs=0.01)
    assert reports["orders"].replays == 0  # no pod of the events is one that answers requests
    assert (reports["memory"].replays, reports["revenue"].replays) == (72, 45)
    assert reports["cpu"].level is not None
    assert reports["cpu"].level.mean == pytest.approx(22 / 60, abs=0.01)  # cores
    assert all(reports[name].level.has_passed for name in ("memory", "revenue"))  # type: ignore[union-attr]  # levels
    assert "refused the query" in reports["broken"].missing


def test_calls_to_others_and_counts_of_the_pods_own_requests_are_replayed_by_pod(tmp_path: Path) -> None:
    days, rng = Days(minutes=240), np.random.default_rng(5)
    days.fill(calm(days))
    for pod in range(3):
        orders = {"__name__": "shop_orders_total", "version": "v1"}
        days.counter(rng.binomial(300, 0.3, 240), pod=f"v1-{pod}", **orders)
        calling = {"source_workload": "reviews-v1", "source_workload_namespace": "shop"}
        place = {"destination_service": "ratings.shop.svc.cluster.local", "pod": f"v1-{pod}"}
        for job in ("sidecars", "once-more"):
            for code, counts in (("200", np.full(240, 297)), ("503", np.full(240, 3))):
                proxy = {"instance": f"v1-{pod}:{len(job)}", "job": job}
                days.counter(counts, **requests("v1", code, **calling, **place, **proxy))
    gates = (ORDERS, OUTGOING)
    with days.read_by(tmp_path) as both:
        read = [metrics.past(a_target(), gates, days.at - DAY, days.at, PATIENCE) for metrics in both]
    assert read[0].courses == read[1].courses
    assert read[1].courses["outgoing_errors"].minutes[-9] == (900, 9)
    reports = {report.gate.metric: report for report in preflight.found(replace(ASKED, gates=gates), read[1]).reports}
    assert {name: (report.replays, report.alarms) for name, report in reports.items()} == {
        "orders": (12, ()),
        "outgoing_errors": (12, ()),
    }
    known = reports["orders"].past
    assert known is not None
    assert known.requests == 3 * 300 * 240
    assert known.bad / known.requests == pytest.approx(0.7, abs=0.01)


def test_without_the_pods_account_there_is_no_replay(tmp_path: Path) -> None:
    days = Days(minutes=120)
    with days.fill(calm(days)).read_by(tmp_path, Reporter.SOURCE) as both:
        for metrics in both:
            found = run(metrics, replace(ASKED, gates=(ERRORS,)), DAY, days.at, PATIENCE)
            assert found.reports[0].replays == 0
            assert found.past.minutes == 120


def test_a_service_that_began_just_now_is_new_and_not_missing(tmp_path: Path) -> None:
    days = Days(minutes=120)
    with days.fill(calm(days)).read_by(tmp_path) as both:
        for metrics in both:
            began = days.at - timedelta(minutes=120)
            found = run(metrics, ASKED, DAY, began + timedelta(seconds=20), PATIENCE)
            assert [report.missing.split(" knows ")[0] for report in found.reports] == ["Prometheus", "Prometheus"]
            assert found.advice.startswith("The service is known for less than a minute")
            assert found.warnings == ()


def test_a_metric_without_series_is_named(tmp_path: Path) -> None:
    days = Days(minutes=120)
    stranger = replace(ASKED, target=a_target(host="nobody.shop.svc.cluster.local"))
    with days.fill(calm(days)).read_by(tmp_path) as both:
        for metrics in both:
            found = run(metrics, stranger, DAY, days.at, PATIENCE)
            assert "errors: Prometheus has no istio_requests_total of nobody.shop" in found.warnings[0]
            assert "latency_p99: Prometheus has no istio_request_duration" in found.warnings[1]
            assert found.advice == "No gate can be answered: Prometheus has none of their series."


def test_a_prometheus_that_is_down_is_said_and_not_waited_for() -> None:
    found = run(PrometheusMetrics("http://127.0.0.1:9"), ASKED, DAY, Days().at)
    assert "is unreachable" in found.past.trouble
    assert found.advice.startswith("The time before the release could not be read: Prometheus at http://127.0.0.1:9")


@pytest.mark.parametrize("reporter", list(Reporter))
def test_services_that_are_read_together_are_read_as_each_alone(
    tmp_path: Path, reporter: Reporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    days, ranges = Days(minutes=120), []
    days.fill(calm(days))
    ratings = {"destination_service": "ratings.shop.svc.cluster.local", "destination_workload": "ratings-v1"}
    for labels, values in list(days.series):
        # At another edge, so that each service has its own.
        edge = {"le": labels["le"].replace("500", "750")} if "le" in labels else {}
        days.series.append(({**labels, **ratings, **edge}, values // 2))
    asked = [(a_target(name), (ERRORS, P99)) for name in ("reviews", "ratings", "nobody")]
    once = Connection.ask_range

    def counted(self: Connection, query: str, *rest: Any) -> Sequence[Mapping[str, Any]]:
        ranges.append(query)
        return once(self, query, *rest)

    monkeypatch.setattr(Connection, "ask_range", counted)
    with days.read_by(tmp_path, reporter) as both:
        for metrics in both:
            alone = [metrics.past(*each, days.at - DAY, days.at, PATIENCE) for each in asked]
            ranges.clear()
            assert metrics.past_of_several(asked, days.at - DAY, days.at, PATIENCE) == alone
            # Requests and failures by each reporter, and durations where their reporter has them.
            assert len(ranges) == {"both": 5, "destination": 3, "source": 2}[reporter]
            assert reporter is Reporter.SOURCE or alone[1].courses["latency_p99"].edge == 750.0
