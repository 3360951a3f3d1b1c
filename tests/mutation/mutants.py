"""Small changes of a module: one operator, figure, word, condition or field that is no longer set."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
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
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_OTHER_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}
_NEVER_TAKEN = "pragma: no cover"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change; inside a function it can be made in code that is imported already, else only before the import."""

    path: Path
    place: int
    way: int
    lines: range
    is_inside: bool

    def tree(self) -> ast.Module:
        """The whole module with this change."""
        return self._made()[0]

    def __str__(self) -> str:
        _, before, after = self._made()
        return f"{self.path}:{self.lines.start}: {before}  ->  {after}"

    def _made(self) -> tuple[ast.Module, str, str]:
        source = self.path.read_text()
        tree = ast.parse(source)
        node = list(_places(tree, source))[self.place].node
        before = _written(node)
        _ways(node, words())[self.way]()
        return ast.fix_missing_locations(tree), before, _written(node)


def mutants(path: Path) -> Iterator[Mutant]:
    """Every small change of a module, in the order of the text."""
    source = path.read_text()
    for n, place in enumerate(_places(ast.parse(source), source)):
        for way in range(len(_ways(place.node, words()))):
            yield Mutant(path, n, way, place.lines, place.is_inside)


def words() -> Mapping[str, Sequence[str]]:
    """The members of every enumeration of the core, by its name."""
    if not _WORDS:
        for path in Path("strategies").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and any("Enum" in ast.unparse(base) for base in node.bases):
                    named = [each.targets[0] for each in node.body if isinstance(each, ast.Assign)]
                    _WORDS[node.name] = [name.id for name in named if isinstance(name, ast.Name)]
    return _WORDS


_WORDS: dict[str, Sequence[str]] = {}


@dataclass(frozen=True, slots=True)
class _Place:
    node: ast.AST
    lines: range
    is_inside: bool


def _places(tree: ast.Module, source: str) -> Iterator[_Place]:
    """Every node that runs, with the lines of its statement; annotations and what is never taken are left out."""
    yield from _walked(tree, source.splitlines(), _Place(tree, range(0), is_inside=False))


def _walked(node: ast.AST, written: Sequence[str], around: _Place) -> Iterator[_Place]:
    if _is_left_out(node, written):
        return
    here = _Place(node, _header(node) if isinstance(node, ast.stmt) else around.lines, around.is_inside)
    yield here
    match node:
        case ast.FunctionDef(args=arguments, body=body):
            defaults = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
            parts = [*((each, here) for each in defaults), *((each, replace(here, is_inside=True)) for each in body)]
        case ast.AnnAssign(value=value):
            parts = [(value, here)] if value is not None else []
        case _:
            parts = [(each, here) for each in ast.iter_child_nodes(node)]
    for part, outside in parts:
        yield from _walked(part, written, outside)


def _is_left_out(node: ast.AST, written: Sequence[str]) -> bool:
    line = getattr(node.pattern if isinstance(node, ast.match_case) else node, "lineno", None)
    if line is not None and _NEVER_TAKEN in written[line - 1]:
        return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _header(node: ast.stmt) -> range:
    """The lines of a statement without those of the statements inside it."""
    last = node.end_lineno or node.lineno
    inner = [
        getattr(part.pattern if isinstance(part, ast.match_case) else part, "lineno", last + 1)
        for name in ("body", "cases")
        for part in getattr(node, name, [])
    ]
    return range(node.lineno, max(min([last + 1, *inner]), node.lineno + 1))


def _written(node: ast.AST) -> str:
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        return f"if {ast.unparse(node.test)}"
    if isinstance(node, ast.Call) and node.keywords:
        return f"{ast.unparse(node.func)}({', '.join(str(keyword.arg) for keyword in node.keywords)})"
    if isinstance(node, ast.match_case):
        return f"case … if {ast.unparse(node.guard)}" if node.guard is not None else "case"
    return ast.unparse(node)


def _ways(node: ast.AST, words: Mapping[str, Sequence[str]]) -> list[Callable[[], None]]:
    """The changes of one node, each made in place."""
    return [*_other_operators(node), *_other_conditions(node), *_other_values(node, words)]


def _other_operators(node: ast.AST) -> list[Callable[[], None]]:
    match node:
        case ast.Compare():
            return [_swapped(node, n) for n, one in enumerate(node.ops) if type(one) in _SWAPS]
        case ast.BoolOp(op=one) | ast.BinOp(op=one) | ast.AugAssign(op=one) if type(one) in _SWAPS:
            return [partial(setattr, node, "op", _SWAPS[type(one)]())]
        case ast.Call(func=ast.Name(id=name) as called) if name in _OTHER_NAMES:
            return [partial(setattr, called, "id", _OTHER_NAMES[name])]
        case _:
            return []


def _other_conditions(node: ast.AST) -> list[Callable[[], None]]:
    match node:
        case ast.UnaryOp(op=ast.Not()):
            # Twice no is yes, and still a truth value.
            return [partial(setattr, node, "operand", ast.UnaryOp(ast.Not(), node.operand))]
        case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test) if _is_plain(test):
            return [partial(setattr, node, "test", ast.UnaryOp(ast.Not(), test))]
        case ast.match_case(guard=ast.expr() as guard) if _is_plain(guard):
            return [partial(setattr, node, "guard", ast.UnaryOp(ast.Not(), guard))]
        case ast.comprehension():
            return [_denied(node, n) for n, test in enumerate(node.ifs) if _is_plain(test)]
        case _:
            return []


def _other_values(node: ast.AST, words: Mapping[str, Sequence[str]]) -> list[Callable[[], None]]:
    match node:
        case ast.Constant(value=bool(value)):
            return [partial(setattr, node, "value", not value)]
        case ast.Constant(value=int(value)):
            return [partial(setattr, node, "value", value + 1)]
        case ast.Constant(value=float(value)):
            return [partial(setattr, node, "value", 2 * value or 1.0)]
        case ast.Attribute(value=ast.Name(id=word), attr=member) if member in words.get(word, ()):
            return [partial(setattr, node, "attr", _next(words[word], member))]
        case ast.Call(func=ast.Name(id="replace")):
            return [_dropped(node, n) for n in range(len(node.keywords))]
        case _:
            return []


def _is_plain(test: ast.expr) -> bool:
    """True for a condition that no other change turns."""
    is_turned = isinstance(test, (ast.Compare, ast.BoolOp)) or (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)
    )
    return not is_turned


def _next(members: Sequence[str], member: str) -> str:
    return members[(list(members).index(member) + 1) % len(members)]


def _swapped(node: ast.Compare, n: int) -> Callable[[], None]:
    def change() -> None:
        operator = _SWAPS[type(node.ops[n])]()
        assert isinstance(operator, ast.cmpop)
        node.ops[n] = operator

    return change


def _denied(node: ast.comprehension, n: int) -> Callable[[], None]:
    def change() -> None:
        node.ifs[n] = ast.UnaryOp(ast.Not(), node.ifs[n])

    return change


def _dropped(node: ast.Call, n: int) -> Callable[[], None]:
    def change() -> None:
        del node.keywords[n]

    return change
