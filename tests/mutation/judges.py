"""Judges mutants by the tests that come by: in code imported already where that can be, else by importing all anew."""

from __future__ import annotations

import functools
import importlib
import importlib.machinery
import importlib.util
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from tests.mutation.processes import in_child, quietly
from tests.mutation.visits import OPTIONS, Repeatable, Visits

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tests.mutation.mutants import Mutant

SURVIVED, NOTICED, UNREACHED = "survived", "noticed", "unreached"
_CODES = {SURVIVED: 0, NOTICED: 1, UNREACHED: 77}
FIRST_TESTS = 40


def judged_together(
    mutants: Sequence[Mutant], tests: Sequence[str], visits: Visits, tell: Callable[[Mutant, str], None]
) -> int:
    """The tests are collected once, and each mutant of a function is judged in a fork of that; pytest's exit code."""
    with quietly():
        return int(pytest.main([*OPTIONS, *tests], plugins=[_Loop(mutants, visits, tell), Repeatable()]))


class _Loop:
    """Takes the place of pytest's own loop over the tests."""

    def __init__(self, mutants: Sequence[Mutant], visits: Visits, tell: Callable[[Mutant, str], None]) -> None:
        self._mutants, self._visits, self._tell = mutants, visits, tell

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items = {item.nodeid: item for item in session.items}
        for mutant in self._mutants:
            run = [items[test] for test in self._visits.of_lines(mutant)]
            self._tell(mutant, _verdict(functools.partial(_patched, session, mutant, run)))
        return True


def _verdict(work: Callable[[], int]) -> str:
    """A change that ends the process, or never ends, is noticed as well."""
    code = in_child(work, is_bounded=True)
    return next((verdict for verdict, known in _CODES.items() if known == code), NOTICED)


def _patched(session: pytest.Session, mutant: Mutant, run: Sequence[pytest.Item]) -> int:
    """Put the changed code under the functions that everybody has imported already, and run the tests."""
    if not _take(importlib.import_module(dotted(mutant.path)), mutant):
        return _CODES[UNREACHED]
    for item, following in zip(run, [*run[1:], None], strict=True):
        item.ihook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return _CODES[NOTICED]
    return _CODES[SURVIVED]


def _take(module: types.ModuleType, mutant: Mutant) -> bool:
    """True when the function with the change was found."""
    codes = _codes(compile(mutant.tree(), str(module.__file__), "exec"))
    changed = {code.co_qualname: code for code in codes if mutant.lines.start in _lines(code)}
    found = [each for each in _functions(module) if each.__code__.co_qualname in changed]
    for function in found:
        function.__code__ = changed[function.__code__.co_qualname]
    return bool(found)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _codes(each)


def _lines(code: types.CodeType) -> set[int]:
    return {line for each in _codes(code) for _, _, line in each.co_lines() if line}


def _functions(module: types.ModuleType) -> Iterator[types.FunctionType]:
    named: list[Any] = list(vars(module).values())
    own = [each for each in named if getattr(each, "__module__", "") == module.__name__]
    members = [member for each in own if isinstance(each, type) for member in vars(each).values()]
    for each in [*own, *members]:
        if hasattr(each, "cache_clear"):
            each.cache_clear()
        bare = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
        bare = getattr(bare, "__wrapped__", bare)
        if isinstance(bare, types.FunctionType):
            yield bare


def judged_anew(mutants: Iterable[Mutant], visits: Visits, tell: Callable[[Mutant, str], None]) -> None:
    """Each mutant is imported in a fork of a process that has not imported the core yet."""
    for mutant in mutants:
        tell(mutant, _verdict(functools.partial(_imported, mutant, visits.of_module(mutant.path))))


def _imported(mutant: Mutant, tests: Sequence[str]) -> int:
    sys.meta_path.insert(0, _Changed(mutant))
    # Most changes are noticed by few tests, which are found without collecting all.
    for some in (tests[:FIRST_TESTS], tests[FIRST_TESTS:]):
        with quietly():
            code = pytest.main([*OPTIONS, "-x", *some], plugins=[Repeatable()]) if some else 0
        if code:
            return _CODES[NOTICED]
    return _CODES[SURVIVED]


class _Changed(importlib.machinery.SourceFileLoader):
    """Finds and loads one module as the mutant has it."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(dotted(mutant.path), str(mutant.path.resolve()))
        self._code = compile(mutant.tree(), self.path, "exec")

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, fullname: str) -> types.CodeType:
        return self._code


def dotted(path: Path) -> str:
    """A file as a module."""
    return ".".join(path.with_suffix("").parts)
