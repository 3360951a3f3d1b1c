"""What a story tells while it runs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from bot.sandbox.route_memory import Asked


@dataclass(frozen=True, slots=True)
class StoryBegan:
    """A story begins; `summary` says in one sentence what is going to happen."""

    name: str
    summary: str


@dataclass(frozen=True, slots=True)
class PersonActed:
    """Somebody typed a command or pressed a button."""

    user: str
    what: str


@dataclass(frozen=True, slots=True)
class SplitMoved:
    """The proxy took a new split."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class HeadlineChanged:
    """The root message says something new."""

    text: str


@dataclass(frozen=True, slots=True)
class ClaimSeen:
    """Something that was promised has been seen true."""

    text: str


@dataclass(frozen=True, slots=True)
class FaultSet:
    """A version was made to fail."""

    version: str
    what: str


@dataclass(frozen=True, slots=True)
class Restored:
    """All traffic is back at the baseline, so many seconds after the fault, or the click."""

    seconds: float
    cause: str = "fault"


@dataclass(frozen=True, slots=True)
class StoryEnded:
    """A story came to its end; `broken` names the expectation that failed, and is empty when all held."""

    name: str
    broken: str


Told: TypeAlias = StoryBegan | PersonActed | SplitMoved | HeadlineChanged | ClaimSeen | FaultSet | Restored | StoryEnded
Tell: TypeAlias = Callable[[Told], None]
