"""Imports what the first look and the first picture need, which is more than all else together."""

import threading
from importlib import import_module

LATEST = 5.0  # seconds after the start
MODULES = ("strategies.gates.judge", "bot.metrics.charts")


class Warm:
    """Begins once the cluster has been `listed`, or that has been waited for.

    Beside the first lists of a large cluster it would take from the start what it gives to the first look.
    """

    def __init__(self) -> None:
        self._listed = threading.Event()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._load, name="warm", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def stop(self) -> None:
        """Wait no longer."""
        self._is_stopping = True
        self._listed.set()
        self._thread.join(timeout=2)

    def listed(self) -> None:
        """The cluster has been listed."""
        self._listed.set()

    def _load(self) -> None:
        self._listed.wait(LATEST)
        for module in () if self._is_stopping else MODULES:
            import_module(module)
