"""Bounds of a metric gate in the user's words: `0.1%`, `+0.1pp`, `-2%`, `250ms`, `+64MiB`, `+0.2 cores`."""

import re
from collections.abc import Mapping

from strategies.plan import Better, Margin

_NUMBER = re.compile(r"([+\-−]?)\s*(\d+(?:\.\d+)?)\s*([%\w]*)")
_BYTES = {"B": 1.0} | {
    name: 1024.0**power for power, letter in enumerate("KMG", 1) for name in (f"{letter}iB", f"{letter}i")
}
_ABSOLUTE: Mapping[str, Mapping[str, float]] = {
    "ratio": {"pp": 0.01},
    "ms": {"ms": 1.0, "s": 1000.0},
    "cores": {"cores": 1.0, "core": 1.0, "m": 0.001},
    "bytes": {**_BYTES, "kB": 1e3, "MB": 1e6, "GB": 1e9},
}
_LIMITS = {"ratio": "0.1%", "ms": "250ms or 1.5s", "cores": "0.8 cores or 800m", "bytes": "512MiB or 2GiB"}
_MARGINS = {"ratio": "0.1pp or {}10%", "ms": "10% or {}20ms", "cores": "20% or {}0.2 cores", "bytes": "20% or {}64MiB"}
_SIGNS = {Better.LOWER: "+", Better.HIGHER: "-"}


def limit(text: object, unit: str) -> float:
    """An absolute bound in the metric's unit; ValueError says what is allowed."""
    example = _limit_example(unit)
    sign, number, suffix = _split(text, example)
    if sign:
        raise ValueError(f"{text!r} has a sign; a limit is absolute, such as {example}")
    units = {"%": 0.01} if unit == "ratio" else _units(unit)
    if suffix not in units:
        raise ValueError(f"{text!r} has the wrong unit; a limit here is written like {example}")
    return number * units[suffix]


def margin(text: object, unit: str, better: Better = Better.LOWER) -> Margin:
    """A worsening against the baseline: relative (`+10%`) or absolute (`+0.1pp`, `+20ms`); ValueError otherwise.

    Where more is better, a worsening is a drop and its sign a minus.
    """
    example = _margin_example(unit, better)
    sign, number, suffix = _split(text, example)
    if sign != _SIGNS[better]:
        says = "how much worse is still allowed"
        turned = "" if better is Better.LOWER else ", and less is worse here"
        raise ValueError(f"{text!r} needs a {_SIGNS[better]} sign: it says {says}{turned}, like {example}")
    if suffix == "%":
        if better is Better.HIGHER and number >= 100:
            raise ValueError(f"{text!r} allows everything to be lost; write less than 100%, like {example}")
        return Margin(number / 100, relative=True)
    units = _units(unit)
    if suffix not in units:
        raise ValueError(f"{text!r} has the wrong unit; a margin here is written like {example}")
    return Margin(number * units[suffix])


def _units(unit: str) -> Mapping[str, float]:
    return _ABSOLUTE.get(unit, {} if unit == "1" else {unit: 1.0})


def _limit_example(unit: str) -> str:
    return _LIMITS.get(unit, f"100{unit}" if unit != "1" else "100EUR, with unit: EUR beside it")


def _margin_example(unit: str, better: Better) -> str:
    sign = _SIGNS[better]
    return sign + _MARGINS.get(unit, "2%" if unit == "1" else f"2% or {{}}5{unit}").format(sign)


def _split(text: object, example: str) -> tuple[str, float, str]:
    match = _NUMBER.fullmatch(str(text).strip())
    if match is None or not match[3]:
        raise ValueError(f"{text!r} has no unit or is no number; write it like {example}")
    sign, number, suffix = match.groups()
    return sign.replace("−", "-"), float(number), suffix
