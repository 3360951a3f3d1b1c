"""The text exposition format, version 0.0.4, line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.labels import NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\\n]|\\.)*)"[ \t]*(,|(?=\}))')
_ESCAPE = re.compile(r"\\(.)")
_TYPES = frozenset({"counter", "gauge", "histogram", "summary", "untyped"})
_ESCAPED = {"n": "\n", '"': '"', "\\": "\\"}
# The series part is taken as one piece of text: a scraper knows most of them from the scrape before.
_SAMPLE = re.compile(
    r'([a-zA-Z_:][a-zA-Z0-9_:]*[ \t]*(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?)'
    r"[ \t]*(\S+)(?:[ \t]+(\d+))?[ \t]*"
)


class BadExpositionError(ValueError):
    """A page that Prometheus would refuse whole; `samples` were good before the bad line."""

    def __init__(self, text: str, samples: int = 0) -> None:
        super().__init__(text)
        self.samples = samples


@dataclass(frozen=True, slots=True)
class Line:
    """One sample: its series as written, its value, its own time in ms if it names one."""

    series: str
    value: float
    at: int | None


def lines(page: str) -> Iterator[Line]:
    """The samples of a page in order; raises BadExpositionError at the first bad line."""
    good = 0
    for number, text in enumerate(page.split("\n"), start=1):
        if not text.strip():
            continue
        if text.lstrip().startswith("#"):
            _check_comment(number, text.split())
            continue
        found = _SAMPLE.fullmatch(text)
        if found is None:
            raise BadExpositionError(f"line {number} is not a sample: {text[:80]!r}", good)
        series, value, at = found.groups()
        try:
            yield Line(series.rstrip(), floats.parsed(value), None if at is None else int(at))
        except ValueError as error:
            raise BadExpositionError(f"line {number}: {error}", good) from error
        good += 1


def _check_comment(number: int, words: list[str]) -> None:
    if words[:2] == ["#", "TYPE"] and (len(words) != 4 or words[3] not in _TYPES):
        raise BadExpositionError(f"line {number}: invalid metric type {' '.join(words[3:])!r}")


@lru_cache(maxsize=16_384)
def series_labels(text: str) -> tuple[tuple[str, str], ...]:
    """The labels of a series as written, the metric's name among them."""
    name = _METRIC.match(text)
    if name is None:
        raise BadExpositionError(f"no metric name in {text[:80]!r}")
    pairs = [(NAME, name.group())]
    rest = text[name.end() :].strip()
    if not rest:
        return tuple(pairs)
    position = 1
    while not rest.startswith("}", position):
        found = _LABEL.match(rest, position)
        if found is None:
            if not rest[position:-1].strip():
                break
            raise BadExpositionError(f"bad labels in {text[:80]!r}")
        pairs.append((found[1], _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[0]), found[2])))
        position = found.end()
    if len({label for label, _ in pairs}) < len(pairs):
        raise BadExpositionError(f"a label occurs twice in {text[:80]!r}")
    return tuple(pairs)
