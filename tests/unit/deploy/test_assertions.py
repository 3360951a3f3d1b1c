"""Every test can fail by its own words: it asserts, expects an error, or waits for what must come true."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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
    return any(isinstance(node, ast.Assert) for node in ast.walk(function)) or bool(called(function) & EXPECTING)


def test_every_test_asserts_something() -> None:
    everything = list(functions())
    direct = {function.name for _, function in everything if asserts(function)}
    by_name = [function for _, function in everything if BY_NAME.fullmatch(function.name)]
    named = {function.name for function in by_name if function.name in direct or called(function) & direct}
    tests = [(file, function) for file, function in everything if function.name.startswith("test_")]
    silent = [(file, test.name) for file, test in tests if not asserts(test) and not called(test) & named]
    assert len(tests) > 1000
    assert [f"{file.relative_to(TESTS)}::{name}" for file, name in silent] == []
