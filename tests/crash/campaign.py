"""Every point of a story, shared out to the machine's cores."""

import gc
import multiprocessing
import os
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from tests.crash.compare import differences
from tests.crash.lives import Ending, Stage, rehearse, tell
from tests.crash.points import COMMIT, Point, Way
from tests.crash.slack import POSTS
from tests.crash.stories import Story

FIRST = "life 1"
Ground = Callable[[], AbstractContextManager[Stage]]
Kills = tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one telling."""

    kills: Kills
    names: tuple[str, ...]
    trouble: tuple[str, ...]

    def __str__(self) -> str:
        what = ", then ".join(
            f"{name} (boundary {point.number}) {point.way}" for name, point in zip(self.names, self.kills, strict=False)
        )
        return f"{what}: " + "; ".join(self.trouble)


@dataclass(frozen=True, slots=True)
class Report:
    """All points of a story."""

    story: str
    verdicts: tuple[Verdict, ...]
    seconds: float

    def wrong(self) -> list[str]:
        return [str(verdict) for verdict in self.verdicts if verdict.trouble]

    def __str__(self) -> str:
        each = 1000 * self.seconds / len(self.verdicts)
        return f"{self.story}: {len(self.verdicts)} points in {self.seconds / 60:.1f} min, {each:.0f} ms each"


def once_each(calm: Ending) -> list[Kills]:
    """Each boundary of the undisturbed run, in each way."""
    return [(Point(number, way),) for number in range(1, len(calm.world.passed[FIRST]) + 1) for way in Way]


def twice(calm: Ending) -> list[Kills]:
    """Each boundary, and another one soon after the restart, before things are in order again."""
    chance = random.Random(len(calm.world.passed[FIRST]))
    ways = (Way.BEFORE, Way.AFTER)
    return [
        (Point(number, chance.choice(ways)), Point(chance.randint(1, 8), chance.choice(ways)))
        for number in range(1, len(calm.world.passed[FIRST]) + 1)
    ]


def campaign(story: Story, ground: Ground, choose: Callable[[Ending], Sequence[Kills]] = once_each) -> Report:
    """Tells the story once for each of the chosen kills and compares the ends."""
    began = time.monotonic()
    calm = _calm(story, ground)
    lanes, forking = min(os.cpu_count() or 1, 4), multiprocessing.get_context("fork")
    # Forked, the processes inherit what they judge against; it could not be sent.
    with ProcessPoolExecutor(lanes, forking, _begin, (story, ground, calm)) as pool:
        verdicts = tuple(pool.map(_judged, choose(calm)))
    return Report(story.name, verdicts, time.monotonic() - began)


def judged(story: Story, ground: Ground, calm: Ending, kills: Kills) -> Verdict:
    """One telling against the undisturbed one."""
    try:
        with ground() as stage:
            shaken = tell(story, stage, kills)
    except AssertionError as error:
        return Verdict(kills, (calm.world.passed[FIRST][kills[0].number - 1],), (str(error),))
    trouble = tuple(differences(calm, shaken, repeats(shaken, kills)))
    reached = _reached(shaken, kills)
    if shaken.deaths != sum(point.way is not Way.UNANSWERED for point, _ in reached):
        trouble = (*trouble, f"died {shaken.deaths} times")
    return Verdict(kills, tuple(passed[-1] for _, passed in reached), trouble)


def repeats(shaken: Ending, kills: Kills) -> int:
    """How many messages may stand there twice: one per kill between Slack's acceptance and the commit that says so."""
    return sum(_may_repeat(point, passed) for point, passed in _reached(shaken, kills))


def _may_repeat(point: Point, passed: Sequence[str]) -> bool:
    if passed[-1] in POSTS:
        return point.way is not Way.BEFORE
    return passed[-1] == COMMIT and point.way is Way.BEFORE and not POSTS.isdisjoint(passed[-2:-1])


def _reached(shaken: Ending, kills: Kills) -> list[tuple[Point, Sequence[str]]]:
    """The kills that happened, each with the boundaries up to it; a life may end well before its kill."""
    lives = ((point, shaken.world.passed.get(f"life {n + 1}", [])) for n, point in enumerate(kills))
    return [(point, passed[: point.number]) for point, passed in lives if len(passed) >= point.number]


def _calm(story: Story, ground: Ground) -> Ending:
    with ground() as stage:
        return tell(story, stage, ())


_at_hand: list[Callable[[Kills], Verdict]] = []


def _begin(story: Story, ground: Ground, calm: Ending) -> None:
    _at_hand[:] = [partial(judged, story, ground, calm)]
    with ground() as stage:
        rehearse(story, stage)
    # No collection walks through what is the same for every point.
    gc.collect()
    gc.freeze()


def _judged(kills: Kills) -> Verdict:
    return _at_hand[0](kills)
