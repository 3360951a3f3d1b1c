"""The command: mutants of the named modules, each judged by the tests of the core in a process of its own."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
import os
import random
import signal
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.mutation.mutants import Mutant, mutants

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = ["tests/unit/core", "tests/unit/strategies", "tests/unit/bot/test_smoke.py"]
PATIENCE = 300
QUIETLY = ["-q", "-x", "-p", "no:cacheprovider", "-W", "ignore"]


def main() -> int:
    """0 when every mutant was noticed, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="+", type=Path, help="files of strategies")
    parser.add_argument("--sample", type=int, default=0, help="so many of each module, the same each time (0: all)")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="what judges them (default: %(default)s)")
    asked = parser.parse_args()
    # Everything is imported once, and each mutant inherits it.
    if _noticed(asked.tests):
        print("the tests fail without any change")
        return 1
    found = [(module, mutant) for module in asked.modules for mutant in _chosen(module, asked.sample)]
    killed = 0
    for module, mutant in found:
        is_noticed = _judged(module, mutant, asked.tests)
        killed += is_noticed
        if not is_noticed:
            print(f"survived {module}:{mutant.line}: {mutant.before}  ->  {mutant.after}", flush=True)
    print(f"{killed} of {len(found)} mutants were noticed ({100 * killed / max(len(found), 1):.0f} %)")
    return 0 if killed == len(found) else 1


def _chosen(module: Path, sample: int) -> list[Mutant]:
    every = list(mutants(module.read_text()))
    return random.Random(module.name).sample(every, min(sample or len(every), len(every)))


def _judged(module: Path, mutant: Mutant, tests: list[str]) -> bool:
    """True when a test notices, or the change runs for ever."""
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)
        _take(importlib.import_module(".".join(module.with_suffix("").parts)), mutant)
        os._exit(_noticed(tests))
    return os.waitpid(child, 0)[1] != 0


def _noticed(tests: list[str]) -> bool:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return pytest.main([*QUIETLY, *tests]) != pytest.ExitCode.OK


def _take(module: types.ModuleType, mutant: Mutant) -> None:
    """Put the changed code under the functions that everybody has imported already."""
    changed = {code.co_qualname: code for code in _codes(compile(mutant.tree, str(module.__file__), "exec"))}
    for function in _functions(module):
        if function.__code__.co_qualname in changed:
            function.__code__ = changed[function.__code__.co_qualname]


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield from _codes(each)


def _functions(module: types.ModuleType) -> Iterator[types.FunctionType]:
    named: list[Any] = list(vars(module).values())
    own = [each for each in named if getattr(each, "__module__", "") == module.__name__]
    members = [member for each in own if isinstance(each, type) for member in vars(each).values()]
    for each in [*own, *members]:
        bare = each.fget if isinstance(each, property) else getattr(each, "__func__", each)
        if isinstance(bare, types.FunctionType):
            yield bare


if __name__ == "__main__":
    sys.exit(main())
