"""The verdicts, written down by whichever process finds them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.mutation.judges import SURVIVED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.mutation.mutants import Mutant


class Ledger:
    """One line for each verdict; survivors are told at once, for pytest keeps the standard output to itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()
        self._terminal = os.fdopen(os.dup(1), "w", buffering=1)

    def tell(self, mutant: Mutant, verdict: str) -> None:
        """Write a verdict down; a later one takes its place."""
        with self._path.open("a") as file:
            print(verdict, *_key(mutant), sep="\t", file=file)
        if verdict == SURVIVED:
            print(f"survived {mutant}", file=self._terminal)

    def verdict(self, mutant: Mutant) -> str | None:
        """The last one, None before the first."""
        lines = [line.split("\t") for line in self._path.read_text().splitlines()]
        return {tuple(key): verdict for verdict, *key in lines}.get(_key(mutant))


def _key(mutant: Mutant) -> tuple[str, str, str]:
    return str(mutant.path), str(mutant.place), str(mutant.way)
