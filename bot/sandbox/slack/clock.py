"""Message timestamps: unique, increasing, readable as seconds."""

from collections.abc import Callable

Clock = Callable[[], float]


class Timestamps:
    """Gives each message its `ts`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        """A ts later than every ts given before, even if the clock stands still."""
        self._last = max(int(self._clock() * 1_000_000), self._last + 100)
        return f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
