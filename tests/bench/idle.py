"""What releases cost that only wait: statements, queries and calls a minute; and how soon a ready pod is seen."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from sqlalchemy import create_engine, text

from bot.sandbox.cluster.client import KubernetesClient
from storage.database import Database
from strategies.release import Phase, Release
from strategies.terms import Need, Terms
from tests.bench import fleet
from tests.bench.figures import Figure, load, percentile
from tests.bench.many import SCRAPES
from tests.bench.rig import TOKEN, Rig, rig, running, served, until
from tests.parts import loopback
from tests.parts.postgres import running_postgres
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.process import Process
    from tests.integration.bot_child import BotChild

WAITS = ("preparing", "guarded", "scheduled", "awaiting_approval", "paused", "soaking", "stuck")
WARM_SECONDS, WATCHED_SECONDS = 90.0, 60.0
SEEN = 20
SWEPT_SECONDS = 8.0  # until another replica knows every release
WAITED = timedelta(hours=1)  # of those that have not begun
_ASKED = re.compile(r'prometheus_http_requests_total\{code="\d+",handler="/api/v1/query(?:_range)?"\} (\S+)')
_STATEMENT = re.compile(r"LOG:  (?:execute|statement)[^:]*: (?!BEGIN|COMMIT|ROLLBACK)")


def measured(folder: Path, count: int, waits: Sequence[str] = WAITS) -> list[Figure]:
    """The figures of each wait, each in a world of its own."""
    figures: list[Figure] = []
    for wait in waits:
        (folder / wait).mkdir()
        with running_postgres() as database, rig(folder / wait, database) as one:
            herd = [_waiting(member, wait) for member in fleet.members(count, 2)]
            one.loop.run(fleet.plant(one, herd, ("v1",) if wait == "preparing" else ("v1", "v2")), 300)
            fleet.remember(one, herd)
            figures += _with_prometheus(one, herd, wait)
    return figures


def _with_prometheus(one: Rig, herd: Sequence[fleet.Member], wait: str) -> list[Figure]:
    app = web.Application()
    app.router.add_get("/metrics", fleet.Page(herd).serve)
    url, stop = served(one.loop, app)
    try:
        with running_prometheus(one.folder, SCRAPES % url.removeprefix("http://")) as prometheus:
            bot = one.bot(prometheus, fleet.NAMESPACE, {})
            with running(bot) as (_, process):
                time.sleep(WARM_SECONDS)
                figures = _minute(one, process, prometheus, f"{len(herd):,} {wait}")
                return [*figures, *(_begun(one, herd, bot, prometheus) if wait == "preparing" else [])]
    finally:
        stop()


@dataclass(frozen=True)
class _Counts:
    """What was asked so far."""

    statements: int
    queries: int
    kubernetes: int
    slack: int
    cpu: float


def _counts(one: Rig, process: Process, prometheus: str, log: Path) -> _Counts:
    metrics = loopback.get(f"{prometheus}/metrics", timeout=5).text
    asked = _ASKED.findall(metrics)
    return _Counts(
        len(_STATEMENT.findall(log.read_text(errors="replace"))),
        round(sum(map(float, asked))),
        len([call for call in list(one.recorder.calls) if not call.is_watch]),
        one.slack.calls,
        process.cpu_seconds(),
    )


def _minute(one: Rig, process: Process, prometheus: str, named: str) -> list[Figure]:
    log = _logged(one.database)
    before = _counts(one, process, prometheus, log)
    time.sleep(WATCHED_SECONDS)
    after = _counts(one, process, prometheus, log)
    per = 60 / WATCHED_SECONDS
    return [
        Figure(f"statements a minute, {named}", (after.statements - before.statements) * per, "", None, load()),
        Figure(f"Prometheus queries a minute, {named}", (after.queries - before.queries) * per, ""),
        Figure(f"Kubernetes calls a minute, {named}", (after.kubernetes - before.kubernetes) * per, ""),
        Figure(f"Slack calls a minute, {named}", (after.slack - before.slack) * per, ""),
        Figure(f"CPU, {named}", (after.cpu - before.cpu) / WATCHED_SECONDS, "s/s"),
    ]


def _logged(url: str) -> Path:
    """From now on the database writes down every statement, in this file."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        folder = str(connection.execute(text("SHOW data_directory")).scalar_one())
        connection.execute(text("ALTER SYSTEM SET log_statement = 'all'"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    time.sleep(0.5)
    return Path(folder).parent / "postgres.log"


def _begun(one: Rig, herd: Sequence[fleet.Member], bot: BotChild, prometheus: str) -> list[Figure]:
    """How soon pods are seen: by the bot, by another replica when it is killed, and by a bot that begins anew."""
    parts = [herd[start : start + SEEN] for start in range(0, 3 * SEEN, SEEN)]
    figures = [_seen(one, parts[0], "by one bot")]
    other = one.bot(prometheus, fleet.NAMESPACE, {})
    with running(other):
        time.sleep(SWEPT_SECONDS)
        bot.kill()
        figures.append(_seen(one, parts[1], "by a second replica, the first is killed"))
    for member in parts[2]:
        one.loop.run(_pod(one, member))
    with running(other):
        began = time.monotonic()
        last = max(_begins(one, member) for member in parts[2])
        named = f"{SEEN} pods that became ready while nobody ran -> all begun"
        return [*figures, Figure(named, last - began, "s", None, "from the bot's readiness")]


def _seen(one: Rig, herd: Sequence[fleet.Member], by: str) -> Figure:
    """Seconds from a pod that becomes ready to the first split that is asked for, one release after the other."""
    taken = []
    for member in herd:
        one.loop.run(_pod(one, member))
        began = time.monotonic()
        taken.append(_begins(one, member) - began)
    note = f"the slowest of {len(taken)}, median {percentile(taken, 0.5):.2f}"
    return Figure(f"ready pod -> first split asked for, {by}", max(taken), "s", 2, note)


def _begins(one: Rig, member: fleet.Member) -> float:
    """The moment at which the release is not preparing any more."""
    with Database(one.database) as database:

        def has_begun() -> bool:
            with database.reading() as tx:
                stored = tx.releases.get(member.release.id)
            return stored is not None and stored.release.phase is not Phase.PREPARING

        return until(has_begun, 60, f"{member.release.id} begins", pause=0.01)


async def _pod(one: Rig, member: fleet.Member) -> None:
    async with KubernetesClient(one.kubernetes, TOKEN) as client:
        await fleet.add_pod(client, member.release.target.service, "v2")


def _waiting(member: fleet.Member, wait: str) -> fleet.Member:
    release, now = member.release, datetime.now(UTC)
    long = now + timedelta(hours=5)
    match wait:
        case "preparing" | "guarded":
            # As it was told an hour ago: a thousand cards that say something new would keep Slack busy for long.
            note = f"No Deployment in {fleet.NAMESPACE} gives its pods version=v2."
            return _before(release, Phase.PREPARING, wait, retry_at=now, wake_at=now, note=note)
        case "scheduled":
            return _before(release, Phase.SCHEDULED, wait, starts_at=long, wake_at=long)
        case "awaiting_approval":
            return _live(release, phase=Phase.AWAITING_APPROVAL, asked_at=now, hold_until=None)
        case "soaking":
            last = len(release.plan.stages) - 1
            return _live(release, phase=Phase.SOAKING, stage=last, written=last, soak_until=long, hold_until=None)
        case _:
            paused = Phase.STUCK if wait == "stuck" else Phase.PAUSED
            left = {"hold_until": None, "hold_left": timedelta(hours=1), "called_at": now}
            return _live(release, phase=paused, resume_to=Phase.OBSERVING, **left)


def _live(release: Release, **changes: object) -> fleet.Member:
    moved = replace(release, **changes)  # type: ignore[arg-type]
    return fleet.settled(fleet.Member(moved, fleet.route(moved.target.service)))


def _before(release: Release, phase: Phase, wait: str, **changes: object) -> fleet.Member:
    """A release whose first split was not asked for; a guarded one needs what nobody has."""
    needs = (Need("nothing", "v1"),) if wait == "guarded" else ()
    begun = {"stage": -1, "written": -1, "confirmed": frozenset(), "originals": {}, "hold_until": None}
    waits = {"phase": phase, "entered_at": release.entered_at - WAITED, "stage_began_at": None, "history": "{}"}
    rules = replace(release.rules, terms=Terms(needs=needs))
    moved = replace(release, rules=rules, **begun, **waits, **changes)  # type: ignore[arg-type]
    return fleet.Member(moved, fleet.route(release.target.service))
