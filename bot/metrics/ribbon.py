"""A difference drawn as a band that narrows, between the line of harm and the line of what is tolerated."""

import math
from collections.abc import Sequence

from matplotlib.axes import Axes

from bot.metrics.canvas import Label, bare, draw_labels, round_values, title_of
from bot.metrics.differences import Difference
from bot.metrics.palette import BAND, BOUND, CANDIDATE, GOOD, QUIET, colour_of

DASHES = (0, (4, 2.5))


def draw_difference(axes: Axes, panel: Difference, times: Sequence[float], *, title_pad: float) -> None:
    """The band, what was measured, both margins, and a dot where the band leaves one of them."""
    _frame(axes, panel, title_pad)
    bottom, top = axes.get_ylim()
    # One look is a moment: its band is drawn as wide as the panel.
    xs = list(times) if len(times) > 1 else list(axes.get_xlim())
    low, high = (
        [min(max(value, bottom), top) for value in edge] * (len(xs) // len(edge)) for edge in (panel.low, panel.high)
    )
    axes.fill_between(xs, low, high, color=BAND, lw=0, zorder=1)
    for edge in (panel.low, panel.high):
        shown = [value if bottom < value < top else math.nan for value in edge]
        axes.plot(times, shown, color=CANDIDATE, lw=1.0, zorder=3)
    axes.axhline(0, color=QUIET, lw=0.8, zorder=2)
    axes.axhline(panel.allowed, color=BOUND, lw=1.6, ls=DASHES, zorder=4)
    if panel.tolerated is not None:
        axes.axhline(panel.tolerated, color=GOOD, lw=1.6, ls=DASHES, zorder=4)
    axes.plot(times, panel.measured, color=CANDIDATE, lw=2.4, zorder=5, solid_capstyle="round", clip_on=True)
    for place, margin, colour in (
        (panel.left_allowed, panel.allowed, BOUND),
        (panel.left_tolerated, panel.tolerated, GOOD),
    ):
        if place is not None and margin is not None:
            axes.plot(times[place], margin, "o", ms=8, color=colour, mec="white", mew=1.2, zorder=6, clip_on=False)
    _labels(axes, panel)


def _frame(axes: Axes, panel: Difference, title_pad: float) -> None:
    title_of(axes, panel.title, title_pad)
    if panel.outcome is not None:
        axes.annotate(
            panel.outcome.value.upper(), (1.0, 1.0), (8, title_pad), xycoords="axes fraction",
            textcoords="offset points", ha="left", va="baseline", color=colour_of(panel.outcome), fontweight="bold",
            annotation_clip=False,
        )  # fmt: skip
    bare(axes)
    axes.set_ylim(*panel.limits)
    ticks = round_values(*panel.limits)
    axes.set_yticks(ticks, [_tick(panel, value) for value in ticks])


def _tick(panel: Difference, value: float) -> str:
    return panel.words(value).replace(".0 pp", " pp") if abs(value) > 1e-12 else "0"


def _labels(axes: Axes, panel: Difference) -> None:
    bottom, top = axes.get_ylim()

    def height(value: float) -> float:
        return min(max((value - bottom) / (top - bottom), 0.03), 1.0)

    wanted: list[Label] = [(height(panel.allowed), f"allowed {_short(panel, panel.allowed)}", BOUND, "normal")]
    if panel.tolerated is not None:
        wanted.append((height(panel.tolerated), f"tolerated {_short(panel, panel.tolerated)}", GOOD, "normal"))
    measured = panel.newest[2]
    if math.isfinite(measured):
        wanted.append((height(measured), panel.words(measured), CANDIDATE, "bold"))
    draw_labels(axes, wanted)


def _short(panel: Difference, value: float) -> str:
    return panel.words(value).replace(" pp", "")
