"""The days before a release, read from the sandbox's evaluator and from a real Prometheus."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bot import preflight
from bot.metrics.prometheus import PrometheusMetrics
from bot.metrics.queries import Reporter
from bot.preflight import DAY, Asked, run
from strategies.plan import Margin, MetricGate
from tests.builders import a_plan, a_target
from tests.contract.metrics.days import Days

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.usefixtures("real_prometheus"), pytest.mark.timeout(120)]
ERRORS = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
P99 = MetricGate("latency_p99", "ms", allowed=Margin(0.1, relative=True), tolerated=Margin(0.25, relative=True))
ASKED = Asked(a_target(), (ERRORS, P99), a_plan(), timedelta(minutes=30))
PATIENCE = 60.0


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


def test_without_the_pods_account_there_is_no_replay(tmp_path: Path) -> None:
    days = Days(minutes=120)
    with days.fill(calm(days)).read_by(tmp_path, Reporter.SOURCE) as both:
        for metrics in both:
            found = run(metrics, replace(ASKED, gates=(ERRORS,)), DAY, days.at, PATIENCE)
            assert found.reports[0].replays == 0
            assert found.past.minutes == 120


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
