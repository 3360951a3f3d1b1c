"""Reads a query into a tree; what the stand-in does not compute is refused here by name."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import promql_parser

from bot.sandbox.prometheus.labels import NAME
from bot.sandbox.prometheus.tree import (
    Aggregate,
    BadQueryError,
    Binary,
    Call,
    Kind,
    Match,
    Matcher,
    Negative,
    Node,
    Number,
    Selector,
    Text,
    Window,
    pattern,
)

if TYPE_CHECKING:
    from collections.abc import Callable


AGGREGATIONS = frozenset({"sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"})
SET_OPERATORS = frozenset({"and", "or", "unless"})
COMPARISONS = frozenset({"==", "!=", "<", ">", "<=", ">="})
ARITHMETIC = frozenset({"+", "-", "*", "/", "%", "^"})
# The closed list: whatever else the parser knows is refused.
FUNCTIONS = frozenset(
    {
        "abs",
        "absent",
        "absent_over_time",
        "avg_over_time",
        "ceil",
        "changes",
        "clamp",
        "clamp_max",
        "clamp_min",
        "count_over_time",
        "delta",
        "exp",
        "floor",
        "histogram_quantile",
        "idelta",
        "increase",
        "irate",
        "label_join",
        "label_replace",
        "last_over_time",
        "ln",
        "max_over_time",
        "min_over_time",
        "present_over_time",
        "quantile_over_time",
        "rate",
        "resets",
        "round",
        "scalar",
        "sort",
        "sort_desc",
        "sqrt",
        "stddev_over_time",
        "stdvar_over_time",
        "sum_over_time",
        "time",
        "timestamp",
        "vector",
    }
)
# By name: the parser's own enums compare but cannot be keys.
_MATCHES = {
    "Equal": Match.EQUAL,
    "NotEqual": Match.NOT_EQUAL,
    "Re": Match.PATTERN,
    "NotRe": Match.NOT_PATTERN,
}
_KINDS = {"Scalar": Kind.SCALAR, "Vector": Kind.VECTOR, "Matrix": Kind.MATRIX, "String": Kind.TEXT}
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|(`[^`]*`)|#[^\n]*', re.DOTALL)


@lru_cache(maxsize=1024)
def parse(query: str) -> Node:
    """The tree of a query; raises BadQueryError for what is wrong or not supported."""
    try:
        parsed = promql_parser.parse(_STRING.sub(_requoted, query))
    except ValueError as error:
        raise BadQueryError(f"parse error: {error}") from error
    return _translated(parsed)


def _requoted(found: re.Match[str]) -> str:
    """A back-quoted text in double quotes: the parser reads escapes in it, Prometheus does not."""
    raw = found.group(1)
    if raw is None:
        return found.group()
    inside = raw[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inside}"'


def _translated(node: Any) -> Node:
    translate = _TRANSLATIONS.get(type(node))
    if translate is None:
        raise _unsupported("subqueries" if isinstance(node, promql_parser.SubqueryExpr) else type(node).__name__)
    return translate(node)


def _call(node: Any) -> Call:
    name = node.func.name
    if name not in FUNCTIONS:
        raise _unsupported(f"function {name!r}")
    arguments = tuple(_translated(argument) for argument in node.args)
    return Call(name, arguments, _KINDS[_name(node.func.return_type)])


def _selector(node: Any) -> Selector:
    if node.at is not None:
        raise _unsupported("the @ modifier")
    if node.matchers.or_matchers:
        raise _unsupported("'or' between matchers")
    matchers = tuple(Matcher(m.name, _MATCHES[_name(m.op)], m.value) for m in node.matchers.matchers)
    for matcher in matchers:
        if matcher.match in (Match.PATTERN, Match.NOT_PATTERN):
            pattern(matcher.value)
    named = [m.value for m in matchers if m.name == NAME and m.match is Match.EQUAL]
    return Selector(node.name or (named[0] if named else None), matchers, _milliseconds(node.offset or timedelta()))


def _aggregate(node: Any) -> Aggregate:
    operator = str(node.op)
    if operator not in AGGREGATIONS:
        raise _unsupported(f"aggregation operator {operator!r}")
    grouping = node.modifier
    left_out = grouping is not None and grouping.type == promql_parser.AggModifierType.Without
    names = () if grouping is None else tuple(grouping.labels)
    return Aggregate(operator, _translated(node.expr), names, left_out)


def _binary(node: Any) -> Binary:
    operator, modifier = str(node.op), node.modifier
    if operator not in ARITHMETIC | COMPARISONS | SET_OPERATORS:
        raise _unsupported(f"operator {operator!r}")
    left, right = _translated(node.lhs), _translated(node.rhs)
    if modifier is None:
        return Binary(operator, left, right, (), on=False, as_bool=False)
    cardinality = promql_parser.VectorMatchCardinality
    if modifier.card in (cardinality.ManyToOne, cardinality.OneToMany):
        side = "group_left" if modifier.card == cardinality.ManyToOne else "group_right"
        raise _unsupported(side)
    if modifier.fill_values.lhs is not None or modifier.fill_values.rhs is not None:
        raise _unsupported("fill values")
    matching = modifier.matching
    names = () if matching is None else tuple(matching.labels)
    on = matching is not None and matching.type == promql_parser.LabelModifierType.Include
    return Binary(operator, left, right, names, on=on, as_bool=modifier.return_bool)


def _milliseconds(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))


def _name(member: Any) -> str:
    return repr(member).rpartition(".")[2]


def _unsupported(what: str) -> BadQueryError:
    return BadQueryError(f"{what} not supported by the built-in evaluator")


_TRANSLATIONS: dict[type, Callable[[Any], Node]] = {
    promql_parser.ParenExpr: lambda node: _translated(node.expr),
    promql_parser.NumberLiteral: lambda node: Number(node.val),
    promql_parser.StringLiteral: lambda node: Text(node.val),
    promql_parser.VectorSelector: _selector,
    promql_parser.MatrixSelector: lambda node: Window(_selector(node.vector_selector), _milliseconds(node.range)),
    promql_parser.Call: _call,
    promql_parser.AggregateExpr: _aggregate,
    promql_parser.BinaryExpr: _binary,
    promql_parser.UnaryExpr: lambda node: Negative(_translated(node.expr)),
}
