"""The evaluator: the value of a query's tree at one instant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

from bot.sandbox.prometheus import functions, windows
from bot.sandbox.prometheus.aggregations import aggregated
from bot.sandbox.prometheus.histogram import histogram_quantile
from bot.sandbox.prometheus.labels import EMPTY, nameless
from bot.sandbox.prometheus.operators import combined
from bot.sandbox.prometheus.tree import (
    Aggregate,
    BadQueryError,
    Binary,
    Call,
    Negative,
    Node,
    Number,
    Selector,
    Text,
    Window,
)
from bot.sandbox.prometheus.values import Matrix, Points, Sample, Value, Vector, unambiguous

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.sandbox.prometheus.samples import SampleStore, Series


def evaluate(store: SampleStore, node: Node, at: int) -> Value:
    """The value at `at` (ms); raises ExecutionError where the series do not allow one."""
    return _Instant(store, at).value(node)


class _Instant:
    """One store at one instant."""

    def __init__(self, store: SampleStore, at: int) -> None:
        self._store = store
        self._at = at

    def value(self, node: Node) -> Value:
        """The node's value; the one place that knows every kind of node."""
        match node:
            case Number() | Text():
                value: Value = node.value
            case Selector():
                value = [Sample(series.labels, number) for series, _, number in self._selected(node)]
            case Window():
                value = self._matrix(node)
            case Call():
                value = self._call(node)
            case Aggregate():
                value = aggregated(node, self.vector(node.inner))
            case Binary():
                value = combined(node, self._operand(node.left), self._operand(node.right))
            case Negative():
                value = self._negative(node)
            case _:
                assert_never(node)
        return value

    def _operand(self, node: Node) -> float | Vector:
        value = self.value(node)
        if isinstance(value, (float, list)):
            return value
        raise BadQueryError("expected a scalar or an instant vector")

    def vector(self, node: Node) -> Vector:
        """The node's value where only a vector will do."""
        value = self.value(node)
        if isinstance(value, list):
            return value
        raise BadQueryError("expected an instant vector")

    def scalar(self, node: Node) -> float:
        """The node's value where only a scalar will do."""
        value = self.value(node)
        if isinstance(value, float):
            return value
        raise BadQueryError("expected a scalar")

    def _series(self, selector: Selector) -> Sequence[Series]:
        key = (selector.name, selector.matchers)
        return self._store.matching(selector.name, key, selector.accepts)

    def _selected(self, selector: Selector) -> list[tuple[Series, int, float]]:
        when = self._at - selector.offset
        found = ((series, series.at(when)) for series in self._series(selector))
        return [(series, *sample) for series, sample in found if sample is not None]

    def _span(self, window: Window) -> tuple[int, int]:
        end = self._at - window.selector.offset
        return end - window.span, end

    def _matrix(self, window: Window) -> Matrix:
        start, end = self._span(window)
        points = (Points(s.labels, s.between(start, end)) for s in self._series(window.selector))
        return Matrix([series for series in points if series.samples])

    def _negative(self, node: Negative) -> float | Vector:
        operand = self._operand(node.inner)
        if isinstance(operand, float):
            return -operand
        return unambiguous([Sample(nameless(labels), -value) for labels, value in operand])

    def _call(self, node: Call) -> Value:
        name, arguments = node.function, node.arguments
        windowed = next((argument for argument in arguments if isinstance(argument, Window)), None)
        if windowed is not None:
            return self._over_window(node, windowed)
        if name in functions.PER_SAMPLE:
            return functions.mapped(functions.PER_SAMPLE[name], self.vector(arguments[0]))
        return _CALLS[name](self, arguments)

    def time(self) -> float:
        """The instant in seconds."""
        return self._at / 1000

    def absence(self, argument: Node) -> Vector:
        """One sample when the argument yields none."""
        return [] if self.vector(argument) else [Sample(functions.labels_of_absence(argument), 1.0)]

    def timestamps(self, argument: Node) -> Vector:
        """When each sample was taken, or this instant for anything but a plain selector."""
        if isinstance(argument, Selector):
            selected = self._selected(argument)
            return unambiguous([Sample(nameless(series.labels), when / 1000) for series, when, _ in selected])
        return functions.mapped(lambda _: self.time(), self.vector(argument))

    def _over_window(self, node: Call, window: Window) -> Vector:
        if node.function == "absent_over_time":
            if self._matrix(window).series:
                return []
            return [Sample(functions.labels_of_absence(window), 1.0)]
        start, end = self._span(window)
        result: Vector = []
        for series in self._series(window.selector):
            value = self._one_window(node, series, start, end)
            if value is not None:
                keeps_name = node.function == "last_over_time"
                result.append(Sample(series.labels if keeps_name else nameless(series.labels), value))
        return unambiguous(result)

    def _one_window(self, node: Call, series: Series, start: int, end: int) -> float | None:
        name = node.function
        if name in windows.EXTRAPOLATED:
            return windows.extrapolated(series, start, end, name)
        samples = series.between(start, end)
        if name in windows.LAST_CHANGE:
            return windows.last_change(samples, per_second=name == "irate")
        if not samples:
            return None
        values = [value for _, value in samples]
        if name == "quantile_over_time":
            return windows.quantile(self.scalar(node.arguments[0]), values)
        return windows.REDUCTIONS[name](values)


def _texts(arguments: Sequence[Node]) -> list[str]:
    texts = [argument.value for argument in arguments if isinstance(argument, Text)]
    if len(texts) < len(arguments):
        raise BadQueryError("expected a string")
    return texts


def _rounded(at: _Instant, arguments: Sequence[Node]) -> Vector:
    nearest = at.scalar(arguments[1]) if len(arguments) > 1 else 1.0
    return functions.rounded(at.vector(arguments[0]), nearest)


_CALLS: dict[str, Callable[[_Instant, Sequence[Node]], Value]] = {
    "absent": lambda at, arguments: at.absence(arguments[0]),
    "clamp": lambda at, arguments: functions.clamped(
        at.vector(arguments[0]), at.scalar(arguments[1]), at.scalar(arguments[2])
    ),
    "clamp_max": lambda at, arguments: functions.clamped(at.vector(arguments[0]), -math.inf, at.scalar(arguments[1])),
    "clamp_min": lambda at, arguments: functions.clamped(at.vector(arguments[0]), at.scalar(arguments[1]), math.inf),
    "histogram_quantile": lambda at, arguments: histogram_quantile(at.scalar(arguments[0]), at.vector(arguments[1])),
    "label_join": lambda at, arguments: functions.label_joined(at.vector(arguments[0]), _texts(arguments[1:])),
    "label_replace": lambda at, arguments: functions.label_replaced(at.vector(arguments[0]), _texts(arguments[1:])),
    "round": _rounded,
    "scalar": lambda at, arguments: functions.as_scalar(at.vector(arguments[0])),
    "sort": lambda at, arguments: functions.ordered(at.vector(arguments[0]), descending=False),
    "sort_desc": lambda at, arguments: functions.ordered(at.vector(arguments[0]), descending=True),
    "time": lambda at, _: at.time(),
    "timestamp": lambda at, arguments: at.timestamps(arguments[0]),
    "vector": lambda at, arguments: [Sample(EMPTY, at.scalar(arguments[0]))],
}
