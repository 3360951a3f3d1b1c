"""The folder in which tests keep what takes long to get, shared by parallel runs."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def cache_folder() -> Path:
    """SLUICE_TEST_CACHE, else the user's cache; made when absent."""
    chosen = os.environ.get("SLUICE_TEST_CACHE")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "sluice-tests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def key(source: Path) -> str:
    """Differs by machine, and by the file that says what is wanted."""
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    return f"{platform.system().lower()}-{platform.machine()}-{digest}"


def beside(target: Path) -> Path:
    """Where a new one is made before it takes the place of the old one."""
    return target.with_name(f"{target.name}.part-{os.getpid()}")


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Parallel runs make it once: the second waits and then finds the result."""
    with target.with_name(f"{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
