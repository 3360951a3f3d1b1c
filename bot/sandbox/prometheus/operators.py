"""Binary operators between scalars and vectors, matched one to one."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from bot.sandbox.prometheus import floats
from bot.sandbox.prometheus.labels import NAME, Labels, nameless, only, without
from bot.sandbox.prometheus.syntax import SET_OPERATORS
from bot.sandbox.prometheus.values import ExecutionError, Sample, Vector, unambiguous

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.prometheus.tree import Binary

_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": floats.divided,
    "%": floats.remainder,
    "^": floats.power,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


def combined(node: Binary, left: float | Vector, right: float | Vector) -> float | Vector:
    """The operator's result; raises ExecutionError when series match many to many."""
    if isinstance(left, float):
        return (
            _between_scalars(node, left, right)
            if isinstance(right, float)
            else _with_scalar(node, right, left, swapped=True)
        )
    if isinstance(right, float):
        return _with_scalar(node, left, right, swapped=False)
    if node.operator in SET_OPERATORS:
        return _set_operation(node, left, right)
    return _one_to_one(node, left, right)


def _between_scalars(node: Binary, left: float, right: float) -> float:
    if node.operator in _COMPARISONS:
        return float(_COMPARISONS[node.operator](left, right))
    return _ARITHMETIC[node.operator](left, right)


def _computed(node: Binary, left: float, right: float, kept: float) -> float | None:
    """The value of one pair; None when a comparison filters it out, `kept` when it does not."""
    if node.operator in _ARITHMETIC:
        return _ARITHMETIC[node.operator](left, right)
    holds = _COMPARISONS[node.operator](left, right)
    if node.as_bool:
        return float(holds)
    return kept if holds else None


def _with_scalar(node: Binary, vector: Vector, scalar: float, *, swapped: bool) -> Vector:
    drops_name = node.operator in _ARITHMETIC or node.as_bool
    result: Vector = []
    for labels, value in vector:
        left, right = (scalar, value) if swapped else (value, scalar)
        computed = _computed(node, left, right, value)
        if computed is not None:
            result.append(Sample(nameless(labels) if drops_name else labels, computed))
    return unambiguous(result)


def _signature(node: Binary, labels: Labels) -> Labels:
    if node.on:
        return only(labels, node.labels)
    return without(labels, (NAME, *node.labels))


def _one_to_one(node: Binary, left: Vector, right: Vector) -> Vector:
    if not left or not right:
        return []
    partners: dict[Labels, Sample] = {}
    for sample in right:
        signature = _signature(node, sample.labels)
        if signature in partners:
            raise _many_to_many(node, sample.labels, partners[signature].labels)
        partners[signature] = sample
    matched: set[Labels] = set()
    result: Vector = []
    for labels, value in left:
        signature = _signature(node, labels)
        partner = partners.get(signature)
        computed = None if partner is None else _computed(node, value, partner.value, value)
        if computed is None:
            continue
        if signature in matched:
            raise ExecutionError(
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            )
        matched.add(signature)
        result.append(Sample(_result_labels(node, labels), computed))
    return unambiguous(result)


def _result_labels(node: Binary, labels: Labels) -> Labels:
    kept = only(labels, node.labels) if node.on else without(labels, node.labels)
    return nameless(kept) if node.operator in _ARITHMETIC or node.as_bool else kept


def _many_to_many(node: Binary, one: Labels, other: Labels) -> ExecutionError:
    group = only(one, node.labels) if node.on else without(one, (NAME, *node.labels))
    return ExecutionError(
        f"found duplicate series for the match group {_braced(group)} on the right hand-side of the "
        f"operation: [{one}, {other}]"
        ";many-to-many matching not allowed: matching labels must be unique on one side"
    )


def _braced(labels: Labels) -> str:
    return str(labels) or "{}"


def _set_operation(node: Binary, left: Vector, right: Vector) -> Vector:
    if node.operator == "or":
        have = {_signature(node, sample.labels) for sample in left}
        return unambiguous(left + [s for s in right if _signature(node, s.labels) not in have])
    theirs = {_signature(node, sample.labels) for sample in right}
    wanted = node.operator == "and"
    return unambiguous([s for s in left if (_signature(node, s.labels) in theirs) is wanted])
