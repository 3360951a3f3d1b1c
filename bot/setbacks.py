"""Notices that the system's clock was set back, which whoever sleeps until a time does not."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from bot.ports import Clock

log = logging.getLogger(__name__)
EVERY = 5.0  # seconds between two looks at the clock
SMALL = timedelta(seconds=1)  # a clock that is slewed is behind by less


class Setbacks:
    """Holds the clock against the time that passed, and tells `listener` when it went back."""

    def __init__(
        self, clock: Clock, listener: Callable[[], None], passed: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._listener = listener
        self._passed = passed
        self._known = clock.now(), passed()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begin to look now and then."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        self._thread.join(timeout=2)

    def look(self) -> None:
        """Compare the clock with what it must show at least."""
        (then, before), (now, passed) = self._known, (self._clock.now(), self._passed())
        self._known = now, passed
        behind = then + timedelta(seconds=passed - before) - now
        if behind > SMALL:
            log.warning("the clock was set back by %s: what waits for a time is looked at anew", behind)
            self._listener()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY):
            self.look()
