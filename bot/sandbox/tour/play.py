"""Plays the stories of a tour one after the other and reports."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.sandbox.supervisor import Supervisor
from bot.sandbox.tour import adoption, canary, counted, life, many_routes, names, strategies
from bot.sandbox.tour.report import StoryReport, TourReport
from bot.sandbox.tour.scene import BrokenError, Scene
from bot.sandbox.tour.told import StoryBegan, StoryEnded, Tell


@dataclass(frozen=True, slots=True)
class Story:
    """A script, and how its release must end, if it has one. Without `has_failures` no caller gets a failed answer."""

    name: str
    summary: str
    strategy: str
    script: Callable[[Scene], Awaitable[None]]
    end_phase: str | None
    has_failures: bool = False
    profile: Mapping[str, object] = field(default_factory=dict)


# Nobody likes to wait for a story: looks as often as metrics are read, and stages as short as evidence allows.
BRISK: Mapping[str, object] = {"look": "1s", "hold": "4s"}
TOURS: Mapping[str, Sequence[Story]] = {
    names.DEFAULT: (
        Story(canary.GOOD, canary.GOOD_SUMMARY, "canary", canary.good, "completed"),
        Story(canary.BAD, canary.BAD_SUMMARY, "canary", canary.failing, "rolled_back", has_failures=True),
    ),
    "phased": (Story("phased", strategies.PHASED_SUMMARY, "phased", strategies.phased, "completed"),),
    "blue-green": (
        Story(
            "blue-green", strategies.BLUE_GREEN_SUMMARY, "blue-green", strategies.blue_green, "rolled_back",
            profile=strategies.SOAKING,
        ),
    ),
    "shadow": (
        Story("shadow", strategies.SHADOW_SUMMARY, "shadow", strategies.shadow, "completed"),
        Story("shadow-failing", strategies.DARK_SUMMARY, "shadow", strategies.failing_shadow, "rolled_back"),
    ),
    "ab": (Story("ab", strategies.AB_SUMMARY, "ab", strategies.ab, "completed", profile=strategies.FEW),),
    "pipeline": (
        Story(
            "pipeline", strategies.PIPELINE_SUMMARY, "pipeline", strategies.pipeline, "completed",
            profile=strategies.PIPELINE,
        ),
    ),
    "routes": (
        Story(
            "routes", many_routes.SUMMARY, "canary", many_routes.many_routes, "rolled_back",
            profile=many_routes.PROFILE,
        ),
    ),
    "life": (Story("life", life.SUMMARY, "blue-green", life.life, "rolled_back", profile=life.PROFILE),),
    "adopt": (Story("adopt", adoption.SUMMARY, "none", adoption.adoption, None),),
}  # fmt: skip


def stories(name: str) -> Sequence[Story]:
    """The stories of a tour; of all tours for `all`."""
    return TOURS[name] if name != names.ALL else [story for told in TOURS.values() for story in told]


async def play(name: str, supervisor: Supervisor, tell: Tell, out: Path) -> TourReport:
    """Tell every story of a tour, each on a shop as new; the first one that breaks ends the tour."""
    tour = TourReport(stand_ins=supervisor.stand_ins())
    for story in stories(name):
        report = await _told(story, supervisor, tell, out)
        tour.stories.append(report)
        if report.broken:
            break
    tour.seconds = time.monotonic() - supervisor.times.began
    return tour


async def _told(story: Story, supervisor: Supervisor, tell: Tell, out: Path) -> StoryReport:
    report = StoryReport(story.name, story.strategy)
    tell(StoryBegan(story.name, story.summary))
    scene = Scene(supervisor, report, tell, out)
    await scene.shop.as_new({**BRISK, **story.profile})
    await scene.open()
    try:
        await story.script(scene)
    except BrokenError as broken:
        report.broken = str(broken)
    finally:
        await scene.close()
    if not report.broken:
        report.broken = _disagreement(story, scene)
    tell(StoryEnded(story.name, report.broken))
    return report


def _disagreement(story: Story, scene: Scene) -> str:
    """What the finished report says otherwise than the story promised."""
    report = scene.report
    if report.end_phase != story.end_phase:
        return f"it ended {report.end_phase}, not {story.end_phase}"
    if report.failed_requests and not story.has_failures:
        return f"{report.failed_requests} callers got a failed answer"
    try:
        counted.check_shares(scene)
    except BrokenError as broken:
        return str(broken)
    return ""
