"""One replica with a thousand active releases: start, looks, cost, and how fast a rollback still is."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiohttp import web

from strategies.gates import judge
from tests.bench import fleet
from tests.bench.figures import Figure, load, of_runs, percentile
from tests.bench.rig import CHANNEL, Rig, rig, running, served, until
from tests.builders import a_reading
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.process import Process

RUNS, CLICKS = 3, 200
WARM_SECONDS, WATCHED_SECONDS = 25.0, 60.0
SCRAPES = """
global: {scrape_interval: 5s, scrape_timeout: 5s}
scrape_configs:
- job_name: fleet
  honor_labels: true
  metrics_path: /metrics
  static_configs: [{targets: ['%s']}]
"""


def measured(folder: Path, count: int, gates: int) -> list[Figure]:
    """Every figure of a replica with this many active releases."""
    with rig(folder) as one:
        herd = fleet.members(count, gates)
        one.loop.run(fleet.plant(one, herd), 300)
        fleet.remember(one, herd)
        app = web.Application()
        app.router.add_get("/metrics", fleet.Page(herd).serve)
        url, stop = served(one.loop, app)
        try:
            with running_prometheus(folder, SCRAPES % url.removeprefix("http://")) as prometheus:
                return _with_bot(one, herd, prometheus, gates)
        finally:
            stop()


def _with_bot(one: Rig, herd: Sequence[fleet.Member], prometheus: str, gates: int) -> list[Figure]:
    named = f"{len(herd):,} active, {gates} metrics"
    bot = one.bot(prometheus, fleet.NAMESPACE, {})
    with running(bot) as (seconds, process):
        ready = Figure(f"start -> ready, {named}", seconds, "s", 3, f"CPU {process.cpu_seconds():.1f} s; {load()}")
        time.sleep(WARM_SECONDS)
        steady = _steady(one, process, named, cores=0.25 if gates <= 2 else 0.4)
        clicks = _clicks(one, herd, named) if gates <= 2 else []
        peak = Figure(f"memory at its highest, {named}", process.peak_megabytes(), "MB", None)
    return [ready, *steady, *clicks, peak]


def _steady(one: Rig, process: Process, named: str, cores: float) -> list[Figure]:
    """A minute in which nobody clicks."""
    began, spent = time.monotonic(), process.cpu_seconds()
    stored = _stored_late(one)
    elapsed = time.monotonic() - began
    used = (process.cpu_seconds() - spent) / elapsed
    calls = [call for call in one.recorder.since(began) if not call.is_watch]
    return [
        Figure(f"CPU, {named}, 10 s looks", used, "s/s", cores, f"over {elapsed:.0f} s; {load()}"),
        Figure(f"memory, {named}", process.megabytes(), "MB", 300),
        Figure(f"looks taken late, {named}", percentile(_taken_late(one), 0.99), "s", 1, "p99 of their own times"),
        Figure(
            f"looks stored after their tick, {named}", percentile(stored, 0.99), "s", None, f"{len(stored)}; {load()}"
        ),
        Figure(f"Kubernetes calls idle, {named}", len(calls), "calls", 0, f"in {elapsed:.0f} s, watches aside"),
    ]


def _taken_late(one: Rig) -> list[float]:
    """Seconds between a tick of the grid and the time that each look says it was taken at."""
    database = sqlite3.connect(f"file:{one.folder / 'sluice.db'}?mode=ro", uri=True)
    rows = database.execute("SELECT at FROM evidence").fetchall()
    database.close()
    moments = [datetime.fromisoformat(at).replace(tzinfo=UTC) for (at,) in rows]
    return [moment.timestamp() % fleet.LOOK.total_seconds() for moment in moments]


def _stored_late(one: Rig) -> list[float]:
    """Seconds between a tick of the grid and the moment at which each of its looks is stored."""
    database = sqlite3.connect(f"file:{one.folder / 'sluice.db'}?mode=ro", uri=True)
    found: list[float] = []
    ends, known = time.monotonic() + WATCHED_SECONDS, _count(database)
    while time.monotonic() < ends:
        stored = _count(database)
        since_tick = time.time() % fleet.LOOK.total_seconds()
        found.extend([since_tick] * (stored - known))
        known = stored
        time.sleep(0.05)
    database.close()
    return found


def _count(database: sqlite3.Connection) -> int:
    return int(database.execute("SELECT count(*) FROM evidence").fetchone()[0])


def _clicks(one: Rig, herd: Sequence[fleet.Member], named: str) -> list[Figure]:
    """Rollbacks by button, one after the other, each on a release of its own."""
    roots = _roots(one)
    puts: list[list[float]] = []
    acks: list[list[float]] = []
    per_run = min(CLICKS, len(herd) // RUNS)
    for run in range(RUNS):
        some = herd[run * per_run : (run + 1) * per_run]
        pairs = [_click(one, member.release.id, roots[member.release.id]) for member in some]
        puts.append([put for put, _ in pairs])
        acks.append([ack for _, ack in pairs])
    return [
        of_runs(f"rollback click -> PUT accepted, {named}", puts, "ms", 150),
        of_runs(f"Slack acknowledgement, {named}", acks, "ms", 300),
    ]


def _click(one: Rig, release: str, ts: str) -> tuple[float, float]:
    path = f"/virtualservices/{release.rpartition('-')[0]}"
    began = time.monotonic()
    outcome = one.loop.run(one.slack.click("bob", CHANNEL, ts, "release_roll_back"))
    if not outcome.acknowledged:
        raise RuntimeError(f"{release}: {outcome.error}")

    def accepted() -> list[float]:
        puts = one.recorder.since(began, "PUT")
        return [call.answered_at for call in puts if call.path.endswith(path) and call.status == 200]

    until(accepted, 30, f"the rollback of {release} is written", pause=0.005)
    return (accepted()[0] - began) * 1000, outcome.seconds * 1000


def _roots(one: Rig) -> dict[str, str]:
    """Where each release's root message stands now."""
    database = sqlite3.connect(f"file:{one.folder / 'sluice.db'}?mode=ro", uri=True)
    rows = database.execute("SELECT release, ts FROM messages WHERE kind = 'root'").fetchall()
    database.close()
    return dict(rows)


def judging(looks: int = 4_000) -> Figure:
    """The cost of judging one tick in its steady state, by process time."""
    gates = fleet.members(1, 4)[0].release.plan.stages[0].metric_gates
    memories = [""] * (looks // len(gates))
    at = datetime.now(UTC)
    spent = 0.0
    for turn in range(4):
        reading = a_reading(at + turn * fleet.LOOK)
        cases = [judge.Case(gates, 500, 0.05, 0, reading, memory, "v1", "v2") for memory in memories]
        before = time.process_time()
        judged = judge.evaluate(cases)
        spent = time.process_time() - before
        memories = [each.memory for each in judged]
    return Figure(f"judging {looks:,} metric looks", spent, "s", 1, "CPU of the fourth tick, with memory")
