"""One release on a living mesh: start, memory, calls per stage, and how soon a split or a fault is seen."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING

from bot.sandbox.cluster.client import VIRTUAL_SERVICES, KubernetesClient
from bot.sandbox.cluster.shop import shop_objects
from bot.sandbox.mesh.demo import DemoMesh
from bot.sandbox.prometheus import RealPrometheus, Target
from bot.sandbox.tour.splits import Splits
from storage.database import Database
from strategies.release import Phase, Release
from tests.bench.figures import Figure, load
from tests.bench.rig import CHANNEL, TOKEN, Rig, rig, running, until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.process import Process
    from tests.bench.recorder import Call

NAMESPACE = "shop"
STEPS = (5, 25, 50, 100)
IDLE_SECONDS = 20.0
PROFILE = {
    "service": "reviews",
    "namespace": NAMESPACE,
    "steps": list(STEPS),
    "hold": "5s",
    "look": "2s",
    "approve": "none",
    "metrics": {"errors": {"limit": "5%", "allowed": "+2pp"}, "latency_p95": {"allowed": "+300%"}},
    "min_requests": 10,
    "capacity": 0,
    "deadline": "10m",
    "soak": "0s",
}
ERRORS = 'sum(istio_requests_total{reporter="source",destination_version="v2",response_code=~"5.."})'


def measured(folder: Path) -> list[Figure]:
    """A good canary, then a failing one."""
    with rig(folder) as one:
        (folder / "mesh").mkdir()
        mesh = DemoMesh(one.kubernetes, TOKEN, namespace=NAMESPACE, folder=folder / "mesh")
        prometheus = RealPrometheus(lambda: [Target(t.job, t.url, dict(t.labels)) for t in mesh.scrape_targets()])
        splits = Splits(mesh, lambda _: None)
        one.loop.run(mesh.start())
        one.loop.run(prometheus.start())
        end = one.loop.spawn(splits.follow())
        try:
            with running(one.bot(prometheus.url, NAMESPACE, {"reviews": PROFILE})) as (seconds, process):
                ready = Figure(
                    "start -> ready, no release", seconds, "s", 3, f"CPU {process.cpu_seconds():.1f} s; {load()}"
                )
                found = [*_good(one, splits, process), *_failing(one, mesh, prometheus.url)]
                return [ready, *found]
        finally:
            end()
            one.loop.run(mesh.stop())
            one.loop.run(prometheus.stop())


def _good(one: Rig, splits: Splits, process: Process) -> list[Figure]:
    time.sleep(2)
    before = time.monotonic()
    time.sleep(IDLE_SECONDS)
    idle = [call for call in one.recorder.since(before) if not call.is_watch]
    began = time.monotonic()
    one.loop.run(one.slack.command("alice", "/release start reviews v2", CHANNEL))
    served, seen = [], []
    for share in STEPS:
        moved = _served_at(one, splits, share)
        confirmed = until(lambda: _is(one, Phase.OBSERVING, Phase.COMPLETED), 60, "the share is seen")
        put = one.recorder.since(began, "PUT")[-1]
        served.append(moved - put.answered_at)
        seen.append(confirmed - put.answered_at)
    until(lambda: _is(one, Phase.COMPLETED), 60, "the release is complete")
    time.sleep(3)
    calls = [call for call in one.recorder.since(began) if not call.is_watch]
    puts = [call for call in calls if call.method == "PUT"]
    return [
        Figure("Kubernetes calls idle, no release", len(idle), "calls", 0, f"in {IDLE_SECONDS:g} s, watches aside"),
        Figure("PUTs per stage", len(puts) / len(STEPS), "calls", 1, "one changed object per stage"),
        Figure("other calls of a whole canary", len(calls) - len(puts), "calls", 0, _named(calls)),
        Figure("PUT -> Envoy serves it", max(served), "s", None, "slowest of 4 stages; polled every 50 ms"),
        Figure("PUT -> share seen by the bot", max(seen), "s", None, f"slowest of 4 stages; looks every 2 s; {load()}"),
        Figure("memory, one release, after its charts", process.megabytes(), "MB", 220, "4 stages drawn"),
    ]


def _failing(one: Rig, mesh: DemoMesh, prometheus: str) -> list[Figure]:
    one.loop.run(_reset(one))
    one.loop.run(one.slack.command("alice", "/release start reviews v2 steps=50,100 hold=2m", CHANNEL))
    until(lambda: _is(one, Phase.OBSERVING) and _release(one).stage == 0, 60, "the first stage is seen")
    began, errors = time.monotonic(), _errors(prometheus)
    one.loop.run(mesh.set_knob("v2", error_rate=0.3))
    visible = until(lambda: _errors(prometheus) > errors, 30, "Prometheus has the errors")
    until(lambda: one.recorder.since(began, "PUT"), 60, "the rollback is written")
    put = one.recorder.since(began, "PUT")[0]
    return [
        Figure("fault set -> visible in Prometheus", visible - began, "s", None, "scraped every second"),
        Figure("fault visible -> rollback PUT", put.answered_at - visible, "s", None, f"looks every 2 s; {load()}"),
    ]


async def _reset(one: Rig) -> None:
    """Send everything back to v1, as before the first release."""
    original = next(body for resource, body in shop_objects(NAMESPACE) if resource is VIRTUAL_SERVICES)
    async with KubernetesClient(one.kubernetes, TOKEN) as client:
        present = await client.get(VIRTUAL_SERVICES, NAMESPACE, "reviews")
        present["spec"] = original["spec"]
        await client.replace(VIRTUAL_SERVICES, NAMESPACE, present)


def _served_at(one: Rig, splits: Splits, share: int) -> float:
    return until(lambda: one.loop.read(lambda: splits.asked.get("v2")) == share, 60, f"v2 gets {share} %")


def _is(one: Rig, *phases: Phase) -> bool:
    return _release(one).phase in phases


def _release(one: Rig) -> Release:
    database = Database(one.database)
    try:
        with database.reading() as tx:
            return tx.releases.recent(1)[0].release
    finally:
        database.close()


def _errors(prometheus: str) -> float:
    query = urllib.parse.urlencode({"query": ERRORS})
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?{query}", timeout=5) as answer:
        found = json.load(answer)["data"]["result"]
    return float(found[0]["value"][1]) if found else 0.0


def _named(calls: Sequence[Call]) -> str:
    shown = [f"{call.method} {call.path}" for call in calls if call.method != "PUT"]
    return ", ".join(dict.fromkeys(shown)) or "none"
