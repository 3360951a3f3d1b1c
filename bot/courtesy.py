"""Lets what somebody waits for go before work that nobody waits for, in a process of many threads."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

LONGEST = 0.25  # seconds that one hurried piece of work counts: a neighbour that hangs must not stop everything else
AFTER = 0.01  # seconds behind a hurried piece of work in which the next one of the same click begins
CREDIT = 2.0  # seconds that others wait in a row at most
SHARE = 0.3  # of the time that others wait at most, after that

Hurry = Callable[[], AbstractContextManager[None]]


class Courtesy:
    """Who is in a hurry says so; who is not asks between two pieces of work.

    Python's threads share one interpreter, and each wait of a click for a socket or a disk queues up for it anew: a
    tick of looks beside it makes every one of these waits longer. Giving way is limited, so that looks never stop.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._ends: dict[int, float] = {}  # of what is done in a hurry now
        self._named = 0
        self._until = 0.0
        self._credit = CREDIT
        self._counted_at = time.monotonic()

    @contextmanager
    def hurry(self) -> Iterator[None]:
        """Somebody waits for what is done in this block."""
        with self._condition:
            self._named += 1
            name = self._named
            self._until = self._ends[name] = time.monotonic() + LONGEST
        try:
            yield
        finally:
            with self._condition:
                end = min(self._ends.pop(name), time.monotonic() + AFTER)
                self._until = max([end, *self._ends.values()])
                self._condition.notify_all()

    def give_way(self) -> None:
        """Wait until nobody is in a hurry, as far as courtesy goes. To be called often: mostly it does nothing."""
        now = time.monotonic()
        if now >= self._until:
            return
        with self._condition:
            self._credit = min(CREDIT, self._credit + (now - self._counted_at) * SHARE)
            self._counted_at, most = now, now + self._credit
            while (left := min(self._until, most) - time.monotonic()) > 0:
                self._condition.wait(left)
            self._credit -= time.monotonic() - now
