"""The Go compiler, for parts that are built from modules whose go.mod and go.sum lie here."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.parts.processes import PartFailedError, PartMissingError

if TYPE_CHECKING:
    from pathlib import Path

BUILD_SECONDS = 1500


def has_go() -> bool:
    """True when there is a compiler."""
    return shutil.which("go") is not None


def go(module: Path, *arguments: str, instead: str) -> str:
    """What Go prints in the folder of a module; `instead` says what does without Go, where Go is missing."""
    if not has_go():
        raise PartMissingError(f"go is missing: install Go 1.24 or newer, or set {instead}")
    ran = subprocess.run(
        ["go", *arguments], cwd=module, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
    )
    if ran.returncode != 0:
        raise PartFailedError(f"go {' '.join(arguments[:2])} failed:\n{ran.stderr[-3000:]}")
    return ran.stdout
