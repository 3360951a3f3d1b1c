"""Metrics of a profile: those that Sluice knows, and an owner's own."""

import pytest

from bot.profiles import WrongProfile, read
from strategies.plan import Better, Kind, Margin, MetricGate

ORDERS = """'shop_orders_total{version="{{version}}"}'"""


def gate(text: str) -> MetricGate:
    """The gate of one metric as it stands in a profile."""
    (found,) = read("reviews.yaml", f"service: reviews\nnamespace: shop\nmetrics: {{{text}}}\n").gates()
    return found


def refused(text: str) -> str:
    with pytest.raises(WrongProfile) as caught:
        gate(text)
    return caught.value.lines[0]


@pytest.mark.parametrize(
    ("text", "unit", "limit", "allowed"),
    [
        ("outgoing_errors: {limit: 1%, allowed: +0.1pp}", "ratio", 0.01, Margin(0.001)),
        ("cpu: {limit: 0.8 cores, allowed: +20%}", "cores", 0.8, Margin(0.2, relative=True)),
        ("cpu: {limit: 800m, allowed: +0.2 cores}", "cores", 0.8, Margin(0.2)),
        ("memory: {limit: 1GiB, allowed: +64MiB}", "bytes", 2.0**30, Margin(64 * 2.0**20)),
        ("latency_p95: {limit: 1.5s, allowed: +20ms}", "ms", 1500, Margin(20)),
    ],
)
def test_each_kind_has_bounds_in_its_own_units(text: str, unit: str, limit: float, allowed: Margin) -> None:
    found = gate(text)
    assert (found.unit, found.allowed) == (unit, allowed)
    assert found.limit == pytest.approx(limit)


def test_a_query_alone_is_a_gauge() -> None:
    found = gate(f"orders: {{query: {ORDERS}, better: higher, allowed: -2%}}")
    assert (found.measured, found.unit, found.better) == (Kind.GAUGE, "1", Better.HIGHER)
    assert found.allowed == Margin(0.02, relative=True)


@pytest.mark.parametrize("how", ["kind: counts", f"per: {ORDERS}"])
def test_counts_are_out_of_requests_or_of_what_per_says(how: str) -> None:
    found = gate(f"orders: {{query: {ORDERS}, {how}, better: higher, allowed: -2pp, tolerated: -5pp, limit: 10%}}")
    assert (found.measured, found.unit, found.limit) == (Kind.COUNTS, "ratio", 0.1)
    assert (found.allowed, found.tolerated) == (Margin(0.02), Margin(0.05))


def test_a_gauge_may_have_a_unit_of_its_own() -> None:
    found = gate(f"revenue: {{query: {ORDERS}, better: higher, unit: EUR, limit: 100EUR, allowed: -5 EUR}}")
    assert (found.unit, found.limit, found.allowed) == ("EUR", 100, Margin(5))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "cpu: {allowed: 0.2}",
            "metrics.cpu.allowed: '0.2' has no unit or is no number; write it like +20%",
        ),
        ("cpu: {limit: 2}", "metrics.cpu.limit: '2' has no unit or is no number; write it like 0.8 cores or 800m"),
        (
            "memory: {allowed: +64ms}",
            "metrics.memory.allowed: '+64ms' has the wrong unit; a margin here",
        ),
        ("errors: {allowed: -0.1pp}", "metrics.errors.allowed: '-0.1pp' needs a + sign"),
        (
            "errors: {allowed: +1pp, tolerated: +0.5pp}",
            "metrics.errors.tolerated: '+0.5pp' is less than what is",
        ),
        ("errors: {limit: 1%, query: up}", "metrics.errors.query: errors is measured by Sluice"),
        ("cpu: {limit: 1 core, better: higher}", "metrics.cpu.better: cpu is measured by Sluice"),
        ("orders: {allowed: -2%}", "metrics.orders is not a metric; known are errors, outgoing_errors, cpu, memory"),
        ("errors: {allow: +1pp}", "metrics.errors.allow is not a key of this version; did you mean allowed?"),
        (f"Orders: {{query: {ORDERS}, allowed: +2%}}", "metrics.Orders: a metric's name is written in small letters"),
        (f"orders: {{query: {ORDERS}}}", "metrics.orders: needs limit, allowed, or both"),
        (f"orders: {{query: {ORDERS}, better: higher, allowed: +2%}}", "'+2%' needs a - sign: it says how much worse"),
        (f"orders: {{query: {ORDERS}, better: higher, allowed: -100%}}", "'-100%' allows everything to be lost"),
        (f"orders: {{query: {ORDERS}, limit: 5}}", "'5' has no unit or is no number; write it like 100EUR, with unit:"),
        (
            f"orders: {{query: {ORDERS}, kind: gauge, per: {ORDERS}, allowed: +2%}}",
            "orders.per: a gauge is one number",
        ),
        (f"orders: {{query: {ORDERS}, kind: counts, unit: EUR, allowed: +2%}}", "metrics.orders.unit: counts are told"),
        (f"orders: {{query: {ORDERS}, unit: 5 EUR, allowed: +2%}}", "metrics.orders.unit: '5 EUR' is not a word"),
        (
            """orders: {query: 'rate(x{v="{{version}}"}[1m])', kind: counts, allowed: +2%}""",
            "has rate(…); counts want",
        ),
        ("orders: {query: up, allowed: +2%}", "metrics.orders.query: names no {{version}}, so both versions"),
        (f"orders: {{query: {ORDERS}, per: up, allowed: +2pp}}", "metrics.orders.per: names no {{version}}"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_field(text: str, said: str) -> None:
    assert said in refused(text)
