"""The adapter on the sandbox's evaluator and on a real Prometheus: the same samples, the same readings."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.metrics.queries import CLOSED, CONNECTIONS, UNDER_WAY, Reporter
from bot.ports import Subject
from bot.sandbox.prometheus.samples import STALE
from strategies.routing import Protocol, Route
from tests.builders import a_route, a_target
from tests.contract.metrics.service import HOST, Scraped, at, durations, look, requests

if TYPE_CHECKING:
    from tests.contract.prometheus.pair import Pair

CALLER = {"source_workload": "cart", "source_workload_namespace": "shop"}


def test_a_look_reads_both_versions(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair)
    scraped.add(requests("v1"), {0: 1000, 15: 1095}).add(requests("v2"), {0: 10, 15: 14})
    scraped.add(requests("v2", "503"), {15: 1}).add(requests("unknown", "503"), {0: 3, 15: 5})
    scraped.add(requests("v1", reporter="destination", instance="v1-1"), {0: 1000, 15: 1095})
    scraped.add(requests("v2", reporter="destination", instance="v2-1"), {0: 10, 15: 14})
    for edge, then, now in (("10", 4, 6), ("+Inf", 10, 14)):
        scraped.add(durations("v2", edge), {0: then, 15: now})
    scraped.store()
    for metrics in scraped.looking():
        reading = look(metrics, 0, 15)
        assert reading.trouble == ""
        assert (reading.baseline.requests, reading.baseline.errors) == (95, 0)
        assert (reading.candidate.requests, reading.candidate.errors) == (5, 1)
        assert reading.candidate.buckets == {10.0: 2, math.inf: 4}
        assert reading.unattributed == 2


def test_routes_of_connections_are_read_by_the_connections_that_were_opened(empty_pair: Pair) -> None:
    opened = {"__name__": "istio_tcp_connections_opened_total", "response_code": ""}
    scraped = Scraped(empty_pair).add(requests("v1") | opened, {0: 100, 15: 195}).add(requests("v2") | opened, {15: 5})
    # Requests of the same service are somebody else's release.
    scraped.add(requests("v1"), {0: 1000, 15: 1400}).add(requests("v2"), {0: 0, 15: 100})
    scraped.store()
    tcp = a_target(routes=(Route("shop", "reviews", Protocol.TCP, "#0"),))
    for metrics in scraped.looking():
        both = [Subject("reviews-1", tcp, at(0)), Subject("reviews-2", a_target(), at(0))]
        found = metrics.look(both, at(15))
        counted = [(each.baseline.requests, each.candidate.requests) for each in found.values()]
        assert counted == [(95, 5), (400, 100)]
        assert metrics._connection.sent <= 8


def test_without_connections_the_counter_that_is_missing_is_named(empty_pair: Pair) -> None:
    tcp = a_target(routes=(Route("shop", "reviews", Protocol.TCP, "#0"),))
    for metrics in Scraped(empty_pair).looking():
        trouble = look(metrics, 0, 15, tcp).trouble
        assert "no istio_tcp_connections_opened_total of" in trouble


def test_a_mirrored_look_reads_copies_apart_from_live_requests(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 1000, 15: 1100})
    scraped.add(requests("v1", reporter="destination", instance="v1-1"), {0: 1000, 15: 1098})
    scraped.add(requests("v2", reporter="destination", instance="v2-1"), {0: 10, 15: 19})
    scraped.add(requests("v2", "503", reporter="destination", instance="v2-1"), {15: 2})
    scraped.store()
    for metrics in scraped.looking():
        reading = look(metrics, 0, 15, is_mirrored=True)
        assert (reading.trouble, reading.share, reading.live) == ("", None, 0)
        assert (reading.baseline.requests, reading.candidate.requests, reading.candidate.errors) == (98, 11, 2)
    for metrics in scraped.looking(Reporter.SOURCE):
        assert "SLUICE_REPORTER=source" in look(metrics, 0, 15, is_mirrored=True).trouble


def timed(scraped: Scraped, version: str, reporter: str, counts: dict[int, tuple[int, int]]) -> None:
    """Durations as one side counts them: requests up to 10 ms, and all, by second."""
    labels = {"reporter": reporter, "instance": "gw-1" if reporter == "source" else f"{version}-1"}
    for edge, which in (("10", 0), ("+Inf", 1)):
        each: dict[float, float] = {second: counted[which] for second, counted in counts.items()}
        scraped.add(durations(version, edge) | labels, each)


def test_copies_beside_a_share_slow_nothing_down_that_callers_count(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 1000, 15: 1095, 30: 1190})
    scraped.add(requests("v2"), {0: 10, 15: 15, 30: 20})
    for version in ("v1", "v2"):
        scraped.add(requests(version, reporter="destination", instance=f"{version}-1"), {0: 10, 15: 100, 30: 190})
    timed(scraped, "v2", "source", {0: (10, 10), 15: (15, 15), 30: (20, 20)})
    timed(scraped, "v2", "destination", {0: (10, 20), 15: (15, 115), 30: (20, 210)})
    scraped.store()
    for metrics in scraped.looking():
        plain, copied, again = look(metrics, 0, 15), look(metrics, 15, 30, is_copied=True), look(metrics, 15, 30)
        assert plain.candidate.buckets == {10.0: 5, math.inf: 95}
        assert copied.candidate.buckets == {10.0: 5, math.inf: 5}, "and nothing of before the change"
        assert again.candidate.buckets == {10.0: 5, math.inf: 95}
        assert metrics._connection.sent <= 12
    for metrics in scraped.looking(Reporter.DESTINATION):
        assert "SLUICE_REPORTER=destination counts them" in look(metrics, 0, 15, is_copied=True).trouble


def test_a_stage_that_begins_to_mirror_counts_no_copy_of_before(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 1000, 15: 1100, 30: 1200})
    scraped.add(requests("v2", reporter="destination", instance="v2-1"), {0: 500, 15: 500, 30: 508})
    scraped.store()
    for metrics in scraped.looking():
        look(metrics, 0, 15)
        assert look(metrics, 15, 30, is_mirrored=True).candidate.requests == 8


def test_a_restart_in_the_middle_loses_no_request(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 100, 15: 150, 30: 190, 45: 260})
    scraped.store()
    for metrics, restarted in zip(scraped.looking(), scraped.looking(), strict=True):
        counts = [
            look(one, since, since + 15).baseline.requests
            for one, since in ((metrics, 0), (metrics, 15), (restarted, 30))
        ]
        assert counts == [50, 40, 70]


def test_a_reset_counts_from_zero(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 100, 15: 8})
    scraped.store()
    for metrics in scraped.looking():
        assert look(metrics, 0, 15).baseline.requests == 8


def test_a_vanished_target_is_stale_whether_it_left_a_mark_or_not(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 100, 5: 140})
    scraped.store()
    for metrics in scraped.looking():
        reading = look(metrics, 15, 30)
        assert reading.baseline.requests is None
        assert "stale: last scraped 25 s ago" in reading.trouble


def test_a_failed_scrape_loses_nothing_once_the_target_is_back(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 100, 15: 140, 30: STALE, 45: 240, 60: 250})
    scraped.add(requests("v1", instance="gw-2"), {second: 7 for second in range(0, 61, 15)})
    scraped.store()
    for metrics in scraped.looking():
        counts = [look(metrics, since, since + 15).baseline.requests for since in (0, 15, 30, 45)]
        assert counts == [40, 0, 100, 10]


def test_a_service_without_series_is_no_data(empty_pair: Pair) -> None:
    for metrics in Scraped(empty_pair).looking():
        assert "has no istio_requests_total" in look(metrics, 0, 15).trouble


def test_a_candidate_that_callers_never_reached_has_zero_requests(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair).add(requests("v1"), {0: 100, 15: 140})
    scraped.store()
    for metrics in scraped.looking():
        assert look(metrics, 0, 15).candidate.requests == 0
    for metrics in scraped.looking(Reporter.DESTINATION):
        assert look(metrics, 0, 15).candidate.requests is None


def test_a_thousand_services_are_read_at_once(empty_pair: Pair) -> None:
    hosts = [f"service-{n:04}.shop.svc.cluster.local" for n in range(1000)]
    scraped = Scraped(empty_pair)
    for n, host in enumerate(hosts):
        scraped.add(requests("v1", destination_service=host), {0: 10, 15: 10 + n})
    scraped.store()
    subjects = [Subject(host, a_target(host=host), at(0)) for host in hosts]
    for metrics in scraped.looking():
        readings = metrics.look(subjects, at(15))
        assert [readings[host].baseline.requests for host in hosts] == list(range(1000))


def test_a_version_is_idle_only_when_both_accounts_stood_still(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair)
    ticks = range(0, 121, 15)
    for reporter, instance in (("source", "gw-1"), ("destination", "v1-1")):
        place = {"reporter": reporter, "instance": instance} | CALLER
        scraped.add(requests("v1", **place), {second: min(100 + second, 130) for second in ticks})
        scraped.add(requests("v2", **place), {second: 100 + second for second in ticks})
    cluster = {"__name__": UNDER_WAY, "instance": "gw-1", "cluster_name": f"outbound|9080|v1|{HOST}"}
    scraped.add(cluster, {second: 2 if second < 60 else 0 for second in ticks})
    scraped.add(cluster | {"cluster_name": f"outbound|9080|v2|{HOST}"}, dict.fromkeys(ticks, 7))
    scraped.store()
    for metrics in scraped.looking():
        drained = metrics.is_idle(a_target(), "v1", timedelta(seconds=60), at(120), timedelta(seconds=60))
        assert drained[0]
        assert drained[1].endswith("No request was under way for 60 s.")
        busy = metrics.is_idle(a_target(), "v1", timedelta(seconds=60), at(120), timedelta(seconds=80))
        assert busy == (False, "v1 is still draining: 2 requests under way within the last 80 s.")
        called = metrics.is_idle(a_target(), "v2", timedelta(seconds=60), at(120))[1]
        assert called.endswith("Its callers: cart in shop (60 requests).")
        assert metrics.is_idle(a_target(), "v1", timedelta(seconds=60), at(120))[0]
        assert not metrics.is_idle(a_target(), "v1", timedelta(seconds=100), at(120))[0]
        assert "still called: 60 requests" in metrics.is_idle(a_target(), "v2", timedelta(seconds=60), at(120))[1]
        assert "no series is no proof" in metrics.is_idle(a_target(), "v3", timedelta(seconds=60), at(120))[1]
        assert not metrics.is_idle(a_target(), "v1", timedelta(seconds=60), at(170))[0]


def test_a_version_of_connections_is_idle_when_none_is_opened_and_none_is_left(empty_pair: Pair) -> None:
    scraped = Scraped(empty_pair)
    ticks = range(0, 121, 15)
    target = a_target(routes=(a_route(protocol=Protocol.TCP, name="#0"),))
    for reporter, instance in (("source", "gw-1"), ("destination", "v1-1")):
        for version, closed in (("v1", 30), ("v2", 29)):
            labels = requests(version, reporter=reporter, instance=instance) | CALLER
            scraped.add(labels | {"__name__": CONNECTIONS}, dict.fromkeys(ticks, 30))
            scraped.add(labels | {"__name__": CLOSED}, dict.fromkeys(ticks, closed))
    scraped.store()
    for metrics in scraped.looking():
        idle = metrics.is_idle(target, "v1", timedelta(seconds=60), at(120))
        assert idle[0]
        assert idle[1].startswith("No connection to v1 for 60 s: 2 counters")
        assert idle[1].endswith("None is open.")
        open_ = metrics.is_idle(target, "v2", timedelta(seconds=60), at(120))
        assert open_ == (False, "v2 still has 1 open connection.")
