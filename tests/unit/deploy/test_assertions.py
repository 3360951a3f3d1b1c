"""Every test can fail by its own words: it asserts, expects an error, or waits for what must come true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
Function = ast.FunctionDef | ast.AsyncFunctionDef
EXPECTING = {"raises", "fail", "expect"}
# What a test may leave the asserting to, by name: each of these asserts, which is looked up.
BY_NAME = re.compile(r"assert_\w+|eventually|until|told_privately|has_ready")


def functions() -> Iterator[tuple[Path, Function]]:
    for file in sorted(TESTS.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, Function):
                yield file, node


def called(function: Function) -> set[str]:
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    names = {call.id for call in calls if isinstance(call, ast.Name)}
    return names | {call.attr for call in calls if isinstance(call, ast.Attribute)}


def asserts(function: Function) -> bool:
    """True when it asserts what could be otherwise, itself or in a function of its own that it uses."""
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    used |= {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    return any(isinstance(node, ast.Assert) and could_fail(node.test) for node in run(function, used)) or bool(
        called(function) & EXPECTING
    )


def run(node: ast.AST, used: set[str]) -> Iterator[ast.AST]:
    """Every node but those of inner functions that nobody names."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, Function) or child.name in used:
            yield from run(child, used)


def could_fail(test: ast.expr) -> bool:
    """False for what is true by its words: a constant, a literal with something in it, a thing that equals itself."""
    match test:
        case ast.Tuple() | ast.List() | ast.Set() | ast.Dict() | ast.JoinedStr() | ast.Lambda():
            return False
        case ast.Compare(left=left, comparators=[right]) if ast.dump(left) == ast.dump(right):
            return any(isinstance(node, ast.Call) for node in ast.walk(left))
        case ast.BoolOp(op=ast.Or(), values=values):
            return all(could_fail(value) for value in values)
        case ast.BoolOp(values=values):
            return any(could_fail(value) for value in values)
        case _:
            return any(isinstance(node, ast.Name) for node in ast.walk(test))


def test_every_test_asserts_something() -> None:
    everything = list(functions())
    direct = {function.name for _, function in everything if asserts(function)}
    by_name = [function for _, function in everything if BY_NAME.fullmatch(function.name)]
    named = {function.name for function in by_name if function.name in direct or called(function) & direct}
    tests = [(file, function) for file, function in everything if function.name.startswith("test_")]
    silent = [(file, test.name) for file, test in tests if not asserts(test) and not called(test) & named]
    assert len(tests) > 1000
    assert [f"{file.relative_to(TESTS)}::{name}" for file, name in silent] == []


@pytest.mark.parametrize(
    "body",
    [
        "pass",
        "assert True",
        "assert 1 + 1 == 2",
        "assert found == found",
        "assert (found == 1, 'a tuple is always true')",
        "assert found == 1 or True",
        "assert f'{found}'",
        "def never_called():\n        assert found == 1",
        "print('raises')",
    ],
)
def test_what_cannot_fail_is_no_assertion(body: str) -> None:
    function = ast.parse(f"def test_it(found):\n    {body}").body[0]
    assert isinstance(function, Function)
    assert not asserts(function)


@pytest.mark.parametrize(
    "body",
    [
        "assert found",
        "assert not found",
        "assert found == 1 and True",
        "assert next(found) == next(found)",
        "def judged():\n        assert found == 1\n    judged()",
        "with pytest.raises(ValueError):\n        found()",
    ],
)
def test_what_can_fail_is_an_assertion(body: str) -> None:
    function = ast.parse(f"def test_it(found):\n    {body}").body[0]
    assert isinstance(function, Function)
    assert asserts(function)
