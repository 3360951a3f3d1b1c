"""One life of the bot: wired like the real one, stepped by one thread so that its boundaries have numbers."""

import gc
import os
import traceback
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from bot import intents, preflight
from bot.desk import Desk
from bot.dispatch import Dispatch
from bot.drift import DriftWatch
from bot.duties import Duties, Messages
from bot.engine import Engine
from bot.errors import Transient
from bot.guarding import Guarding
from bot.looks import Looks
from bot.ports import Clock, Picture
from bot.profiles import Profiles
from bot.schedule import Schedule
from bot.slack import buttons, commands
from bot.slack.outgoing import SlackChat
from bot.smoke import SmokeTests
from bot.worker import Worker
from storage.database import Database
from storage.errors import StorageError
from strategies.effects import Lane
from strategies.gates import judge
from strategies.reasons import Refused
from strategies.release import Role
from tests.crash.alarms import Alarms
from tests.crash.doors import Audience, Line, MeshDoor, MetricsDoor, Web
from tests.crash.points import Point, Switch, Watched
from tests.crash.world import NAME, RELEASE, START, SharedClock
from tests.fakes import FakeSmoke, FakeStaging

# The bot imports its judge with the first look; here every fork inherits it instead.
assert judge.evaluate([]) == []
LONGEST = timedelta(hours=1)
MOST_STEPS = 2_000
PAUSE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Home:
    """What every life of one bot shares."""

    database: str
    profiles: Path
    clock: SharedClock


@dataclass(frozen=True, slots=True)
class Holders:
    """Nobody in particular holds a role."""

    def holders(self, role: Role) -> tuple[str, ...]:
        return (f"U0{role.upper()}",)


def _messages(database: Database, clock: Clock, line: Line) -> Messages:
    web: Any = Web(line)
    chat = SlackChat(web, Holders(), command="/release")
    return Messages(database, clock, chat, "test", lambda _: Picture(b"png", "drawn"), lambda _: {})


class Life:
    """One process of the bot, from its start to its end."""

    def __init__(self, home: Home, parent: Connection, armed: Point | None) -> None:
        self._clock = home.clock
        holder = f"bot:{os.getpid()}"
        switch = Switch(armed, lambda name: parent.send(("passed", name, (), {})))
        line = Line(parent, switch)
        self.database = Watched(home.database, switch)
        mesh, metrics, clock, profiles = MeshDoor(line), MetricsDoor(line), home.clock, Profiles(home.profiles)
        engine = Engine(self.database, clock)
        messages = _messages(self.database, clock, line)
        guarding = Guarding(
            mesh=mesh,
            metrics=metrics,
            staging=FakeStaging(),
            profiles=profiles,
            database=self.database,
            clock=clock,
        )
        duties = Duties(engine, clock, mesh, metrics, guarding.refusal)
        dispatch = Dispatch(duties, messages, SmokeTests(engine, clock, FakeSmoke()), engine)
        self._engine, self._line = engine, line
        self._worker = Worker(self.database, clock, holder, dispatch, dispatch.gave_up, {})
        self._alarms = Alarms(
            Schedule(engine, self.database, Looks(engine, metrics, mesh, clock), clock, holder), clock
        )
        self._drift = DriftWatch(engine, mesh, duties)
        self._desk = Desk(
            engine=engine,
            database=self.database,
            mesh=mesh,
            profiles=profiles,
            clock=clock,
            guarding=guarding,
            defaults=intents.Defaults("C1", timedelta(seconds=10)),
            cards=messages.card,
            previews=lambda *_: "",
            inspect=lambda *_: preflight.unread("no story here asks"),
        )
        self._audience = Audience(line)
        # As a lane's thread: woken by what is queued and by time, asleep while it finds nothing.
        self._awake = set(Lane)
        self._due: dict[Lane, datetime] = {}
        engine.on_queued(self._awake.update)
        engine.on_commit(self._alarms.schedule.follow)
        engine.on_commit(self._drift.follow)

    def run(self) -> None:
        """From start until nothing is left to do and nobody wants anything."""
        self._alarms.start()
        self._drift.follow(self._engine.active())
        # The first list of a watch tells of every object.
        self._drift.changed(NAME)
        steps = 0
        while True:
            steps += 1
            if steps > MOST_STEPS:
                raise AssertionError(f"turns in circles: {self._engine.active()}")
            if self._something():
                continue
            at = self._next()
            if at is None:
                return
            if at > START + LONGEST:
                raise AssertionError(f"no end in sight: {self._engine.active()}")
            self._rest(at)

    def close(self) -> None:
        """Let go of what it holds, as a process that ends in order."""
        self._alarms.schedule.stop()
        self.database.close()

    def _rest(self, at: datetime) -> None:
        self._line.rest(at)
        now = self._clock.now()
        self._awake.update(lane for lane, moment in self._due.items() if moment <= now)

    def _something(self) -> bool:
        try:
            return (
                self._served()
                or self._alarms.ring()
                or self._worked(Lane.ASK)
                or self._worked(Lane.ROUTE)
                or self._worked(Lane.METRICS)
                or self._worked(Lane.CHAT)
            )
        except StorageError:
            # A lane's thread waits and looks again.
            self._line.rest(self._clock.now() + PAUSE)
            self._awake.update(Lane)
            return True

    def _worked(self, lane: Lane) -> bool:
        if lane not in self._awake:
            return False
        busy = self._worker.step(lane)
        if not busy:
            self._awake.discard(lane)
        elif lane in {Lane.ASK, Lane.ROUTE}:
            self._drift.changed(NAME)
        return busy

    def _served(self) -> bool:
        wish = self._audience.wish()
        if wish is None:
            return False
        request = commands.parse(wish.command, self._clock.now(), UTC) if wish.command else buttons.parse(wish.click)
        if isinstance(request, Refused):
            raise AssertionError(f"not understood: {request.text}")
        try:
            self._desk.answer(request, wish.person, wish.key)
        except Transient:
            return True  # told to try again, and will
        self._audience.acknowledge(wish)
        return True

    def _next(self) -> datetime | None:
        """When something is due again; None when everything is done."""
        with self.database.reading() as tx:
            active = [id for id, _ in tx.releases.active_versions()]
            lanes = {job.lane for id in {RELEASE, *active} for job in tx.outbox.pending(id)}
            moments = {lane: tx.outbox.next_moment(lane) for lane in lanes}
        self._due = {lane: moment for lane, moment in moments.items() if moment is not None}
        if not self._due and not active:
            return None
        return min([*self._due.values(), *self._alarms.ahead()])


def live(home: Home, parent: Connection, armed: Point | None) -> None:
    """The whole of a forked process; it never returns."""
    code = 1
    gc.disable()  # no life here is long enough to pay for a collection
    try:
        life = Life(home, parent, armed)
        life.run()
        life.database.close()
        code = 0
    except BaseException:
        parent.send(("failed", traceback.format_exc(), (), {}))
    finally:
        os._exit(code)
