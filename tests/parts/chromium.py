"""The browser that is installed, and how to start it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.parts.install import CHROMIUM
from tests.parts.processes import PartMissingError


def chromium_path() -> Path:
    """The executable for Playwright's `executable_path`; SLUICE_CHROMIUM names another."""
    named = os.environ.get("SLUICE_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None or not Path(found).is_file():
        raise PartMissingError("no Chromium: install the package `chromium` or set SLUICE_CHROMIUM")
    return Path(found)


def launch_arguments() -> list[str]:
    """What headless Chromium needs here: no sandbox as root, no shared memory of a container's size."""
    arguments = ["--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"]
    return ["--no-sandbox", *arguments] if os.geteuid() == 0 else arguments
