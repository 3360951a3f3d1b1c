"""Rules of the house that no import contract can say."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LONGEST = 400
# Of the standard library, what computes; files, sockets, processes, chance and clocks are not among it.
COMPUTING = frozenset(
    ("bisect", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "itertools", "json", "math")
) | {"re", "statistics", "strategies", "typing"}
JUDGING = COMPUTING | {"numpy", "scipy"}
CLOCKS = frozenset({"now", "today", "utcnow", "open", "__import__"})


def sources(*folders: str) -> list[Path]:
    """Every Python file of the packages."""
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def nodes(path: Path, word: str) -> Iterator[ast.AST]:
    """Everything in a file, read only where its text has the word at all."""
    text = path.read_text()
    if word in text:
        yield from ast.walk(ast.parse(text))


def has_coroutines(path: Path) -> bool:
    """True when a file defines a coroutine."""
    return any(isinstance(node, ast.AsyncFunctionDef) for node in nodes(path, "async"))


def reached(path: Path) -> set[str]:
    """What a file imports, by its first name, and what it calls that asks a clock or the disk."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                found |= {each.name.partition(".")[0] for each in names}
            case ast.ImportFrom(module=module):
                found.add((module or ".").partition(".")[0])
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in CLOCKS:
                found.add(f"{name}()")
    return found


def test_the_core_reaches_nothing_outside_and_asks_no_clock() -> None:
    allowed = {path: JUDGING if "gates" in path.parts else COMPUTING for path in sources("strategies")}
    assert len(allowed) > 50
    assert {path.name: found for path in allowed if (found := reached(path) - allowed[path])} == {}


def test_only_the_sandbox_and_the_http_door_have_coroutines() -> None:
    found = {
        path.relative_to(ROOT).as_posix() for path in sources("bot", "strategies", "storage") if has_coroutines(path)
    }
    outside = {path for path in found if not path.startswith("bot/sandbox/")}
    assert outside == {"bot/api/http.py", "bot/cli/sandbox.py"}  # the second only starts the sandbox


def test_no_module_outgrows_one_job() -> None:
    files = sources("bot", "strategies", "storage", "tests")
    assert [path.name for path in files if len(path.read_text().splitlines()) > LONGEST] == []


def test_broad_excepts_stand_only_where_a_failed_effect_becomes_an_event() -> None:
    broad = {
        path.relative_to(ROOT).as_posix()
        for path in sources("bot", "strategies", "storage")
        for node in nodes(path, "Exception")
        if isinstance(node, ast.ExceptHandler) and isinstance(node.type, ast.Name) and node.type.id == "Exception"
    }
    assert {path for path in broad if not path.startswith("bot/sandbox/")} <= {"bot/worker.py"}
