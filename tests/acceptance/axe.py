"""axe-core, installed by npm into the tests' cache; never part of the checkout."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.parts.cache import beside, cache_folder, locked

VERSION = "4.10.3"
INSTALL_SECONDS = 120


@functools.cache
def axe_source() -> str:
    """The script; without npm the test is skipped, and fails where CI is set."""
    named = os.environ.get("SLUICE_AXE")
    path = Path(named) if named else _installed()
    return path.read_text(encoding="utf-8")


def _installed() -> Path:
    cache = cache_folder() / f"axe-{VERSION}"
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    with locked(cache):
        if not script.is_file():
            _install(cache)
    return script


def _install(cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        text = "axe-core needs npm, or SLUICE_AXE with the path of axe.min.js"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    # Whole or not at all: what an interrupted run left is not taken for it.
    part = beside(cache)
    part.mkdir()
    command = [npm, "install", "--prefix", str(part), "--no-audit", "--no-fund", f"axe-core@{VERSION}"]
    subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    shutil.rmtree(cache, ignore_errors=True)
    part.rename(cache)
