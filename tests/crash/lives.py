"""Tells a story with kills in it: forks a bot, serves it, forks the next one when it dies."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import Pipe
from pathlib import Path

from storage.database import Database
from storage.journal import Entry
from storage.messages import StoredMessage
from storage.outbox import Job
from strategies.release import Release
from tests.crash.bot import Home, live
from tests.crash.points import Point
from tests.crash.stories import Story
from tests.crash.world import START, SharedClock, World

RELEASE = "reviews-1"
RESTART = timedelta(seconds=1)
FAR = START + timedelta(days=1)
KINDS = ("root", *(f"stage:{n}" for n in range(4)))


class LostError(AssertionError):
    """A bot that ended by itself where it must not have."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is left when nothing is left to do."""

    release: Release
    journal: tuple[Entry, ...]
    pending: tuple[Job, ...]
    failed: int
    others: int
    messages: dict[str, StoredMessage]
    world: World
    deaths: int


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a story is told: the address of an empty, migrated database and a folder of its own."""

    database: str
    folder: Path


def tell(story: Story, stage: Stage, kills: Sequence[Point], down_for: timedelta = RESTART) -> Ending:
    """The story with one bot after the other, each armed with the next kill; the last one finishes."""
    clock = SharedClock()
    world = story.world(clock)
    home = Home(stage.database, story.profiles(stage.folder / "profiles"), clock)
    left, deaths = list(kills), 0
    while _died(home, world, left.pop(0) if left else None):
        deaths += 1
        clock.set(clock.now() + down_for)
    return _ending(stage.database, world, deaths)


def _died(home: Home, world: World, armed: Point | None) -> bool:
    ours, theirs = Pipe()
    child = os.fork()
    if child == 0:
        ours.close()
        live(home, theirs, armed)
    theirs.close()
    with ours:
        failure = world.serve(ours)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if failure or status:
        raise LostError(f"the bot ended by itself: {failure or status}")
    return False


def _ending(address: str, world: World, deaths: int) -> Ending:
    with Database(address) as database, database.transaction() as tx:
        stored = tx.releases.get(RELEASE)
        if stored is None:
            raise LostError("the release was lost")
        found = {kind: tx.messages.get(RELEASE, kind) for kind in KINDS}
        return Ending(
            release=stored.release,
            journal=tuple(tx.journal.of(RELEASE)),
            pending=tuple(tx.outbox.pending(RELEASE)),
            failed=tx.outbox.prune(FAR),
            others=len(tx.releases.recent(10)) - 1,
            messages={kind: message for kind, message in found.items() if message is not None},
            world=world,
            deaths=deaths,
        )


@contextmanager
def sqlite_stage(template: Path) -> Iterator[Stage]:
    """A copy of a migrated file, in memory where the machine has a place for that: nobody pulls the plug here."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="sluice-crash-", dir=memory if memory.is_dir() else None))
    try:
        shutil.copy(template, folder / "sluice.db")
        yield Stage(f"sqlite:///{folder / 'sluice.db'}", folder)
    finally:
        shutil.rmtree(folder)


def migrated(folder: Path) -> Path:
    """A migrated file to copy."""
    file = folder / "template.db"
    with Database(f"sqlite:///{file}") as database:
        database.migrate()
    return file
