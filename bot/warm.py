"""Imports what the first look and the first picture need, which is more than all else together."""

import threading
import time
from collections.abc import Callable, Sequence
from importlib import import_module

LATEST = 5.0  # seconds after the start
MODULES = ("strategies.gates.judge", "bot.metrics.charts")


class Warm:
    """Begins once there are no `troubles`, or they have been waited for.

    Beside the first lists of a large cluster it would take from the start what it gives to the first look.
    """

    def __init__(self, troubles: Callable[[], Sequence[str]]) -> None:
        self._troubles = troubles
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._load, name="warm", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Wait no longer."""
        self._stopping.set()
        self._thread.join(timeout=2)

    def _load(self) -> None:
        until = time.monotonic() + LATEST
        while self._troubles() and time.monotonic() < until:
            if self._stopping.wait(0.05):
                return
        for module in MODULES:
            import_module(module)
