"""The PromQL that the bot sends, parsed by Prometheus' own grammar."""

import inspect
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import promql_parser as promql
import pytest
import re2

from bot.metrics import queries
from bot.metrics.queries import Reporter
from tests.sent_queries import every_query

HOSTS = ["reviews.shop.svc.cluster.local", "cart.shop.svc.cluster.local"]
NASTY = ['a.b+c|d(e)[f]{g}^h$i\\j"k\nl', "*.example.com"]


def sent(hosts: list[str]) -> list[str]:
    workloads = [("shop", host) for host in hosts]
    by_writer = every_query(hosts, workloads, [(host, "v1.2") for host in hosts])
    return [query for each in by_writer.values() for query in each]


def parts(node: Any) -> Iterator[str]:
    match node:
        case promql.AggregateExpr():
            yield f"{node.op} by"
            yield from parts(node.expr)
        case promql.Call():
            yield f"{node.func.name}()"
            for argument in node.args:
                yield from parts(argument)
        case promql.MatrixSelector():
            yield "range"
            yield from parts(node.vector_selector)
        case promql.VectorSelector():
            assert node.offset is None
            assert node.at is None
            yield "selector"
            yield from (str(matcher.op) for matcher in node.matchers.matchers)
        case promql.BinaryExpr():
            yield str(node.op)
            yield from (*parts(node.lhs), *parts(node.rhs))
        case promql.ParenExpr():
            yield from parts(node.expr)
        case promql.StringLiteral():
            yield "text"
        case promql.NumberLiteral():
            yield "number"
        case _:
            raise AssertionError(f"a part nobody listed: {node!r}")


def test_every_function_that_writes_a_query_is_listed() -> None:
    written = {name for name, each in vars(queries).items() if inspect.isfunction(each) and not name.startswith("_")}
    own = {name for name in written if getattr(queries, name).__module__ == queries.__name__}
    assert set(every_query(HOSTS, [("shop", "reviews-v1")], [("reviews", "v1")])) == own | {"PROBE"}


def test_the_bot_uses_this_subset_of_promql_and_no_more() -> None:
    used = {part for query in sent(HOSTS) for part in parts(promql.parse(query))}
    assert used == {
        "count by", "sum by", "max by", "min by", "timestamp()", "count_over_time()", "max_over_time()",
        "vector()", "label_replace()", "or",
        "selector", "range", "number", "text", "MatchOp.Equal", "MatchOp.NotEqual", "MatchOp.Re",
        "MatchOp.NotRe",
    }  # fmt: skip


@pytest.mark.parametrize("query", sent(NASTY))
def test_every_query_parses_whatever_a_host_is_called(query: str) -> None:
    assert promql.parse(query) is not None


@pytest.mark.parametrize("host", [*HOSTS, *NASTY])
def test_a_host_matches_itself_and_nothing_near_it(host: str) -> None:
    query: Any = promql.parse(queries.requests([host], "source"))
    selector = query.expr
    pattern = next(m.value for m in selector.matchers.matchers if m.name == "destination_service")
    assert re2.fullmatch(pattern, host)
    assert not re2.fullmatch(pattern, host.replace(".", "x", 1))
    assert not re2.fullmatch(pattern, host + "x")


def test_a_thousand_services_are_one_query() -> None:
    hosts = [f"service-{n:04}.shop.svc.cluster.local" for n in range(1000)]
    query = queries.durations(hosts, "destination")
    assert query.count("|") == 999
    assert query == queries.durations([*reversed(hosts), hosts[0]], "destination")


def test_a_window_is_asked_in_whole_milliseconds() -> None:
    assert "[1500ms]" in queries.scrape_counts(HOSTS, timedelta(seconds=1.5))


@pytest.mark.parametrize(
    ("reporter", "of_requests", "of_durations", "required"),
    [
        (Reporter.BOTH, "source", "destination", ("source", "destination")),
        (Reporter.SOURCE, "source", "source", ("source",)),
        (Reporter.DESTINATION, "destination", "destination", ("destination",)),
    ],
)
def test_each_setting_takes_each_figure_from_one_reporter(
    reporter: Reporter, of_requests: str, of_durations: str, required: tuple[str, ...]
) -> None:
    assert (reporter.of_requests, reporter.of_durations, reporter.required) == (of_requests, of_durations, required)


def test_a_thousand_owners_are_one_query_that_nests_ten_deep() -> None:
    texts = [f'orders_total{{version="v{n}"}} # of {n}' for n in range(1000)]
    query = queries.labelled(texts)

    def depth(node: Any) -> int:
        match node:
            case promql.ParenExpr():
                return depth(node.expr)
            case promql.BinaryExpr():
                return 1 + max(depth(node.lhs), depth(node.rhs))
            case _:
                return 0

    assert depth(promql.parse(query)) == 10
    assert query.count("label_replace(") == 1000
