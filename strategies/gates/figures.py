"""Figures as people read them: percent, points, milliseconds, counts, minutes."""

import math
from functools import lru_cache


@lru_cache(4096)
def percent(ratio: float) -> str:
    """A ratio as percent, two figures below 1 % and one decimal above."""
    value = ratio * 100
    if value == 0:
        return "0 %"
    if value < 0.001:
        return "<0.001 %"
    return f"{value:.1f} %" if value >= 1 else f"{_two_figures(value)} %"


@lru_cache(4096)
def points(difference: float) -> str:
    """The signed difference of two ratios in percentage points."""
    value = abs(difference) * 100
    sign = "+" if difference >= 0 else "−"
    return f"{sign}{value:.1f} pp" if value >= 1 or value == 0 else f"{sign}{_two_figures(max(value, 0.001))} pp"


def change(ratio: float) -> str:
    """The signed relative change, 0.1 as `+10 %`."""
    sign = "+" if ratio >= 0 else "−"
    return f"{sign}{abs(ratio) * 100:,.0f} %"


def milliseconds(value: float) -> str:
    """A duration in milliseconds, in seconds from ten on."""
    if math.isinf(value):
        return "∞"
    if value >= 10_000:
        return f"{value / 1000:,.1f} s"
    return f"{value:,.0f} ms" if value >= 10 or value == int(value) else f"{value:.1f} ms"


def level(value: float, unit: str) -> str:
    """A level in its unit: cores, bytes as KiB to GiB, or the owner's own word (`1`: none)."""
    match unit:
        case "ratio":
            return percent(value)
        case "ms":
            return milliseconds(value)
        case "bytes":
            return _binary(value)
        case "1":
            return _figures(value, 4)
        case _:
            return f"{_figures(value, 3)} {unit}"


def _figures(value: float, kept: int) -> str:
    """So many figures of a value; a large one is written out, for nobody reads powers of ten."""
    return f"{value:,.0f}" if abs(value) >= 10**kept else f"{value:,.{kept}g}"


def _binary(value: float) -> str:
    for name, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= factor:
            return f"{value / factor:,.3g} {name}" if abs(value) < 1000 * factor else f"{value / factor:,.0f} {name}"
    return f"{value:,.0f} B"


def count(number: float, noun: str) -> str:
    """A number of things with the noun in the right form."""
    return f"{number:,.0f} {noun}" if round(number) == 1 else f"{number:,.0f} {noun}s"


def span(seconds: float) -> str:
    """A duration for an estimate: seconds, minutes or hours, never more exact than it is."""
    if seconds < 90:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _two_figures(value: float) -> str:
    text = f"{value:.4f}" if value < 0.001 else f"{value:.2g}"
    return text.rstrip("0") if "." in text else text
