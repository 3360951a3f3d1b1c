"""Thousands of short releases in one process: what it keeps, and whether that grows."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiohttp import web

from bot.sandbox.cluster.client import VIRTUAL_SERVICES, ApiError, KubernetesClient
from bot.sandbox.slack.outcome import DriverError
from tests.bench import fleet, samples
from tests.bench.inspected import ANSWER
from tests.bench.living import NAMESPACE, Front, Living
from tests.bench.rig import CHANNEL, TOKEN, Rig, rig, running, served
from tests.parts.prometheus import running_prometheus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.figures import Figure
    from tests.bench.process import Process

SERVICES = 48
SAMPLES = 24
AWAY_EVERY = 100  # releases
PROGRAM = (sys.executable, "-m", "tests.bench.inspected", "run")
SCRAPES = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
- job_name: living
  honor_labels: true
  metrics_path: /metrics
  static_configs: [{targets: ['%s']}]
"""
PROFILE = {
    "namespace": NAMESPACE,
    "steps": [50, 100],
    "hold": "1s",
    "look": "1s",
    "approve": "none",
    "metrics": {"errors": {"limit": "5%", "allowed": "+2pp"}},
    "min_requests": 10,
    "capacity": 0,
    "deadline": "2m",
    "soak": "0s",
}
ACTS = ("good", "bad", "good", "click", "refused", "good", "drift", "bad", "pause", "good")
PATIENCE = 300.0  # seconds in which nothing ends


ASK_AGAIN = 5.0  # seconds behind a start of which nothing is seen
STUCK = 60.0
QUEUED = 100  # messages and pictures on their way: nobody begins more than the one thread of the chat can tell


@dataclass
class Turn:
    """What is played with one service now; `id` once its release is there."""

    act: str
    asked_at: float
    id: str = ""
    done: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Active:
    """A release as the database has it; `note` differs from one pause to the next."""

    id: str
    phase: str
    note: str


def measured(folder: Path, releases: int, minutes: float) -> list[Figure]:
    """The verdict after this many releases, or so long."""
    herd = [
        replace(each, route=fleet.route(each.release.target.service))
        for each in fleet.members(min(SERVICES, releases), 0)
    ]
    living = Living([each.release.target.service for each in herd])
    with rig(folder, before=living.wrap) as one, ExitStack() as stack:
        one.slack.rates.enabled = False
        one.loop.run(fleet.plant(one, herd), 120)
        app = web.Application()
        app.router.add_get("/metrics", living.serve)
        url, stop = served(one.loop, app)
        stack.callback(stop)
        front = Front(stack.enter_context(running_prometheus(folder, SCRAPES % url.removeprefix("http://"))))
        prometheus, stop = served(one.loop, front.application())
        stack.callback(stop)
        profiles = {name: {"service": name, **PROFILE} for name in living.services}
        bot = one.bot(prometheus, NAMESPACE, profiles, PROGRAM)
        bot.settings[ANSWER] = str(folder / "answers.jsonl")
        with running(bot) as (_, process):
            return samples.verdict(Play(one, living, front, process).until(releases, minutes))


class Play:
    """People, services and neighbours, all at once."""

    def __init__(self, one: Rig, living: Living, front: Front, process: Process) -> None:
        self._one, self._living, self._front, self._process = one, living, front, process
        self._database = sqlite3.connect(f"file:{one.folder / 'sluice.db'}?mode=ro", uri=True)
        self._turns: dict[str, Turn] = {}
        self._begun = self._absences = 0

    def until(self, releases: int, minutes: float) -> list[samples.Sample]:
        """A sample now and then, until so many releases have ended or the time is over."""
        found: list[samples.Sample] = []
        ended, heard = 0, time.monotonic()
        ends = heard + 60 * minutes
        while ended < releases and time.monotonic() < ends:
            active = self._active()
            for name in self._living.services:
                self._play(name, active.get(name), may_begin=self._queued() < QUEUED)
            now_ended = self._ended()
            if now_ended > ended:
                ended, heard = now_ended, time.monotonic()
            if time.monotonic() - heard > PATIENCE:
                raise TimeoutError(f"nothing ends any more: {active}")
            if ended >= (self._absences + 1) * AWAY_EVERY:
                self._somebody_leaves()
            if ended >= len(found) * releases / SAMPLES:
                found.append(samples.taken(self._process, self._one.folder, ended))
                print(found[-1], file=sys.stderr, flush=True)
            time.sleep(0.1)
        return found

    def _play(self, name: str, active: Active | None, *, may_begin: bool) -> None:
        turn = self._turns.get(name)
        if active is None:
            if may_begin and (turn is None or turn.id or time.monotonic() - turn.asked_at > ASK_AGAIN):
                self._begin(name)
            return
        assert turn is not None
        turn.id = active.id
        if turn.act in DEEDS and turn.act not in turn.done and active.phase == "observing":
            turn.done.add(turn.act)
            with suppress(DriverError, ApiError, TimeoutError):
                DEEDS[turn.act](self, name, active)
        if active.phase == "paused" and active.note not in turn.done:
            turn.done.add(active.note)
            self._say(f"/release {'drift' if turn.act == 'drift' else 'resume'} {active.id}{RESTORE[turn.act]}")
        elif active.phase in {"stuck", "awaiting_approval"} and time.monotonic() - turn.asked_at > STUCK:
            self._say(f"/release rollback {active.id} it does not go on")

    def _begin(self, name: str) -> None:
        act = ACTS[self._begun % len(ACTS)]
        self._begun += 1
        service = self._living.services[name]
        serving = max(service.shares, key=lambda version: service.shares[version])
        candidate = "v1" if serving == "v2" else "v2"
        service.bad = candidate if act == "bad" else ""
        self._turns[name] = Turn(act, time.monotonic())
        self._say(f"/release start {name} {candidate}")

    def _say(self, text: str, who: str = "alice") -> None:
        # Whoever is not answered asks again.
        with suppress(DriverError, TimeoutError):
            self._one.loop.run(self._one.slack.command(who, text, CHANNEL))

    def _click(self, name: str, active: Active) -> None:
        query = "SELECT ts FROM messages WHERE release = ? AND kind = 'root'"
        root = self._database.execute(query, (active.id,)).fetchone()
        if root is None:
            # Its message is still on the way: again with the next glance.
            self._turns[name].done.discard("click")
            return
        self._one.loop.run(self._one.slack.click("bob", CHANNEL, root[0], "release_roll_back"))

    def _refused(self, name: str, active: Active) -> None:
        self._say(f"/release start {name} v2")
        self._say(f"/release start nobody-{active.id} v9")
        self._say(f"/release approve {active.id}", "carol")
        self._say(f"/release statsu {active.id}")
        self._say(f"/release status {name}")
        self._say("/release list all")

    def _drift(self, name: str, active: Active) -> None:
        del active

        async def edit() -> None:
            async with KubernetesClient(self._one.kubernetes, TOKEN) as client:
                present = await client.get(VIRTUAL_SERVICES, NAMESPACE, name)
                for place in present["spec"]["http"][0]["route"]:
                    place["weight"] = 70 if place["destination"]["subset"] == "v1" else 30
                await client.replace(VIRTUAL_SERVICES, NAMESPACE, present)

        self._one.loop.run(edit())

    def _pause(self, name: str, active: Active) -> None:
        del name
        self._say(f"/release pause {active.id} lunch")

    def _somebody_leaves(self) -> None:
        who = self._absences % 3
        self._absences += 1
        if who == 0:
            self._one.loop.read(lambda: self._one.slack.refuse_connections_for(1.0))
        elif who == 1:
            self._one.loop.read(lambda: self._living.away.leave(1.5))
        else:
            self._one.loop.read(lambda: self._front.away.leave(3.0))

    def _active(self) -> dict[str, Active]:
        rows = self._database.execute("SELECT service, id, phase, revision FROM releases WHERE is_active")
        return {service: Active(id, phase, f"{phase}:{revision}") for service, id, phase, revision in rows}

    def _queued(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM outbox").fetchone()[0])

    def _ended(self) -> int:
        return int(self._database.execute("SELECT count(*) FROM releases WHERE NOT is_active").fetchone()[0])


DEEDS = {"click": Play._click, "refused": Play._refused, "drift": Play._drift, "pause": Play._pause}
RESTORE = defaultdict(str, drift=" restore")
