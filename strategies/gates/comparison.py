"""The candidate's figure against its bound, as every metric gate states it."""

from dataclasses import dataclass
from enum import Enum, auto


class Standing(Enum):
    """Where the candidate stands to its bound."""

    WITHIN = auto()
    BEYOND = auto()  # the measured figure is, chance may explain it
    SURELY_BEYOND = auto()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The figures in the metric's unit and the same as words; `lacks` says why there is no standing."""

    words: str
    candidate: float | None = None
    baseline: float | None = None
    bound: float | None = None
    standing: Standing = Standing.BEYOND
    lacks: str = ""
