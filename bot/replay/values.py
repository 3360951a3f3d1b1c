"""Values of a line, checked: whoever wrote the line is told which value is wrong and why."""

import json
import math
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

MOST = 10**15  # requests; above it a float no longer counts one by one


class BadLine(ValueError):
    """A line that cannot be judged; the text says why."""


def parsed(line: bytes) -> dict[str, Any]:
    """The JSON object of a line."""
    try:
        value = _DECODER.decode(line.decode())
    except UnicodeDecodeError as error:
        raise BadLine(f"not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise BadLine(f"broken JSON: {error.msg} at column {error.colno}") from error
    except BadLine:
        raise
    except (RecursionError, ValueError) as error:
        # A thousand brackets, a number of five thousand digits.
        raise BadLine(f"broken JSON: {error}") from error
    return mapping(value, "the line")


def mapping(value: object, name: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise BadLine(f"{name} must be an object, got {shown(value)}")
    return value


def known(value: Mapping[str, Any], allowed: tuple[str, ...], name: str) -> None:
    """Refuse keys that nobody reads, with the nearest one that somebody does."""
    for key in value:
        if key not in allowed:
            near = get_close_matches(key, allowed, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(allowed) or 'none'}"
            raise BadLine(f"unknown key {shown(key)} in {name}{hint}")


def items(value: object, name: str) -> list[Any]:
    """A JSON array."""
    if not isinstance(value, list):
        raise BadLine(f"{name} must be a list, got {shown(value)}")
    return value


def text(value: object, name: str) -> str:
    """A string with something in it."""
    if not isinstance(value, str) or not value:
        raise BadLine(f"{name} must be a name, got {shown(value)}")
    return value


def number(value: object, name: str, *, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number from `least` to `most`, both included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadLine(f"{name} must be a number, got {shown(value)}")
    if not -1e300 < value < 1e300:
        raise BadLine(f"{name} must be finite, got {shown(value)}")
    if not least <= value <= most:
        limits = f"at least {least:g}" if most == math.inf else f"{least:g} to {most:g}"
        raise BadLine(f"{name} must be {limits}, got {shown(value)}")
    return float(value)


def whole(value: object, name: str) -> int:
    """A count: a whole number, not negative."""
    if type(value) is int and 0 <= value <= MOST:
        return value
    if isinstance(value, float) and value.is_integer() and 0 <= value <= MOST:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadLine(f"{name} must be a whole number, got {shown(value)}")
    if value < 0:
        raise BadLine(f"{name} must not be negative, got {shown(value)}")
    raise BadLine(f"{name} must be a whole number up to {MOST:.0e}, got {shown(value)}")


def shown(value: object) -> str:
    """The value as the line has it, cut where it is long."""
    written = json.dumps(value, ensure_ascii=False) if not isinstance(value, float) else f"{value:g}"
    return written if len(written) <= 60 else written[:57] + "..."


def _no_constant(name: str) -> NoReturn:
    raise BadLine(f"broken JSON: {name} is no number")


_DECODER = json.JSONDecoder(parse_constant=_no_constant)
