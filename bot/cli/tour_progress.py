"""A tour in the terminal: what happens while it happens, and the table at the end; all on stderr."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.sandbox.tour.told import (
    ClaimSeen,
    FaultSet,
    HeadlineChanged,
    PersonActed,
    Restored,
    SplitMoved,
    StoryBegan,
    StoryEnded,
    Told,
)

if TYPE_CHECKING:
    from bot.sandbox.route_memory import Asked
    from bot.sandbox.supervisor import Supervisor
    from bot.sandbox.tour.report import StageReport, StoryReport, TourReport

BAR = 24


class Progress:
    """Prints each step with the second at which it happened; a spinner shows that time passes."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._status = self._console.status("starting the sandbox", spinner="dots")
        self._began = time.monotonic()

    def starting(self) -> None:
        """The parts are coming up."""
        self._status.start()

    def ready(self, supervisor: "Supervisor") -> None:
        """All parts are up."""
        self._line("●", "green", f"sandbox up · stand-ins: {', '.join(supervisor.stand_ins())}")
        self._status.update("watching")

    def close(self) -> None:
        """Take the spinner away."""
        self._status.stop()

    def tell(self, told: Told) -> None:
        """One step of a story."""
        match told:
            case StoryBegan():
                self._console.print(Text(f"\n{told.name}", style="bold"), Text(told.summary, style="dim"))
            case PersonActed():
                self._line("›", "cyan", f"{told.user}: {told.what}")
            case SplitMoved():
                self._line("⇄", "magenta", _bar(told.asked))
            case HeadlineChanged():
                self._line("💬", "white", told.text)
            case ClaimSeen():
                self._line("=", "green", told.text)
            case FaultSet():
                self._line("!", "red", f"{told.version}: {told.what}")
            case Restored():
                self._line("←", "green", f"v2 gets nothing any more, {told.seconds:.1f} s after the {told.cause}")
            case StoryEnded():
                sign, style = ("✗", "red") if told.broken else ("✓", "green")
                self._line(sign, style, told.broken or "ended as told")
            case _:
                assert_never(told)

    def _line(self, sign: str, style: str, text: str) -> None:
        seconds = time.monotonic() - self._began
        self._console.print(Text(f"{seconds:5.1f}s ", style="dim") + Text(f"{sign} ", style=style) + Text(text))


def print_report(report: "TourReport", folder: Path, tail: str, console: Console | None = None) -> None:
    """The stages as the proxy counted them, the pictures, and the bot's last words when a story broke."""
    console = console or Console(stderr=True, highlight=False)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("story", "stage", "asked v2", "served v2", "requests", "gates", "approved by"):
        table.add_column(column, justify="right" if column in ("asked v2", "served v2", "requests") else "left")
    for story in report.stories:
        _rows(table, story)
    console.print()
    console.print(table)
    for story in report.stories:
        back = "" if story.fault_to_restored_s is None else f", back in {story.fault_to_restored_s:.1f} s"
        ended = story.broken or f"{story.end_phase}{back}, {story.failed_requests} failed requests"
        console.print(Text(f"{story.name}: {ended}", style="red" if story.broken else "green"))
    if tail:
        console.print(Text("The bot's last words:", style="bold"))
        console.print(Text(tail, style="dim"))
    pictures = sum(len(story.pictures) for story in report.stories)
    console.print(f"{pictures} pictures in {folder} · {report.seconds:.0f} s", soft_wrap=True)


def _rows(table: Table, story: "StoryReport") -> None:
    for stage in story.stages:
        table.add_row(
            story.name if stage.n == 1 else "",
            str(stage.n),
            _asked(stage),
            _served(stage),
            f"{sum(stage.requests.values()):,}",
            stage.verdict or "–",
            stage.approved_by or "–",
        )


def _asked(stage: "StageReport") -> str:
    if stage.mirror:
        return f"copies {stage.mirror:g} %"
    return f"{stage.asked['v2']} % + match" if stage.matches else f"{stage.asked['v2']} %"


def _served(stage: "StageReport") -> str:
    if not stage.share:
        return "–"
    if stage.mirror:
        return f"{stage.mirrored:,} copies"
    doors = (f" · {door} {numbers['v2'] / sum(numbers.values()):.1%}" for door, numbers in stage.doors.items())
    return f"{stage.share['v2']:.1%}{''.join(doors)}"


def _bar(asked: "Asked") -> str:
    weights = asked.weights
    filled = round(BAR * weights.get("v2", 0) / 100)
    bar = f"v1 {weights.get('v1', 0):>3} %  {'─' * (BAR - filled)}{'━' * filled}  v2 {weights.get('v2', 0):>3} %"
    copies = f"  copies to v2 {asked.mirror:g} %" if asked.mirror else ""
    return f"{bar}{copies}" + "".join(f"  [{match}]" for match in asked.matches)
