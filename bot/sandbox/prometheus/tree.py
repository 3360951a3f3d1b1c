"""A query's tree, in words of our own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, assert_never

import re2

from bot.sandbox.prometheus.labels import NAME

if TYPE_CHECKING:
    from bot.sandbox.prometheus.labels import Labels


class BadQueryError(ValueError):
    """A query that Prometheus, or this stand-in, does not take."""


class Match(Enum):
    """How a matcher compares."""

    EQUAL = "="
    NOT_EQUAL = "!="
    PATTERN = "=~"
    NOT_PATTERN = "!~"


class Kind(Enum):
    """What an expression yields."""

    SCALAR = "scalar"
    VECTOR = "vector"
    MATRIX = "matrix"
    TEXT = "string"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition of a selector."""

    name: str
    match: Match
    value: str

    def accepts(self, labels: Labels) -> bool:
        """True when the label's value (empty when missing) meets the condition."""
        value = labels.get(self.name)
        match self.match:
            case Match.EQUAL:
                return value == self.value
            case Match.NOT_EQUAL:
                return value != self.value
            case Match.PATTERN:
                return pattern(self.value).fullmatch(value) is not None
            case Match.NOT_PATTERN:
                return pattern(self.value).fullmatch(value) is None


@dataclass(frozen=True, slots=True)
class Number:
    """A literal number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A literal text."""

    value: str


@dataclass(frozen=True, slots=True)
class Selector:
    """The series of a name (None: any) that all matchers accept, `offset` ms ago."""

    name: str | None
    matchers: tuple[Matcher, ...]
    offset: int

    def accepts(self, labels: Labels) -> bool:
        """True when the name and every matcher agree."""
        if self.name is not None and labels.get(NAME) != self.name:
            return False
        return all(matcher.accepts(labels) for matcher in self.matchers)


@dataclass(frozen=True, slots=True)
class Window:
    """A selector over the last `span` ms."""

    selector: Selector
    span: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]
    yields: Kind


@dataclass(frozen=True, slots=True)
class Aggregate:
    """An aggregation over groups made by `labels` (kept, or left out when `without`)."""

    operator: str
    inner: Node
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions; `on` and `labels` say how series find each other."""

    operator: str
    left: Node
    right: Node
    labels: tuple[str, ...]
    on: bool
    as_bool: bool


@dataclass(frozen=True, slots=True)
class Negative:
    """The same with the sign turned."""

    inner: Node


Node = Number | Text | Selector | Window | Call | Aggregate | Binary | Negative

_FIXED_KINDS: dict[type, Kind] = {
    Number: Kind.SCALAR,
    Text: Kind.TEXT,
    Selector: Kind.VECTOR,
    Window: Kind.MATRIX,
    Aggregate: Kind.VECTOR,
}


@lru_cache(maxsize=1024)
def pattern(text: str) -> Any:
    """A compiled RE2 expression; raises BadQueryError when it is none."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise BadQueryError(f"error parsing regexp: {error}") from error


def kind(node: Node) -> Kind:
    """What the expression yields."""
    match node:
        case Call():
            return node.yields
        case Negative():
            return kind(node.inner)
        case Binary():
            scalars = kind(node.left) is Kind.SCALAR and kind(node.right) is Kind.SCALAR
            return Kind.SCALAR if scalars else Kind.VECTOR
        case Number() | Text() | Selector() | Window() | Aggregate():
            return _FIXED_KINDS[type(node)]
        case _:
            assert_never(node)
