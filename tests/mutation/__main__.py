"""The command: mutants of the named modules, each judged in a process of its own by the tests that come by there."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.mutation.judges import SURVIVED, UNREACHED, judged_anew, judged_together
from tests.mutation.ledger import Ledger
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.processes import in_child
from tests.mutation.visits import recorded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TESTS = [f"tests/unit/{name}" for name in ("core", "strategies", "gates", "bot", "preflight", "replay")]


def main() -> int:
    """0 when every mutant was noticed, 1 when some were not, 2 when the tests fail without any change."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", type=Path, help="files of strategies (default: all)")
    parser.add_argument("--sample", type=int, default=0, help="so many of each module, the same each time (0: all)")
    parser.add_argument("--seconds", type=float, default=4, help="of tests for one, the quickest first (default: 4)")
    parser.add_argument("--tests", nargs="*", default=TESTS, help="what judges them (default: %(default)s)")
    asked = parser.parse_args()
    possible = {path: list(mutants(path)) for path in asked.modules or sorted(Path("strategies").rglob("*.py"))}
    chosen = [mutant for path, every in possible.items() for mutant in _chosen(path, every, asked.sample)]
    with tempfile.TemporaryDirectory() as folder:
        visits = recorded(asked.tests, Path(folder), asked.seconds)
        if visits is None:
            print("the tests fail without any change")
            return 2
        ledger = Ledger(Path(folder) / "verdicts")
        inside = [mutant for mutant in chosen if mutant.is_inside]
        in_child(lambda: judged_together(inside, asked.tests, visits, ledger.tell))
        judged_anew([mutant for mutant in chosen if ledger.verdict(mutant) in {None, UNREACHED}], visits, ledger.tell)
        return _summed_up(possible, chosen, [mutant for mutant in chosen if ledger.verdict(mutant) == SURVIVED])


def _chosen(module: Path, every: list[Mutant], sample: int) -> list[Mutant]:
    return every if not sample else random.Random(module.name).sample(every, min(sample, len(every)))


def _summed_up(possible: Mapping[Path, Sequence[Mutant]], chosen: Sequence[Mutant], survivors: Sequence[Mutant]) -> int:
    """The table of CONTRIBUTING.md."""
    print("| module | possible | tried | noticed |\n| --- | ---: | ---: | ---: |")
    for path, every in possible.items():
        tried, lost = (sum(mutant.path == path for mutant in some) for some in (chosen, survivors))
        print(f"| `{path}` | {len(every)} | {tried} | {tried - lost} |")
    noticed = len(chosen) - len(survivors)
    print(f"{noticed} of {len(chosen)} mutants were noticed, of {sum(map(len, possible.values()))} possible")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
