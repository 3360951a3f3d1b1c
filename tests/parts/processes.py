"""Child processes of the real parts: free ports, start, stop, and the log when one fails."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from bot.sandbox.ports import free_port
from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

STOP_SECONDS = 2.0


class PartFailedError(RuntimeError):
    """A real part did not start; the message carries the end of its log."""


class PartMissingError(PartFailedError):
    """A real part is not installed; the message says what to install."""


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now and differ from each other."""
    found: dict[int, None] = {}
    while len(found) < count:
        found[free_port()] = None
    return list(found)


@contextlib.contextmanager
def running(command: Sequence[str], *, log: Path, ready: Callable[[], bool]) -> Iterator[None]:
    """The command runs and `ready` has answered yes; it is gone when the block ends."""
    with log.open("wb") as output:
        process = subprocess.Popen(_dies_with_us(command), stdout=output, stderr=subprocess.STDOUT)
    try:
        _await(process, ready=ready, log=log)
        yield
    finally:
        _stop(process)


def _dies_with_us(command: Sequence[str]) -> list[str]:
    # A test run that is killed outright runs no clean-up; the kernel then ends the child for it.
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", *command] if setpriv else list(command)


def _await(process: subprocess.Popen[bytes], *, ready: Callable[[], bool], log: Path) -> None:
    def has_failed() -> bool:
        return process.poll() is not None

    is_over = comes_true(lambda: ready() or has_failed(), every=0.03)
    if not is_over or has_failed():
        tail = log.read_text(errors="replace")[-3000:]
        raise PartFailedError(f"{log.stem} did not become ready (exit {process.poll()}):\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        # An API server waits up to a minute for open watches; the tests have no use for that courtesy.
        process.kill()
        process.wait(PATIENCE)
