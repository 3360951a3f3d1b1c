from typing import Any

from bot.sandbox.cluster.istio_series import Workload
from bot.sandbox.mesh.access_log import read_served
from bot.sandbox.mesh.proxy import Served
from bot.sandbox.mesh.source_telemetry import SourceTelemetry, percentile, version_of

SHOPPERS = Workload.of_pod("shoppers", "shop", {"app": "shoppers"})
LINE: dict[str, Any] = {
    "start": "1000.250000",
    "ms": 7,
    "code": 200,
    "flags": "-",
    "cluster": "outbound|9080|v2|reviews.shop.svc.cluster.local",
    "workload": "reviews-v2;shop;reviews;v2;Kubernetes",
    "upstream_ms": "6",
    "authority": "reviews:9080",
}


def heard(*lines: dict[str, Any]) -> SourceTelemetry:
    telemetry = SourceTelemetry(SHOPPERS, "reviews")
    for one in lines:
        telemetry.hear(read_served(LINE | one))
    return telemetry


def served(**line: Any) -> Served:
    return read_served(LINE | line)


def test_an_answered_request_counts_for_its_version() -> None:
    assert 'destination_version="v2"' in heard({}).render()
    assert version_of(served()) == "v2"


def test_a_pod_that_was_tried_but_did_not_answer_stays_unknown() -> None:
    text = heard({"code": 503, "flags": "UF", "upstream_ms": None}).render()
    assert 'destination_version="unknown"' in text and 'response_flags="UF"' in text


def test_without_a_cluster_the_host_asked_for_names_the_service() -> None:
    nowhere = {"code": 503, "flags": "NC", "cluster": None, "workload": None, "upstream_ms": None}
    text = heard(nowhere).render()
    assert 'destination_service="reviews.shop.svc.cluster.local"' in text
    assert 'destination_service_name="reviews"' in text


def test_a_caller_who_went_away_is_code_zero_and_a_failure() -> None:
    gone = served(code=0, flags="DC", upstream_ms=None)
    assert gone.failed
    assert 'response_code="0"' in heard({"code": 0, "flags": "DC", "upstream_ms": None}).render()


def test_seconds_tell_requests_errors_and_latency_by_version() -> None:
    telemetry = heard({}, {"ms": 9, "code": 500}, {"start": "1001.1"})
    first, second = telemetry.seconds(10, before=2000)
    assert first["versions"] == {"v2": {"requests": 2, "errors": 1, "p95_ms": 9.0}}
    assert second["at"] == 1001


def test_the_second_that_has_not_ended_is_left_out() -> None:
    assert heard({}).seconds(10, before=1000.9) == []


def test_other_services_are_in_the_metrics_but_not_in_the_seconds() -> None:
    telemetry = heard({"cluster": "outbound|9080||ratings.shop.svc.cluster.local"})
    assert telemetry.seconds(10, before=2000) == []
    assert 'destination_service_name="ratings"' in telemetry.render()


def test_a_version_without_a_label_goes_by_its_workload() -> None:
    assert version_of(served(workload="reviews-blue;shop;reviews;latest;Kubernetes")) == "reviews-blue"


def test_the_percentile_is_a_value_that_was_seen() -> None:
    assert percentile([], 0.95) is None
    assert percentile([5.0], 0.95) == 5.0
    assert percentile([float(one) for one in range(100)], 0.95) == 95.0


def test_memory_is_bounded_to_the_last_minutes() -> None:
    telemetry = heard(*({"start": f"{1000 + second}.0"} for second in range(400)))
    assert len(telemetry.seconds(1000, before=9999)) == 300


def test_what_came_in_by_the_gateway_is_told_as_the_gateways() -> None:
    telemetry = SourceTelemetry(SHOPPERS, "reviews")
    telemetry.hear(served(), source=Workload.of_pod("istio-ingressgateway", "istio-system", {}))
    assert 'source_workload="istio-ingressgateway"' in telemetry.render()
    assert "shoppers" not in telemetry.render()
