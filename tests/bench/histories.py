"""A hundred releases that begin in one moment: how soon each has its baseline's day, and what that costs."""

from __future__ import annotations

import re
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from strategies.release import Phase, Release
from tests.bench import fleet
from tests.bench.figures import Figure, load
from tests.bench.rig import Rig, rig, running, until
from tests.parts import loopback
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

MINUTES, PODS, PER_MINUTE = 1440, 3, 300
EDGES = {"100": 0.9, "250": 0.97, "500": 0.995, "1000": 0.999, "+Inf": 1.0}
BEGIN_IN = timedelta(seconds=15)
_QUERIES = re.compile(r'prometheus_http_requests_total\{code="\d+",handler="/api/v1/query(?:_range)?"\} (\S+)')
_CPU = re.compile(r"^process_cpu_seconds_total (\S+)", re.MULTILINE)


def measured(folder: Path, count: int) -> list[Figure]:
    """From the moment at which all begin until the last history is stored."""
    end = int(time.time()) // 60 * 60
    with rig(folder) as one:
        herd = [_scheduled(member) for member in fleet.members(count, 2)]
        one.loop.run(fleet.plant(one, herd, ("v1",)), 300)
        past = "\n".join([*_past([member.release.target.service for member in herd], end), "# EOF\n"])
        with running_prometheus(folder, past=past) as prometheus:
            begin = datetime.now(UTC) + BEGIN_IN
            fleet.remember(one, [replace(each, release=_at(each, begin)) for each in herd])
            return _begun(one, prometheus, herd, begin)


def _begun(one: Rig, prometheus: str, herd: Sequence[fleet.Member], begin: datetime) -> list[Figure]:
    named = f"{len(herd)} starts at once"
    with running(one.bot(prometheus, fleet.NAMESPACE, {})) as (_, process):
        time.sleep(max(0.0, (begin - datetime.now(UTC)).total_seconds() - 1))
        began, (queries, cpu), own = time.monotonic() + 1, _spent(prometheus), process.cpu_seconds()
        first = until(lambda: _known(one) > 0, 600, "a first history is there", pause=0.1) - began
        last = until(lambda: _known(one) == len(herd), 1200, "every history is there", pause=0.1) - began
        asked, spent = _spent(prometheus)
        return [
            Figure(f"first history, {named}", first, "s"),
            Figure(f"last history, {named}", last, "s", None, load()),
            Figure(f"Prometheus queries, {named}", asked - queries, "", None, "histories, guards and all"),
            Figure(f"CPU of Prometheus, {named}", spent - cpu, "s"),
            Figure(f"CPU of the bot, {named}", process.cpu_seconds() - own, "s"),
            Figure(f"memory of the bot at its highest, {named}", process.peak_megabytes(), "MB", 300),
        ]


def _known(one: Rig) -> int:
    database = sqlite3.connect(f"file:{one.folder / 'sluice.db'}?mode=ro", uri=True)
    rows = database.execute("SELECT document FROM releases").fetchall()
    database.close()
    return sum('"history":"{' in document for (document,) in rows)


def _spent(prometheus: str) -> tuple[float, float]:
    page = loopback.get(f"{prometheus}/metrics", timeout=10).text
    cpu = _CPU.search(page)
    return sum(map(float, _QUERIES.findall(page))), float(cpu[1]) if cpu else 0.0


def _scheduled(member: fleet.Member) -> fleet.Member:
    release = member.release
    begun = {"stage": -1, "written": -1, "confirmed": frozenset(), "originals": {}, "hold_until": None}
    moved = replace(release, phase=Phase.SCHEDULED, stage_began_at=None, **begun)  # type: ignore[arg-type]
    return fleet.Member(moved, fleet.route(release.target.service))


def _at(member: fleet.Member, begin: datetime) -> Release:
    return replace(member.release, starts_at=begin, wake_at=begin)


def _past(services: Sequence[str], end: int) -> Iterator[str]:
    """A day of every service's counters, a scrape a minute, as OpenMetrics."""
    yield "# TYPE istio_requests_total unknown"
    for service in services:
        common = _common(service)
        for code, rate in (("200", PER_MINUTE - 1), ("503", 1)):
            answer = f'{common},response_code="{code}",response_flags="-",grpc_response_status=""'
            yield from _line(f'istio_requests_total{{{answer},reporter="source",instance="gw"}}', rate * PODS, end)
            for pod in range(PODS):
                place = f'reporter="destination",instance="{service}-{pod}"'
                yield from _line(f"istio_requests_total{{{answer},{place}}}", rate, end)
    name = "istio_request_duration_milliseconds_bucket"
    yield f"# TYPE {name} unknown"
    for service in services:
        for pod in range(PODS):
            for edge, share in EDGES.items():
                place = f'reporter="destination",instance="{service}-{pod}",le="{edge}"'
                yield from _line(f"{name}{{{_common(service)},{place}}}", PER_MINUTE * share, end)


def _common(service: str) -> str:
    host = f"{service}.{fleet.NAMESPACE}.svc.cluster.local"
    return f'destination_service="{host}",destination_version="v1",destination_workload="{service}-v1"'


def _line(series: str, rate: float, end: int) -> Iterator[str]:
    for minute in range(MINUTES + 1):
        # A bad minute now and then, so that there is something to learn.
        yield f"{series} {1000 + round(rate * minute) + minute // 7} {end - 60 * (MINUTES - minute)}"
