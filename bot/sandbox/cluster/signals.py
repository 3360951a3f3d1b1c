"""Signals to child processes of the event loop."""

import asyncio
import os
import signal
from contextlib import suppress


def send(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signal a child that still runs.

    Not by the process's own methods: those poll first, which takes the exit code away from asyncio's watcher when
    the child has just ended by itself.
    """
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)
