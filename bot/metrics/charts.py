"""Pictures of a release's looks, for a phone and a desktop: light ground, direct labels, colours everybody can tell."""

import io
import threading
from functools import cache
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from bot.metrics import curves
from bot.metrics.canvas import draw_panel, draw_stages, time_axis
from bot.metrics.density import thinned
from bot.metrics.descriptions import alt_text, subtitle, title, why
from bot.metrics.palette import GROUND, INK, QUIET, colour_of, shades
from bot.ports import Card, Picture

WIDTH, HEAD, PANEL, FOOT = 6.4, 1.3, 1.62, 0.4  # inches
LEFT, RIGHT, BETWEEN = 0.145, 0.74, 0.46  # shares of the width; inches
DPI = 150
# Names from outside are shown as they are: a dollar sign starts no formula.
# Letters of 13 points are still 11 pixels high where Slack shows the picture 400 pixels wide.
STYLE: dict[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 12.5,
    "axes.linewidth": 0.8,
    "text.parse_math": False,
}
# Text layout and font caches of matplotlib are not made for several threads.
_LOCK = threading.Lock()


def draw(card: Card) -> Picture:
    """The share of requests, the error rate and the gated latencies of all looks of the card."""
    with _LOCK, mpl.rc_context(STYLE):
        return Picture(_png(_figure(card)), alt_text(card))


def _figure(card: Card) -> Figure:
    looks = thinned(curves.looks_in_order(card))
    shown = curves.panels(card, looks)
    height = HEAD + FOOT + PANEL * len(shown)
    figure = Figure((WIDTH, height), dpi=DPI, facecolor=GROUND)
    _header(figure, card, height)
    if not looks:
        figure.text(0.5, 0.4, "No look yet", ha="center", color=QUIET, fontsize=16, style="italic")
        return figure
    times = curves.seconds(looks)
    breaks, spans = curves.gaps(times), curves.stage_spans(card, looks, times)
    for place, panel in enumerate(shown):
        bottom = height - HEAD - PANEL * (place + 1)
        axes = figure.add_axes((LEFT, bottom / height, RIGHT - LEFT, (PANEL - BETWEEN) / height))
        pad = (times[-1] - times[0]) * 0.02 or 1.0
        axes.set_xlim(times[0] - pad, times[-1] + pad)
        draw_panel(axes, panel, times, breaks, title_pad=21 if place == 0 else 4)
        draw_stages(axes, spans, is_named=place == 0)
        if place == len(shown) - 1:
            axes.tick_params(axis="x", labelbottom=True)
            time_axis(axes, looks, times)
    return figure


def _header(figure: Figure, card: Card, height: float) -> None:
    outcome = curves.outcome(card)
    name = title(card)
    size = min(17.0, 17 * 34 / len(name))
    figure.text(0.03, 1 - 0.3 / height, name, fontsize=size, fontweight="bold", color=INK, va="center")
    figure.text(0.03, 1 - 0.62 / height, subtitle(card), color=QUIET, va="center")
    colour = colour_of(outcome)
    figure.text(0.03, 1 - 0.9 / height, why(card), color=colour, va="center", fontsize=10.8)
    badge = {"boxstyle": "round,pad=0.35,rounding_size=0.25", "fc": colour, "ec": "none"}
    figure.text(
        0.965, 1 - 0.34 / height, outcome.value.upper(), fontsize=14, fontweight="bold", color="white",
        va="center", ha="right", bbox=badge,
    )  # fmt: skip


@cache
def _shades() -> Image.Image:
    image = Image.new("P", (1, 1))
    image.putpalette(shades())
    return image


def _png(figure: Figure) -> bytes:
    """A PNG of one byte per pixel: less than half the size, and no eye tells."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves it bare
    drawn = np.asarray(canvas.buffer_rgba())[:, :, :3]  # type: ignore[no-untyped-call]
    image = Image.fromarray(drawn).quantize(palette=_shades(), dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
