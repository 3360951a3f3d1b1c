"""axe-core, installed by npm into the tests' cache; never part of the checkout."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import pytest

VERSION = "4.10.3"
INSTALL_SECONDS = 120


@functools.cache
def axe_source() -> str:
    """The script; without npm the test is skipped, and fails where CI is set."""
    named = os.environ.get("SLUICE_AXE")
    path = Path(named) if named else _installed()
    return path.read_text(encoding="utf-8")


def _installed() -> Path:
    cache = Path(os.environ.get("SLUICE_TEST_CACHE") or Path.home() / ".cache" / "sluice-tests") / f"axe-{VERSION}"
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if script.is_file():
        return script
    npm = shutil.which("npm")
    if npm is None:
        text = "axe-core needs npm, or SLUICE_AXE with the path of axe.min.js"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    cache.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--prefix", str(cache), "--no-audit", "--no-fund", f"axe-core@{VERSION}"]
    subprocess.run(command, check=True, capture_output=True, timeout=INSTALL_SECONDS)
    return script
