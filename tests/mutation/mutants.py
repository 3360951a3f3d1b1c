"""Small changes of a module's functions: one operator, one figure, one word."""

from __future__ import annotations

import ast
import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SWAPS: dict[type, type] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
}
CHANGED = (ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Constant)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A whole module with one change in one function."""

    line: int
    before: str
    after: str
    tree: ast.Module


def mutants(source: str) -> Iterator[Mutant]:
    """Every small change that can be made inside the functions of a module."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = {id(node) for function in functions for part in function.body for node in ast.walk(part)}
    for n, node in enumerate(ast.walk(tree)):
        if id(node) not in inside or not isinstance(
            node, (ast.Compare, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Constant)
        ):
            continue
        other = copy.deepcopy(tree)
        twin = list(ast.walk(other))[n]
        if _changed(twin):
            yield Mutant(node.lineno, ast.unparse(node), ast.unparse(twin), ast.fix_missing_locations(other))


def _changed(node: ast.AST) -> bool:
    """True when the node was made to say something else."""
    match node:
        case ast.Compare(ops=[one]) if type(one) in _SWAPS:
            node.ops = [_SWAPS[type(one)]()]
        case ast.BoolOp(op=one) | ast.BinOp(op=one) if type(one) in _SWAPS:
            node.op = _SWAPS[type(one)]()
        case ast.UnaryOp(op=ast.Not()):
            # Twice no is yes, and still a truth value.
            node.operand = ast.UnaryOp(ast.Not(), node.operand)
        case ast.Constant(value=bool(value)):
            node.value = not value
        case ast.Constant(value=int(value)):
            node.value = value + 1
        case _:
            return False
    return True
