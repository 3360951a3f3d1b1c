"""A lock that is handed over in the order in which it was asked for."""

import threading
from collections import deque


class Turns:
    """One holder at a time, first come, first served.

    `threading.Lock` goes to whoever is quickest, and a thread that releases it and asks again is: a thousand looks
    stored in parts would keep a rollback waiting until the last of them.
    """

    def __init__(self) -> None:
        self._state = threading.Lock()
        self._is_taken = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, timeout: float) -> bool:
        """Wait for one's turn; False when it has not come in time."""
        with self._state:
            if not self._is_taken:
                self._is_taken = True
                return True
            place = threading.Lock()
            place.acquire()
            self._waiting.append(place)
        return place.acquire(timeout=timeout) or self._gave_up(place)

    def release(self) -> None:
        """Hand over to whoever has waited longest."""
        with self._state:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False

    def _gave_up(self, place: threading.Lock) -> bool:
        """True when the turn came in the moment in which the wait ended."""
        with self._state:
            if place not in self._waiting:
                return True
            self._waiting.remove(place)
            return False
