"""Every PromQL query that the bot can send, by the function that writes it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot import templates
from bot.metrics import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOOK = timedelta(seconds=15)
WINDOW = timedelta(seconds=60)
REPORTERS = ("source", "destination")
OWN = """orders_total{service=~"{{service}}",version='{{version}}'} # since [{{look}}] ago"""
Workload = tuple[str, str]


def every_query(
    hosts: Sequence[str], workloads: Sequence[Workload], owners: Sequence[tuple[str, str]]
) -> Mapping[str, Sequence[str]]:
    """Asked of these services and workloads (namespace, name), and for owners' own series (service, version)."""
    own = [templates.filled(OWN, templates.values(*owner, "shop", LOOK)) for owner in owners]
    timers = dict(zip(hosts, [*REPORTERS, *REPORTERS], strict=False))
    counted = (queries.REQUESTS, queries.CONNECTIONS)
    return {
        "PROBE": [queries.PROBE],
        "answered": [queries.answered(hosts, reporter) for reporter in REPORTERS],
        "answered_by_pods": [queries.answered_by_pods(host) for host in hosts],
        "both_accounts": [queries.both_accounts(hosts)],
        "called": [queries.called(workload) for workload in workloads],
        "callers": [queries.callers(hosts, counter) for counter in counted],
        "calls": [queries.calls(workloads)],
        "calls_failed": [queries.calls_failed(workload) for workload in workloads],
        "connection_scrapes": [
            queries.connection_scrapes(hosts),
            f"{queries.scrapes_by_pod(hosts)} or {queries.connection_scrapes(hosts)}",
        ],
        "connections": [
            *(queries.connections(hosts, reporter) for reporter in (*REPORTERS, "")),
            f"{queries.requests(hosts, 'source')} or {queries.connections(hosts, 'source')}",
        ],
        "counters": [queries.counters(hosts, reporter, timers) for reporter in (*REPORTERS, "")],
        "durations": [queries.durations(hosts, reporter) for reporter in REPORTERS],
        "durations_at": [queries.durations_at(hosts, reporter, ["250.0", "+Inf"]) for reporter in REPORTERS],
        "durations_by": [queries.durations_by(timers)],
        "failed": [queries.failed(hosts, reporter) for reporter in REPORTERS],
        "labelled": [queries.labelled(own)],
        "reporters": [queries.reporters(host, queries.DURATIONS) for host in hosts],
        "requests": [queries.requests(hosts, reporter) for reporter in REPORTERS],
        "resources": [queries.resources(workloads)],
        "scrape_counts": [queries.scrape_counts(hosts, WINDOW, counter) for counter in counted],
        "scrapes": [queries.scrapes(hosts, counter) for counter in counted],
        "scrapes_by_pod": [queries.scrapes_by_pod(hosts)],
        "totals": [queries.totals(hosts, counter) for counter in (*counted, queries.CLOSED)],
        "under_way": [queries.under_way(host, "v1", WINDOW) for host in hosts],
    }
