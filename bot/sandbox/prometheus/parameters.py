"""The parameters of a request, read as Prometheus reads them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import promql_parser

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.syntax import parse
from bot.sandbox.prometheus.tree import BadQueryError, Node, Selector

Parameters = Mapping[str, Sequence[str]]
_EARLIEST, _LATEST = -(2**62), 2**62


class BadParameterError(ValueError):
    """A request that is refused with 400 `bad_data`."""


def query(parameters: Parameters) -> Node:
    """The tree of `query`."""
    try:
        return parse(_first(parameters, "query"))
    except BadQueryError as error:
        raise _invalid("query", str(error)) from error


def instant(parameters: Parameters) -> int:
    """`time` in ms, now when absent."""
    text = _first(parameters, "time")
    return _moment("time", text) if text else time.time_ns() // 1_000_000


def span(parameters: Parameters) -> tuple[int, int, int]:
    """`start`, `end` and `step` in ms; refused when empty, backwards or of more than 11,000 points."""
    start = _moment("start", _first(parameters, "start"))
    end = _moment("end", _first(parameters, "end"))
    if end < start:
        raise _invalid("end", "end timestamp must not be before start time")
    step = _duration("step", _first(parameters, "step"))
    if step <= 0:
        raise _invalid("step", "zero or negative query resolution step widths are not accepted. Try a positive integer")
    if (end - start) // step > 11_000:
        raise BadParameterError(
            "exceeded maximum resolution of 11,000 points per timeseries. "
            "Try decreasing the query resolution (?step=XX)"
        )
    return start, end, step


def limits(parameters: Parameters) -> tuple[int, int]:
    """`start` and `end` in ms, all of time when absent."""
    start, end = _first(parameters, "start"), _first(parameters, "end")
    return _moment("start", start) if start else _EARLIEST, _moment("end", end) if end else _LATEST


def selectors(parameters: Parameters) -> list[Selector]:
    """The series selectors of `match[]`."""
    found = []
    for text in parameters.get("match[]", ()):
        try:
            node = parse(text)
        except BadQueryError as error:
            raise _invalid("match[]", str(error)) from error
        if not isinstance(node, Selector):
            raise _invalid("match[]", f"{text!r} is no series selector")
        found.append(node)
    return found


def _first(parameters: Parameters, name: str) -> str:
    return next(iter(parameters.get(name, ())), "")


def _moment(name: str, text: str) -> int:
    try:
        # To the millisecond, rounded half up as Prometheus rounds the fraction.
        return int(floats.floored(floats.parsed(text) * 1000 + 0.5))
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-\d\d-\d\dT", text) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _invalid(name, f'cannot parse "{text}" to a valid timestamp')
    return round(moment.timestamp() * 1000)


def _duration(name: str, text: str) -> int:
    try:
        return round(floats.parsed(text) * 1000)
    except (ValueError, OverflowError):
        pass
    try:
        return round(promql_parser.parse_duration(text) / timedelta(milliseconds=1))
    except ValueError as error:
        raise _invalid(name, f'cannot parse "{text}" to a valid duration') from error


def _invalid(name: str, why: str) -> BadParameterError:
    return BadParameterError(f'invalid parameter "{name}": {why}')
