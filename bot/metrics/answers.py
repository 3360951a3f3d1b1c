"""Prometheus' answers as Python values, read in pieces.

Python's JSON parser lets no other thread run until it is done, and the answer about a thousand services takes it a
tenth of a second: a rollback would wait for it.
"""

import json
from collections.abc import Callable
from typing import Any

import requests

PIECE = 100_000  # characters, about a millisecond
_RESULT = '"result":['
# Between two series. No string holds it: a quote inside one has a backslash before it.
_BETWEEN = '},{"metric":'


class Answer(requests.Response):
    """A response whose JSON is read in pieces."""

    def __init__(self, response: requests.Response, between: Callable[[], None]) -> None:
        super().__init__()
        self.__dict__.update(response.__dict__)
        self._between = between

    def json(self, **_: Any) -> Any:
        """The document; ValueError when it is none."""
        return parsed(self.content.decode(), self._between)


def parsed(text: str, between: Callable[[], None] = lambda: None) -> Any:
    """What `json.loads` gives; `between` is called between two pieces of an answer with many series."""
    start = text.find(_RESULT)
    if start < 0 or len(text) <= 2 * PIECE:
        return json.loads(text)
    first = position = start + len(_RESULT)
    series: list[Any] = []
    while (end := text.find(_BETWEEN, position + PIECE)) >= 0:
        series.extend(json.loads(f"[{text[position : end + 1]}]"))
        position = end + 2
        between()
    document = json.loads(text[:first] + text[position:])
    series.extend(document["data"]["result"])
    document["data"]["result"] = series
    return document
