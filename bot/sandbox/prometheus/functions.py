"""Functions of instant vectors and scalars."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.labels import NAME, Labels, nameless
from bot.sandbox.prometheus.tree import BadQueryError, Match, Node, Selector, Window, pattern
from bot.sandbox.prometheus.values import ExecutionError, Sample, Vector, unambiguous

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_REFERENCE = re.compile(r"\$(?:\$|(\w+)|\{(\w+)\})", re.ASCII)

# One value from one value.
PER_SAMPLE: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "ceil": floats.ceiled,
    "exp": floats.exponential,
    "floor": floats.floored,
    "ln": floats.logarithm,
    "sqrt": floats.square_root,
}


def mapped(function: Callable[[float], float], vector: Vector) -> Vector:
    """The function of each sample; the metric's name goes."""
    return unambiguous([Sample(nameless(labels), function(value)) for labels, value in vector])


def rounded(vector: Vector, nearest: float) -> Vector:
    """Each value at the closest multiple, halves going up."""
    # The inverse is what Prometheus multiplies by, to keep decimal steps exact.
    inverse = floats.divided(1.0, nearest)
    return mapped(lambda value: floats.divided(floats.floored(value * inverse + 0.5), inverse), vector)


def clamped(vector: Vector, lowest: float, highest: float) -> Vector:
    """Each value inside the bounds; nothing when they are crossed."""
    if highest < lowest:
        return []
    return mapped(lambda value: floats.larger(lowest, floats.smaller(highest, value)), vector)


def ordered(vector: Vector, *, descending: bool) -> Vector:
    """By value, NaN last either way."""
    sign = -1 if descending else 1
    return sorted(vector, key=lambda sample: (math.isnan(sample.value), sign * sample.value))


def as_scalar(vector: Vector) -> float:
    """The one sample's value, NaN unless there is exactly one."""
    return vector[0].value if len(vector) == 1 else math.nan


def labels_of_absence(argument: Node) -> Labels:
    """What `absent` knows of the missing series: the labels its selector names once and exactly."""
    match argument:
        case Selector():
            matchers = argument.matchers
        case Window():
            matchers = argument.selector.matchers
        case _:
            return Labels({})
    found: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in matchers:
        if matcher.name == NAME:
            continue
        if matcher.match is Match.EQUAL and matcher.name not in seen:
            found[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            found.pop(matcher.name, None)
    return Labels(found)


def label_replaced(vector: Vector, texts: Sequence[str]) -> Vector:
    """`label_replace`: (destination, replacement, source, RE2 pattern)."""
    destination, replacement, source, expression = texts
    try:
        compiled = pattern(expression)
    except BadQueryError as error:
        raise ExecutionError(f"invalid regular expression in label_replace(): {expression}") from error
    _check_destination(destination, "label_replace")
    result: Vector = []
    for sample in vector:
        found = compiled.fullmatch(sample.labels.get(source))
        labels = sample.labels
        if found is not None:
            labels = labels.with_values({destination: _expanded(replacement, found)})
        result.append(Sample(labels, sample.value))
    return unambiguous(result)


def label_joined(vector: Vector, texts: Sequence[str]) -> Vector:
    """`label_join`: (destination, separator, sources...)."""
    destination, separator, *sources = texts
    _check_destination(destination, "label_join")
    return unambiguous(
        [
            Sample(labels.with_values({destination: separator.join(map(labels.get, sources))}), value)
            for labels, value in vector
        ]
    )


def _check_destination(name: str, function: str) -> None:
    if not _LABEL_NAME.fullmatch(name):
        raise ExecutionError(f"invalid destination label name in {function}(): {name}")


def _expanded(template: str, found: Any) -> str:
    """Go's Expand: `$1x` names the group `1x`, an unknown group is empty, a lone `$` stays."""

    def referenced(reference: re.Match[str]) -> str:
        name = reference[1] or reference[2]
        if name is None:
            return "$"
        groups = found.re.groupindex
        if name.isdigit():
            return (found.group(int(name)) or "") if int(name) <= found.re.groups else ""
        return (found.group(name) or "") if name in groups else ""

    return _REFERENCE.sub(referenced, template)
