"""Every query that the bot can send, over random series of proxies and containers: equal to 1e-9."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.prometheus.random_series import BASE, SECONDS, moments
from tests.contract.prometheus.random_telemetry import HOSTS, OWNERS, WORKLOADS
from tests.sent_queries import every_query

if TYPE_CHECKING:
    from tests.contract.prometheus.pair import Pair

SENT = every_query(HOSTS, WORKLOADS, OWNERS)
MINUTE = 60.0


@pytest.mark.parametrize("writer", SENT)
def test_a_query_that_the_bot_sends_equals_prometheus_at_every_moment(pair: Pair, seed: int, writer: str) -> None:
    for query in SENT[writer]:
        for at in moments(seed, 7):
            pair.assert_same_answer(query, at)


@pytest.mark.parametrize("writer", SENT)
def test_asked_minute_by_minute_both_give_the_same_points_and_some(pair: Pair, writer: str) -> None:
    for query in SENT[writer]:
        start, end = BASE - 10_000, BASE + (SECONDS + 330) * 1000
        pair.assert_same_range(query, start, end, MINUTE)
        _, real = pair.ask("query_range", query=query, start=f"{start / 1000}", end=f"{end / 1000}", step="60")
        assert real.json()["data"]["result"] != []
