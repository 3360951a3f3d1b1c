"""What the tiers came to, for `tests/run`: runs on a bare Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

FAILED = 1


@dataclass
class Result:
    """What one tier came to."""

    tier: str
    passed: int
    failed: int
    good: bool
    note: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0


def counted(report: Path) -> tuple[int, int]:
    """Passed and failed of a JUnit report."""
    if not report.exists():
        return 0, 0
    passed = failed = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        number = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
        bad = number["failures"] + number["errors"]
        failed += bad
        passed += number["tests"] - bad - number["skipped"]
    return passed, failed


def summed_up(results: Sequence[Result]) -> int:
    """The table of tiers, and the one line that counts, last."""
    for result in results:
        state = "ok" if result.good else "FAILED"
        note = f"  ({result.note})" if result.note else ""
        counts = f"{result.passed:>6} passed {result.failed:>4} failed"
        print(f"{result.tier:<12} {state:<7} {counts} {result.seconds:>8.1f} s {result.cpu_seconds:>8.1f} CPU s{note}")
    print(f"{sum(result.passed for result in results)} passed, {sum(result.failed for result in results)} failed")
    return 0 if all(result.good for result in results) else FAILED
