"""What an expression yields, and the error that stops its evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bot.sandbox.prometheus.labels import Labels, first_repeated


class ExecutionError(Exception):
    """A query that parses and cannot be computed on these series."""


class Sample(NamedTuple):
    """One series' value at the instant of evaluation."""

    labels: Labels
    value: float


class Points(NamedTuple):
    """One series' samples in a window: (ms, value), ascending."""

    labels: Labels
    samples: list[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Matrix:
    """A window of samples per series; only a query's own answer is one."""

    series: list[Points]


Vector = list[Sample]
Value = float | str | Vector | Matrix


def unambiguous(vector: Vector) -> Vector:
    """The vector itself; raises when two of its samples carry the same labels."""
    if first_repeated(sample.labels for sample in vector) is not None:
        raise ExecutionError("vector cannot contain metrics with the same labelset")
    return vector
