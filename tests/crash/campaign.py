"""Every point of a story, shared out to the machine's cores."""

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.crash.compare import differences
from tests.crash.lives import Ending, sqlite_stage, tell
from tests.crash.points import COMMIT, Point, Way
from tests.crash.slack import POSTS
from tests.crash.stories import Story


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one point."""

    point: Point
    name: str
    trouble: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.point.number} {self.name} {self.point.way}: " + "; ".join(self.trouble)


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


def points(calm: Ending) -> list[Point]:
    """Each boundary of the undisturbed run, in each way."""
    return [Point(number, way) for number in range(1, len(calm.world.passed) + 1) for way in Way]


def campaign(story: Story, template: Path, chosen: Sequence[Point] | None = None) -> Report:
    """Tells the story once for each point (all when none are chosen) and compares the ends."""
    began = time.monotonic()
    with sqlite_stage(template) as stage:
        calm = tell(story, stage, [])
    todo = points(calm) if chosen is None else list(chosen)
    shares = [todo[n :: 4 * _lanes()] for n in range(4 * _lanes())]
    with ProcessPoolExecutor(_lanes(), multiprocessing.get_context("fork")) as lanes:
        found = lanes.map(partial(_share, story, template), shares)
        verdicts = tuple(verdict for share in found for verdict in share)
    return Report(story.name, verdicts, time.monotonic() - began)


def judged(story: Story, template: Path, calm: Ending, point: Point) -> Verdict:
    """One point."""
    name = calm.world.passed[point.number - 1]
    try:
        with sqlite_stage(template) as stage:
            shaken = tell(story, stage, [point])
    except AssertionError as error:
        return Verdict(point, name, (str(error),))
    trouble = tuple(differences(calm, shaken, repeats(calm.world.passed, point)))
    wanted = 0 if point.way is Way.UNANSWERED else 1
    if shaken.deaths != wanted:
        trouble = (*trouble, f"died {shaken.deaths} times")
    return Verdict(point, name, trouble)


def repeats(passed: Sequence[str], point: Point) -> int:
    """How many messages the point may double: one when Slack has it and no commit says so yet."""
    here = passed[point.number - 1]
    if here in POSTS:
        return 0 if point.way is Way.BEFORE else 1
    is_forgotten = here == COMMIT and point.way is Way.BEFORE and passed[point.number - 2] in POSTS
    return 1 if is_forgotten else 0


def _share(story: Story, template: Path, share: Sequence[Point]) -> list[Verdict]:
    return list(_judged_all(story, template, share))


def _judged_all(story: Story, template: Path, share: Sequence[Point]) -> Iterator[Verdict]:
    with sqlite_stage(template) as stage:
        calm = tell(story, stage, [])
    for point in share:
        yield judged(story, template, calm, point)


def _lanes() -> int:
    return min(os.cpu_count() or 1, 4)
