"""Wakes threads that have nothing to do."""

import threading


class Bell:
    """Each ring wakes one of those who sleep; who is awake hears it before they fall asleep.

    `heard` is asked before looking for work, and goes into `sleep`: what was rung in between is not slept through.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rung = 0

    @property
    def heard(self) -> int:
        """How often it was rung so far."""
        with self._condition:
            return self._rung

    def ring(self, *, everybody: bool = False) -> None:
        """There is something to do for one sleeper, or for all."""
        with self._condition:
            self._rung += 1
            if everybody:
                self._condition.notify_all()
            else:
                self._condition.notify()

    def sleep(self, heard: int, seconds: float) -> None:
        """Until it is rung, at most so long; not at all when it was rung since it was `heard` last."""
        with self._condition:
            if self._rung == heard:
                self._condition.wait(seconds)
