import re

from bot.sandbox.cluster.istio_series import NOBODY, Exchange, IstioSeries, ServiceName, Workload

# The labels of Istio's standard metrics, from its documentation of them.
LABELS = {
    "reporter", "source_workload", "source_workload_namespace", "source_principal", "source_app",
    "source_version", "source_cluster", "source_canonical_service", "source_canonical_revision",
    "destination_workload", "destination_workload_namespace", "destination_principal", "destination_app",
    "destination_version", "destination_cluster", "destination_service", "destination_service_name",
    "destination_service_namespace", "destination_canonical_service", "destination_canonical_revision",
    "request_protocol", "response_code", "grpc_response_status", "response_flags",
    "connection_security_policy",
}  # fmt: skip
SERVICE = ServiceName("reviews.shop.svc.cluster.local", "reviews", "shop")
SHOPPERS = Workload.of_pod("shoppers", "shop", {"app": "shoppers"})
V2 = Workload.of_pod("reviews-v2", "shop", {"app": "reviews", "version": "v2"})


def lines(series: IstioSeries, name: str) -> list[str]:
    return [one for one in series.render().splitlines() if one.startswith(name)]


def labels(line: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', line))


def test_requests_carry_istios_labels_and_no_others() -> None:
    series = IstioSeries("destination")
    series.record(Exchange(SHOPPERS, V2, SERVICE, 200), 3)
    found = labels(lines(series, "istio_requests_total")[0])
    assert found.keys() == LABELS
    assert (found["destination_version"], found["connection_security_policy"]) == ("v2", "mutual_tls")


def test_buckets_grow_up_to_the_count() -> None:
    series = IstioSeries("source")
    for milliseconds in (0.5, 0.6, 30, 9_999_999):
        series.record(Exchange(SHOPPERS, V2, SERVICE, 200), milliseconds)
    found = lines(series, "istio_request_duration_milliseconds_bucket")
    counts = {labels(one)["le"]: int(one.rsplit(" ", 1)[1]) for one in found}
    assert [counts[edge] for edge in ("0.5", "1", "25", "50", "3600000", "+Inf")] == [1, 2, 2, 3, 3, 4]
    assert len(found) == 20


def test_the_sum_and_the_count_agree_with_what_was_recorded() -> None:
    series = IstioSeries("source")
    series.record(Exchange(SHOPPERS, V2, SERVICE, 200), 2.5)
    series.record(Exchange(SHOPPERS, V2, SERVICE, 200), 4.0)
    assert lines(series, "istio_request_duration_milliseconds_sum")[0].endswith(" 6.5")
    assert lines(series, "istio_request_duration_milliseconds_count")[0].endswith(" 2")


def test_a_request_that_reached_nobody_is_unknown_at_the_source() -> None:
    series = IstioSeries("source")
    series.record(Exchange(SHOPPERS, NOBODY, SERVICE, 503, "UF"), 1)
    found = labels(lines(series, "istio_requests_total")[0])
    assert (found["destination_version"], found["destination_workload"]) == ("unknown", "unknown")
    assert (found["response_flags"], found["destination_service_name"]) == ("UF", "reviews")


def test_a_pod_without_a_version_is_latest() -> None:
    assert Workload.of_pod("reviews-blue", "shop", {"app": "reviews", "color": "blue"}).version == "latest"


def test_label_values_are_escaped() -> None:
    series = IstioSeries("source")
    odd = ServiceName('a"b\\c', "n", "s")
    series.record(Exchange(SHOPPERS, NOBODY, odd, 404, "NR"), 1)
    assert 'destination_service="a\\"b\\\\c"' in series.render()
