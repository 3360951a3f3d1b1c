"""What stands against a profile's own queries, told with the field before anything depends on them."""

from datetime import timedelta

import pytest

from bot.metrics import objections, queries
from bot.metrics.connection import RefusedError
from bot.ports import Objection
from strategies.plan import Kind, MetricGate
from tests.builders import NOW, a_target
from tests.unit.metrics.test_measures import Scripted

LOOK = timedelta(seconds=15)


class Prometheus(Scripted):
    """Knows some metrics, and refuses what is no PromQL."""

    def metrics(self) -> frozenset[str]:
        return frozenset({"istio_requests_total", "orders_total", "up"})

    def ask(self, query, at=None, timeout=None):  # type: ignore[no-untyped-def]
        if "sum sum" in query:
            raise RefusedError("refused", "2:5: parse error: unexpected <aggr:sum>")
        return super().ask(query, at, timeout)


def against(query: str, kind: Kind = Kind.COUNTS, per: str | None = None, rows: int = 0) -> list[Objection]:
    prometheus = Prometheus()
    if rows:
        prometheus.rows["total"] = [({"pod": str(n)}, 1.0) for n in range(rows)]
        prometheus._found = lambda query: prometheus.rows["total"]  # type: ignore[method-assign]
    gate = MetricGate("orders", "1", query=query, per=per, kind=kind)
    return objections.found(prometheus, a_target(), [MetricGate("errors", "ratio"), gate], LOOK, NOW)


@pytest.mark.parametrize(
    ("query", "said", "is_final"),
    [
        ('sum sum(x{v="{{version}}"})', "metrics.orders.query: Prometheus does not take it: 2:5: parse error", True),
        (
            'istio_request_total{v="{{version}}"}',
            "no metric istio_request_total; did you mean istio_requests_total?",
            True,
        ),
        ('shop_sales{v="{{version}}"}', "Prometheus has no metric shop_sales yet; its gate waits until it has.", False),
        ('orders_total{v="{{version}}"}', "gives no series for v1 now; its gate waits until it does.", False),
    ],
)
def test_a_query_is_told_with_its_field_and_the_nearest_metric(query: str, said: str, is_final: bool) -> None:
    [found] = against(query)
    assert said in found.text
    assert (found.text.startswith("metrics.orders.query: "), found.is_final) == (True, is_final)


def test_what_counts_are_out_of_is_asked_too() -> None:
    told = [each.text for each in against('orders_total{v="{{version}}"}', per='sum sum(x{v="{{version}}"})')]
    assert [text.split(":")[0] for text in told] == ["metrics.orders.query", "metrics.orders.per"]


def test_pods_that_two_jobs_scrape_would_count_twice() -> None:
    rows = [({"pod": "p", "job": job, "instance": job, queries.PART: "0"}, 1.0) for job in ("envoy", "pods")]
    prometheus = Prometheus()
    prometheus._found = lambda query: rows  # type: ignore[method-assign]
    gate = MetricGate("orders", "1", query='orders_total{v="{{version}}"}', kind=Kind.COUNTS)
    [found] = objections.found(prometheus, a_target(), [gate], LOOK, NOW)
    assert found.text.endswith('once for each of the jobs envoy and pods; name one, like job="envoy".')


def test_many_series_are_no_gauge_and_too_many_are_no_count() -> None:
    text = 'orders_total{v="{{version}}"}'
    assert "gives 3 series for v1; wrap it in sum(" in against(text, Kind.GAUGE, rows=3)[0].text
    assert "gives 201 series for v1; at most 200" in against(text, rows=201)[0].text
    assert against(text, rows=3) == against(text, Kind.GAUGE, rows=1) == []
