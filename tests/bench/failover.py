"""Two replicas on PostgreSQL, and the one that looks is killed: how soon the other goes on."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
from aiohttp import web

from storage.database import Database
from storage.errors import Conflict
from strategies.plan import MetricGate
from strategies.release import Rules
from tests.bench import fleet
from tests.bench.figures import Figure, load
from tests.bench.many import SCRAPES
from tests.bench.rig import Rig, rig, served, until
from tests.parts.postgres import running_postgres
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.bot_child import BotChild

RUNS = 5
WARM_SECONDS = 45.0
DUE_AFTER = 1.5  # seconds behind the kill, about
GATE = MetricGate("errors", "ratio", limit=0.05)


@dataclass(frozen=True)
class Fall:
    """What one kill cost: seconds to the next look that is stored, and from a due hold to its write."""

    look: float
    stage: float


def measured(folder: Path, count: int) -> list[Figure]:
    """Several kills of whoever holds the lease."""
    with running_postgres() as server, rig(folder, server) as one, ExitStack() as stack:
        herd = [_going_on(each) if n < RUNS else each for n, each in enumerate(fleet.members(count, 2))]
        one.loop.run(fleet.plant(one, herd), 300)
        fleet.remember(one, herd)
        app = web.Application()
        app.router.add_get("/metrics", fleet.Page(herd).serve)
        url, stop = served(one.loop, app)
        stack.callback(stop)
        prometheus = stack.enter_context(running_prometheus(folder, SCRAPES % url.removeprefix("http://")))
        bots = [one.bot(prometheus, fleet.NAMESPACE, {}) for _ in range(2)]
        for bot in bots:
            bot.start()
            stack.callback(bot.stop)
            bot.ready(60)
        time.sleep(WARM_SECONDS)
        database = stack.enter_context(Database(server))
        falls = [_fall(one, database, bots, each) for each in herd[:RUNS]]
    said = f"{RUNS} kills, {count} active; {load()}"
    looks, stages = [fall.look for fall in falls], [fall.stage for fall in falls]
    return [
        Figure("replica killed -> next look stored", max(looks), "s", 15, f"the longest of {said}; 10 s looks"),
        Figure("replica killed -> a due stage moves", max(stages), "s", 15, f"from its due time, longest of {said}"),
    ]


def _going_on(member: fleet.Member) -> fleet.Member:
    """A release that needs nobody's yes for its next stage."""
    plan = member.release.plan
    first, *others = (replace(stage, gates=(GATE,), min_requests=10) for stage in plan.stages)
    plan = replace(plan, stages=(first, *others))
    return replace(member, release=replace(member.release, plan=plan, rules=Rules(look=fleet.LOOK)))


def _fall(one: Rig, database: Database, bots: list[BotChild], member: fleet.Member) -> Fall:
    name = member.release.target.service
    holder = _holder(one)
    _until_a_tick(one)
    due = datetime.now(UTC) + fleet.LOOK + timedelta(seconds=DUE_AFTER)
    _hold_until(database, member.release.id, due)
    # The worst moment: the lease has just been taken for another interval.
    time.sleep(fleet.LOOK.total_seconds() / 2)
    _until_a_tick(one)
    victim = next(bot for bot in bots if bot.pid == holder)
    known, began, killed_at = _newest(one), time.monotonic(), datetime.now(UTC)
    victim.kill()
    look = until(lambda: _newest(one) > known, 60, "the other replica looks", pause=0.02) - began

    def moved() -> list[float]:
        puts = one.recorder.since(began, "PUT")
        return [call.answered_at for call in puts if call.path.endswith(f"/{name}") and call.status == 200]

    until(moved, 60, f"{name} moves on")
    stage = moved()[0] - began - max(0.0, (due - killed_at).total_seconds())
    victim.start()
    victim.ready(60)
    time.sleep(fleet.LOOK.total_seconds())
    return Fall(look, stage)


def _hold_until(database: Database, id: str, due: datetime) -> None:
    while True:
        try:
            with database.transaction() as tx:
                stored = tx.releases.get(id)
                assert stored is not None
                tx.releases.save(replace(stored.release, hold_until=due, wake_at=due), stored.row_version)
                return
        except Conflict:
            time.sleep(0.05)


def _until_a_tick(one: Rig) -> None:
    known = _newest(one)
    until(lambda: _newest(one) > known, 30, "a look is stored", pause=0.02)
    time.sleep(0.5)


def _holder(one: Rig) -> int:
    """The process that has the lease of the looks."""
    return int(str(_asked(one, "SELECT holder FROM leases WHERE name LIKE 'looks:%' LIMIT 1")).split(":")[1])


def _newest(one: Rig) -> datetime:
    found = _asked(one, "SELECT max(at) FROM evidence")
    return found if isinstance(found, datetime) else datetime(1970, 1, 1, tzinfo=UTC)


def _asked(one: Rig, query: str) -> object:
    with psycopg.connect(one.database.replace("+psycopg", ""), autocommit=True) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row[0] if row else None
