"""Panels drawn one under the other."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bot.metrics.curves import Curve, Panel, StageSpan
from bot.metrics.lettering import fitted, size_for
from bot.metrics.palette import BASELINE, BOUND, CANDIDATE, INK, QUIET, RULE, STRIPE

MOST_TICKS = 4
SHORT = 180  # seconds; longer recordings are counted in minutes
DOTS_UP_TO = 40  # looks; more of them are a line alone
LABEL_GAP = 0.205  # inches between two direct labels
LABEL_STARTS, EDGE = 8 / 72, 0.06  # inches right of the panel, and left free at the picture's edge
BELOW_TOP = 0.45  # of the gap: a label at the panel's top does not touch its outcome

Label = tuple[float, str, str, str]
"""A direct label: its height as a share of the panel's, what it says, its colour and its weight."""


def draw_panel(axes: Axes, panel: Panel, times: Sequence[float], breaks: Sequence[int], *, title_pad: float) -> None:
    """The curves of both versions, the bound, and a label beside each newest value."""
    _frame(axes, panel, title_pad)
    _line(
        axes,
        panel.bound,
        times,
        (),
        {"color": BOUND if panel.baseline else INK, "lw": 1.4, "ls": (0, (4, 2.5)), "zorder": 3},
    )
    width = 1.0 if len(times) <= DOTS_UP_TO else 0.8
    if panel.baseline is not None:
        _line(axes, panel.baseline, times, breaks, {"color": BASELINE, "lw": 2.0 * width})
    _line(axes, panel.candidate, times, breaks, {"color": CANDIDATE, "lw": 2.4 * width, "zorder": 4})
    if panel.candidate.last is None and (panel.baseline is None or panel.baseline.last is None):
        axes.text(0.5, 0.45, "no data", transform=axes.transAxes, ha="center", va="center", color=QUIET, style="italic")
        axes.set_yticks([])
        return
    _labels(axes, panel)


def draw_stages(axes: Axes, spans: Sequence[StageSpan], *, is_named: bool) -> None:
    """Stripes behind the curves; the topmost panel carries the asked shares."""
    low, high = axes.get_xlim()
    for place, span in enumerate(spans):
        start = low if place == 0 else span.start
        end = high if place == len(spans) - 1 else span.end
        if place % 2 == 0:
            axes.axvspan(start, end, color=STRIPE, lw=0, zorder=0)
        if is_named and (end - start) > 0.07 * (high - low):
            middle = ((start + end) / 2, 1.0)
            axes.annotate(
                span.name, middle, (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                ha="center", va="bottom", color=QUIET, fontsize="small",
            )  # fmt: skip


def time_axis(axes: Axes, times: Sequence[float], start: datetime | None) -> None:
    """A few times under the lowest panel: the clock's, or seconds and minutes where there is no clock."""
    span = times[-1] - times[0]
    if start is None:
        unit, name = (1.0, "s") if times[-1] < SHORT else (60.0, "min")
        ticks = [unit * tick for tick in round_values(times[0] / unit, max(times[-1] / unit, times[0] / unit + 1e-9))]
        names = [f"{tick / unit:g}" for tick in ticks]
        names[-1:] = [f"{names[-1]} {name}"] if names else []
    else:
        ticks = [times[0]] if span == 0 else [times[0] + span * part / 3 for part in range(4)]
        form = "%H:%M:%S" if span < 300 else "%H:%M"
        names = [f"{start + timedelta(seconds=tick):{form}}" for tick in ticks]
        names[-1] += " UTC"
    axes.set_xticks(ticks, names)
    axes.tick_params(axis="x", length=3, width=0.8, color=QUIET, labelcolor=QUIET, pad=5)


def bare(axes: Axes) -> None:
    """A frame of one line below and quiet rules across, behind what is drawn."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(axis="y", length=0, labelcolor=QUIET, pad=4)
    axes.set_xticks([])  # the lowest panel has its own; looking for some is a tenth of the whole picture
    axes.grid(axis="y", color=RULE, lw=0.8)
    axes.set_axisbelow(True)


def title_of(axes: Axes, text: str, pad: float) -> None:
    """What the panel shows, no wider than the panel: beside it stand its outcome and its labels."""
    usual, (width, _) = float(mpl.rcParams["font.size"]), _inches(axes)
    size = size_for(text, usual, usual - 1.5, width, "bold")
    title = fitted(text, size, width, "bold")
    axes.set_title(title, loc="left", color=INK, fontweight="bold", fontsize=size, pad=pad, y=1.0)


def _frame(axes: Axes, panel: Panel, title_pad: float) -> None:
    title_of(axes, panel.title, title_pad)
    bare(axes)
    top = _top(panel)
    axes.set_ylim(0, top)
    ticks = round_values(0, top)
    axes.set_yticks(ticks, [_tick(panel, value) for value in ticks])


def round_values(bottom: float, top: float) -> list[float]:
    """A few round values between both ends; matplotlib's own search for them takes a tenth of the whole picture."""
    magnitude = 10.0 ** math.floor(math.log10(top - bottom))
    for step in (magnitude / 5, magnitude / 2, magnitude, 2 * magnitude, 5 * magnitude):
        first, last = math.ceil(bottom / step - 1e-9), math.floor(top / step + 1e-9)
        if last - first < MOST_TICKS:
            break
    return [step * place for place in range(first, last + 1)]


def _tick(panel: Panel, value: float) -> str:
    return panel.words(value).replace(".0 %", " %") if value > 0 else "0"


def _top(panel: Panel) -> float:
    arms = [curve for curve in (panel.candidate, panel.baseline, panel.bound) if curve is not None]
    known = [value for curve in arms for value in curve.values if not math.isnan(value)]
    return max([panel.least_top, *(value * 1.15 for value in known)])


def _line(axes: Axes, curve: Curve, times: Sequence[float], breaks: Sequence[int], look: dict[str, Any]) -> None:
    xs, ys = list(times), list(curve.values)
    if len(xs) == 1 and "ls" in look and not math.isnan(ys[0]):
        axes.axhline(ys[0], **look)  # a bound of one look is still a line
        return
    for place in reversed(breaks):
        xs.insert(place + 1, math.nan)
        ys.insert(place + 1, math.nan)
    has_dots = len(times) <= DOTS_UP_TO and "ls" not in look
    dots: dict[str, Any] = {"marker": "o", "ms": 5, "mec": "white", "mew": 0.8} if has_dots else {}
    style: dict[str, Any] = {"drawstyle": "steps-mid"} if curve.name == "asked" else {}
    axes.plot(xs, ys, solid_capstyle="round", solid_joinstyle="round", clip_on=False, **look, **dots, **style)
    for place in _lonely(ys) if not has_dots and "ls" not in look else ():
        axes.plot(xs[place], ys[place], ".", color=look["color"], ms=5)


def _lonely(values: Sequence[float]) -> list[int]:
    """Measurements without a neighbour, which a line alone would not show."""
    padded = [math.nan, *values, math.nan]
    return [
        place
        for place, value in enumerate(values)
        if not math.isnan(value) and math.isnan(padded[place]) and math.isnan(padded[place + 2])
    ]


def _labels(axes: Axes, panel: Panel) -> None:
    top = axes.get_ylim()[1]
    curves = [(panel.candidate, CANDIDATE, "bold"), (panel.bound, BOUND if panel.baseline else INK, "normal")]
    if panel.baseline is not None:
        curves.append((panel.baseline, BASELINE, "normal"))
    wanted: list[Label] = []
    for curve, colour, weight in curves:
        if curve.last is not None:
            wanted.append((curve.last[1] / top, f"{curve.name} {_short(panel, curve.last[1])}", colour, weight))
    draw_labels(axes, wanted)


def _short(panel: Panel, value: float) -> str:
    return panel.words(value).replace(".0 %", " %")


def draw_labels(axes: Axes, wanted: Sequence[Label]) -> None:
    """Direct labels right of the panel, moved apart where they would cover each other."""
    ordered = sorted(wanted, key=lambda label: label[0])
    heights = _apart([label[0] for label in ordered], _label_gap(axes))
    usual, room = float(mpl.rcParams["font.size"]), _beside(axes)
    for height, (_, text, colour, weight) in zip(heights, ordered, strict=True):
        size = size_for(text, usual, usual - 2, room, weight)
        axes.annotate(
            fitted(text, size, room, weight), (1.0, height), (8, 0), xycoords="axes fraction",
            textcoords="offset points", va="center", ha="left", color=colour, fontweight=weight, fontsize=size,
            annotation_clip=False,
        )  # fmt: skip


def _label_gap(axes: Axes) -> float:
    """What two direct labels need between them, as a share of the panel's height."""
    return LABEL_GAP / _inches(axes)[1]


def _beside(axes: Axes) -> float:
    """Inches right of a panel for its labels."""
    width = _inches(axes)[0] / axes.get_position().width
    return float(width * (1 - axes.get_position().x1) - LABEL_STARTS - EDGE)


def _inches(axes: Axes) -> tuple[float, float]:
    """Width and height of a panel."""
    figure, place = axes.get_figure(), axes.get_position()
    if not isinstance(figure, Figure):
        return 1.0, 1.0
    return float(figure.get_figwidth() * place.width), float(figure.get_figheight() * place.height)


def _apart(heights: Sequence[float], gap: float) -> list[float]:
    """The heights, ascending, moved until none covers its neighbour and none leaves the panel."""
    placed: list[float] = []
    for height in heights:
        placed.append(max(height, placed[-1] + gap) if placed else max(height, 0.03))
    top = 1.0 - BELOW_TOP * gap
    excess = (placed[-1] - top) if placed else 0.0
    for place in range(len(placed) - 1, -1, -1):
        ceiling = top if place == len(placed) - 1 else placed[place + 1] - gap
        placed[place] = min(placed[place], ceiling) if excess > 0 else placed[place]
    return placed
