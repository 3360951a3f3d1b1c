"""Who of a worker's threads sleeps, so that a test need not guess how long they take to fall asleep."""

import threading
from datetime import timedelta

import pytest

from bot import worker
from bot.bell import Bell
from tests.patience import comes_true


class Sleepers:
    """Counts the threads that found nothing to do and were not rung for since; by themselves they never wake."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._asleep: dict[int, tuple[Bell, int]] = {}
        sleep = Bell.sleep

        def noted(bell: Bell, heard: int, seconds: float) -> None:
            name = threading.get_ident()
            self._asleep[name] = (bell, heard)
            sleep(bell, heard, seconds)
            del self._asleep[name]

        monkeypatch.setattr(Bell, "sleep", noted)
        monkeypatch.setattr(worker, "IDLE", timedelta(hours=1))

    def until(self, count: int) -> None:
        """Come back when so many sleep."""
        assert comes_true(lambda: self._sound() == count), f"{self._sound()} sleep, not {count}"

    def _sound(self) -> int:
        return sum(bell.heard == heard for bell, heard in list(self._asleep.values()))
