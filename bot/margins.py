"""Bounds of a metric gate in the user's words: `0.1%`, `+0.1pp`, `+10%`, `250ms`."""

import re

from strategies.plan import Margin

_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d+)?)\s*(%|pp|ms|s)")


def limit(text: object, unit: str) -> float:
    """An absolute bound in the metric's unit (`ratio` or `ms`); ValueError says what is allowed."""
    sign, number, suffix = _split(text, _LIMITS[unit])
    if sign:
        raise ValueError(f"{text!r} has a sign; a limit is absolute, such as {_LIMITS[unit]}")
    match unit, suffix:
        case "ratio", "%":
            return number / 100
        case "ms", "ms":
            return number
        case "ms", "s":
            return number * 1000
        case _:
            raise ValueError(f"{text!r} has the wrong unit; a limit here is written like {_LIMITS[unit]}")


def margin(text: object, unit: str) -> Margin:
    """A worsening against the baseline: relative (`+10%`) or absolute (`+0.1pp`, `+20ms`); ValueError otherwise."""
    sign, number, suffix = _split(text, _MARGINS[unit])
    if sign != "+":
        raise ValueError(f"{text!r} needs a + sign: it says how much worse is still allowed, like {_MARGINS[unit]}")
    match unit, suffix:
        case _, "%":
            return Margin(number / 100, relative=True)
        case "ratio", "pp":
            return Margin(number / 100)
        case "ms", "ms":
            return Margin(number)
        case "ms", "s":
            return Margin(number * 1000)
        case _:
            raise ValueError(f"{text!r} has the wrong unit; a margin here is written like {_MARGINS[unit]}")


_LIMITS = {"ratio": "0.1%", "ms": "250ms or 1.5s"}
_MARGINS = {"ratio": "+0.1pp or +10%", "ms": "+10% or +20ms"}


def _split(text: object, example: str) -> tuple[str, float, str]:
    match = _NUMBER.fullmatch(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} has no unit or is no number; write it like {example}")
    sign, number, suffix = match.groups()
    return sign, float(number), suffix
