"""Which test comes by which line of the core, and how long it takes."""

from __future__ import annotations

import pickle
import time
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest
from hypothesis import Phase, settings

from tests.mutation.processes import in_child, quietly

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence, Set

    from tests.mutation.mutants import Mutant

OPTIONS = ["-q", "-p", "no:cacheprovider", "-W", "ignore"]
Line = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Visits:
    """Seconds by test, and tests by line; of those that come by somewhere, `limit` seconds are enough."""

    limit: float
    seconds: dict[str, float] = field(default_factory=dict)
    tests: dict[Line, Set[str]] = field(default_factory=dict)

    def of_lines(self, mutant: Mutant) -> list[str]:
        """The tests that come by the statement, the quickest first."""
        found = {test for line in mutant.lines for test in self.tests.get((str(mutant.path), line), ())}
        return self.within(sorted(found, key=self.seconds.__getitem__))

    def within(self, tests: Sequence[str]) -> list[str]:
        """As many of the tests as `limit` has seconds for."""
        sums = accumulate(self.seconds[test] for test in tests)
        return [test for test, total in zip(tests, sums, strict=True) if total <= self.limit]

    def of_module(self, path: Path) -> list[str]:
        """The tests that import the module or come by it, then those that come by its importers; the quickest first.

        A table is read without any line of its module being run.
        """
        importers = {str(other) for other in Path("strategies").rglob("*.py") if _imports(other, path)}
        files = {test.partition("::")[0] for test in self.seconds}
        reading = {file for file in files if _imports(Path(file), path)}
        near = set(self._of({str(path)})) | {test for test in self.seconds if test.partition("::")[0] in reading}
        first, second = (sorted(some, key=self.seconds.__getitem__) for some in (near, set(self._of(importers)) - near))
        return self.within([*first, *second])

    def _of(self, paths: Set[str]) -> Iterator[str]:
        for (path, _), tests in self.tests.items():
            if path in paths:
                yield from tests


def _imports(other: Path, path: Path) -> bool:
    package, name = ".".join(path.parent.parts), path.stem
    text = other.read_text()
    return f"{package}.{name} import" in text or any(
        line.startswith(f"from {package} import") and name in line for line in text.splitlines()
    )


def recorded(tests: Sequence[str], folder: Path, limit: float) -> Visits | None:
    """One run of all tests without any change, in a process of its own; None when it fails."""
    kept = folder / "visits"
    if in_child(lambda: _record(tests, kept, limit)) != 0:
        return None
    visits: Visits = pickle.loads(kept.read_bytes())
    return visits


def _record(tests: Sequence[str], kept: Path, limit: float) -> int:
    meter = coverage.Coverage(data_file=None, config_file=False, source=["strategies"])
    recorder = Recorder(meter)
    meter.start()
    with quietly():
        code = pytest.main([*OPTIONS, "-x", *tests], plugins=[recorder, Repeatable()])
    meter.stop()
    visits = Visits(limit, recorder.seconds)
    data = meter.get_data()
    for file in data.measured_files():
        for line, contexts in data.contexts_by_lineno(file).items():
            visits.tests[(str(Path(file).relative_to(Path.cwd())), line)] = set(contexts) & recorder.seconds.keys()
    kept.write_bytes(pickle.dumps(visits))
    return int(code)


class Recorder:
    """Tells coverage which test runs, and takes the time."""

    def __init__(self, meter: coverage.Coverage) -> None:
        self.seconds: dict[str, float] = {}
        self._meter = meter
        self._begun = 0.0

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Begin a test."""
        self._meter.switch_context(nodeid)
        self._begun = time.process_time()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """End a test."""
        self.seconds[nodeid] = time.process_time() - self._begun
        self._meter.switch_context("")


class Repeatable:
    """Random examples are the same for every mutant, and a failing one is not made smaller."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """After `tests/conftest.py`, before any test is imported."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", settings(), derandomize=True, database=None, phases=phases)
        settings.load_profile("mutation")
