"""Pictures of a release's looks, for a phone and a desktop: light ground, direct labels, colours everybody can tell."""

import gc
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from textwrap import wrap
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from bot.metrics.canvas import draw_panel, draw_stages, time_axis
from bot.metrics.curves import Panel, gaps
from bot.metrics.differences import Difference
from bot.metrics.lettering import FAMILY, fitted, inches, size_for
from bot.metrics.palette import GROUND, INK, QUIET, colour_of, shades
from bot.metrics.ribbon import draw_difference
from bot.metrics.scenes import Scene, of_card
from bot.ports import Card, Picture

WIDTH, HEAD, SHARE, PANEL, FOOT = 6.4, 1.3, 1.42, 1.75, 0.4  # inches
LEGEND = 0.24  # inches more at the foot where there is a band
LINE, LINE_HEIGHT = 78, 0.22  # letters and inches of a line that says why
MARGIN, BADGE_ENDS, BESIDE_BADGE = 0.03, 0.965, 0.3  # shares of the width; inches left of the badge's word
LEFT, RIGHT, BETWEEN = 0.145, 0.74, 0.46  # shares of the width; inches
DPI, SMALL_DPI = 150, 115
ROOMY = 4  # panels; more of them are drawn smaller, to stay a small file
BAND_MEANS = "Shaded: differences that are not ruled out yet."
# Names from outside are shown as they are: a dollar sign starts no formula.
# Letters of 13 points are still 11 pixels high where Slack shows the picture 400 pixels wide.
STYLE: dict[Any, Any] = {
    "font.family": [FAMILY],
    "font.size": 12.5,
    "axes.linewidth": 0.8,
    "text.parse_math": False,
    # Letters at their own widths: nobody counts pixels, and fitting them to a grid is a tenth of the whole picture.
    "text.hinting": "none",
}
# Text layout and font caches of matplotlib are not made for several threads.
_LOCK = threading.Lock()


def draw(card: Card) -> Picture:
    """The share of requests and the gates of all looks of the card, and the same in words."""
    return draw_scene(of_card(card))


def draw_scene(scene: Scene) -> Picture:
    """The picture of any scene."""
    with _LOCK, _let_go(), mpl.rc_context(STYLE):
        return Picture(_png(_figure(scene)), scene.alt_text)


@contextmanager
def _let_go() -> Iterator[None]:
    """Give back at the end what was made here; nothing of it grows old meanwhile, so looking for it takes 4 ms.

    A drawn figure is 6 MB of objects that refer to each other. Left to the collector's own pace, a dozen of them are in
    memory at a time, and what is made between them keeps their places from going back to the kernel.
    """
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if is_collecting:
            gc.enable()


def _figure(scene: Scene) -> Figure:
    why = wrap(scene.why, LINE)[:2]
    head = HEAD + LINE_HEIGHT * (len(why) == 2)
    heights = [SHARE if place == 0 else PANEL for place in range(len(scene.panels))]
    has_band = any(isinstance(panel, Difference) for panel in scene.panels)
    height = head + FOOT + LEGEND * has_band + sum(heights)
    figure = Figure((WIDTH, height), dpi=DPI if len(heights) <= ROOMY else SMALL_DPI, facecolor=GROUND)
    _header(figure, scene, why, height)
    if not scene.times:
        figure.text(0.5, 0.4, "No look yet", ha="center", color=QUIET, fontsize=16, style="italic")
        return figure
    if has_band:
        figure.text(LEFT, 0.14 / height, BAND_MEANS, color=QUIET, fontsize=10.4, va="center")
    times, breaks = scene.times, gaps(scene.times)
    bottom = height - head
    for place, (panel, size) in enumerate(zip(scene.panels, heights, strict=True)):
        bottom -= size
        axes = figure.add_axes((LEFT, bottom / height, RIGHT - LEFT, (size - BETWEEN) / height))
        pad = (times[-1] - times[0]) * 0.02 or 1.0
        axes.set_xlim(times[0] - pad, times[-1] + pad)
        title_pad = 21 if place == 0 else 4
        match panel:
            case Difference():
                draw_difference(axes, panel, times, title_pad=title_pad)
            case Panel():
                draw_panel(axes, panel, times, breaks, title_pad=title_pad)
        draw_stages(axes, scene.spans, is_named=place == 0)
        if place == len(scene.panels) - 1:
            axes.tick_params(axis="x", labelbottom=True)
            time_axis(axes, times, scene.start)
    return figure


def _header(figure: Figure, scene: Scene, why: list[str], height: float) -> None:
    word, colour = scene.badge or scene.outcome.value.upper(), colour_of(scene.outcome)
    room = WIDTH * (BADGE_ENDS - MARGIN) - inches(word, 14, "bold") - BESIDE_BADGE
    size = size_for(scene.title, 17, 11, room, "bold")
    title, whole = fitted(scene.title, size, room, "bold"), WIDTH * (1 - 2 * MARGIN)
    figure.text(MARGIN, 1 - 0.3 / height, title, fontsize=size, fontweight="bold", color=INK, va="center")
    subtitle = fitted(scene.subtitle, STYLE["font.size"], whole)
    figure.text(MARGIN, 1 - 0.62 / height, subtitle, color=QUIET, va="center")
    for place, line in enumerate(why):
        at = 1 - (0.9 + LINE_HEIGHT * place) / height
        small = size_for(line, 10.4, 9.4, whole)
        figure.text(MARGIN, at, fitted(line, small, whole), color=colour, va="center", fontsize=small)
    badge = {"boxstyle": "round,pad=0.35,rounding_size=0.25", "fc": colour, "ec": "none"}
    figure.text(
        BADGE_ENDS, 1 - 0.34 / height, word, fontsize=14, fontweight="bold", color="white", va="center", ha="right",
        bbox=badge,
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
    drawn = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    image = Image.frombuffer("RGBA", canvas.get_width_height(), drawn, "raw", "RGBA", 0, 1).convert("RGB")
    buffer = io.BytesIO()
    image.quantize(palette=_shades(), dither=Image.Dither.NONE).save(buffer, "PNG")
    return buffer.getvalue()
