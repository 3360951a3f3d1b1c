"""Numbers as Go reads, writes and computes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE)


def parsed(text: str) -> float:
    """The number in `text`; raises ValueError where Prometheus refuses, e.g. `1_000`, `0x1p3` or ` 1`."""
    if _NUMBER.fullmatch(text):
        return float(text)
    raise ValueError(f"invalid number {text!r}")


def written(value: float) -> str:
    """The shortest text that reads back as the same number, in Prometheus' JSON form."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    if not 1e-6 <= abs(value) < 1e21:
        text = repr(value)
        return text.replace(".0e", "e")
    plain = format(Decimal(repr(value)), "f")
    return plain[:-2] if plain.endswith(".0") else plain


def divided(left: float, right: float) -> float:
    """IEEE division: by zero gives an infinity or NaN, never an error."""
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def remainder(left: float, right: float) -> float:
    """The remainder with the sign of the dividend."""
    if right == 0 or math.isinf(left):
        return math.nan
    return math.fmod(left, right)


def power(base: float, exponent: float) -> float:
    """`base` to the `exponent` with Go's special cases."""
    try:
        return math.pow(base, exponent)
    except OverflowError:
        odd = exponent == int(exponent) and int(exponent) % 2 == 1
        return -math.inf if base < 0 and odd else math.inf
    except ValueError:
        if base != 0:
            return math.nan
        odd = exponent == int(exponent) and int(exponent) % 2 == 1
        return math.copysign(math.inf, base) if odd else math.inf


def exponential(value: float) -> float:
    """Euler's number to the value, infinite when too large."""
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def logarithm(value: float) -> float:
    """The natural logarithm: -Inf at zero, NaN below."""
    if value == 0:
        return -math.inf
    return math.nan if value < 0 else math.log(value)


def square_root(value: float) -> float:
    """The root, NaN below zero."""
    return math.nan if value < 0 else math.sqrt(value)


def floored(value: float) -> float:
    """The next whole number down; infinities and NaN stay."""
    return float(math.floor(value)) if math.isfinite(value) else value


def ceiled(value: float) -> float:
    """The next whole number up; infinities and NaN stay."""
    return math.copysign(float(math.ceil(value)), value) if math.isfinite(value) else value


def larger(left: float, right: float) -> float:
    """Go's math.Max: NaN wins, save against +Inf."""
    if math.inf in (left, right):
        return math.inf
    return math.nan if math.isnan(left) or math.isnan(right) else max(left, right)


def smaller(left: float, right: float) -> float:
    """Go's math.Min: NaN wins, save against -Inf."""
    if -math.inf in (left, right):
        return -math.inf
    return math.nan if math.isnan(left) or math.isnan(right) else min(left, right)


def kahan_added(increment: float, total: float, lost: float) -> tuple[float, float]:
    """Add with the rounding error carried along (Neumaier), as Prometheus sums over time."""
    added = total + increment
    if abs(total) >= abs(increment):
        lost += (total - added) + increment
    else:
        lost += (increment - added) + total
    return added, lost
