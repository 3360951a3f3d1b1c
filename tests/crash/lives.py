"""Tells a story with kills in it: forks a bot, serves it, forks the next one when it dies."""

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import Pipe
from pathlib import Path
from typing import TYPE_CHECKING

from storage.journal import Entry
from storage.messages import StoredMessage
from storage.outbox import Job
from strategies.release import Release
from tests.crash.bot import Home, Life, live
from tests.crash.points import Inherited, Point
from tests.crash.serving import Failed, Serving
from tests.crash.stories import Story
from tests.crash.world import RELEASE, START, SharedClock, World

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

Meanwhile = Callable[[World], None]
FAR = START + timedelta(days=1)
KINDS = ("root", *(f"stage:{n}" for n in range(6)))


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


def restarted_soon(world: World) -> None:
    """A second passes."""
    world.clock.set(world.clock.now() + timedelta(seconds=1))


def tell(story: Story, stage: Stage, kills: Sequence[Point], meanwhile: Meanwhile = restarted_soon) -> Ending:
    """The story with one bot after the other, each armed with the next kill; the last one finishes."""
    clock = SharedClock()
    world = story.world(clock)
    home = Home(stage.database, story.profiles(stage.folder / "profiles"), clock)
    left, deaths = list(kills), 0
    while _died(home, world, {f"life {deaths + 1}": left.pop(0) if left else None}):
        deaths += 1
        meanwhile(world)
    return _ending(stage.database, world, deaths)


def rehearse(story: Story, stage: Stage) -> None:
    """The story with a bot that is a thread of this process: what it makes once, every fork inherits made."""
    clock = SharedClock()
    world = story.world(clock)
    ours, theirs = Pipe()

    home = Home(stage.database, story.profiles(stage.folder / "profiles"), clock)

    def bot() -> None:
        with theirs, closing(Life(home, theirs, None)) as life:
            life.run()

    thread = threading.Thread(target=bot)
    thread.start()
    with ours:
        Serving(world, {ours: "rehearsal"}).until_all_are_gone()
    thread.join()


def tell_with_two(story: Story, stage: Stage, kill: Point | None) -> Ending:
    """The story with two replicas at once, the first of them armed; nobody is started again."""
    clock = SharedClock()
    world = story.world(clock, asks_anew=False)
    home = Home(stage.database, story.profiles(stage.folder / "profiles"), clock)
    deaths = _died(home, world, {"first": kill, "second": None})
    return _ending(stage.database, world, deaths)


def _died(home: Home, world: World, armed: Mapping[str, Point | None]) -> int:
    """Runs these bots to their ends; how many of them were killed."""
    bots: dict[Connection, str] = {}
    children = []
    for name, point in armed.items():
        ours, theirs = Pipe()
        child = os.fork()
        if child == 0:
            # An end of the line that somebody else holds open would hide a death.
            for other in (*bots, ours):
                other.close()
            live(home, theirs, point)
        theirs.close()
        bots[ours] = name
        children.append(child)
    try:
        Serving(world, bots).until_all_are_gone()
    except Failed:
        for child in children:
            os.kill(child, signal.SIGKILL)
        raise
    finally:
        for bot in bots:
            bot.close()
        ends = [os.waitpid(child, 0)[1] for child in children]
    killed = sum(os.WIFSIGNALED(end) and os.WTERMSIG(end) == signal.SIGKILL for end in ends)
    if any(os.WIFEXITED(end) and os.WEXITSTATUS(end) for end in ends):
        raise Failed(f"a bot ended by itself: {ends}")
    return killed


def _ending(address: str, world: World, deaths: int) -> Ending:
    with Inherited(address) as database, database.transaction() as tx:
        stored = tx.releases.get(RELEASE)
        if stored is None:
            raise Failed("the release was lost")
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
