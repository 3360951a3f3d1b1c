"""Stand-ins for the ports, written by hand: time that a test moves, a mesh, metrics and a chat in memory."""

from datetime import UTC, datetime, timedelta

from bot.clock import SystemClock
from tests.builders import NOW
from tests.fakes_chat import FakeChat
from tests.fakes_mesh import FakeMesh
from tests.fakes_metrics import FakeMetrics
from tests.fakes_smoke import FakeSmoke
from tests.fakes_staging import FakeStaging, unguarded

__all__ = ["FakeChat", "FakeClock", "FakeMesh", "FakeMetrics", "FakeSmoke", "FakeStaging", "OffsetClock", "unguarded"]


class FakeClock:
    """Stands still until a test moves it."""

    def __init__(self, at: datetime = NOW) -> None:
        self._at = at

    def now(self) -> datetime:
        """The time that the test set."""
        return self._at

    def tick(self, **amount: float) -> datetime:
        """Move on by `timedelta(**amount)`."""
        self._at += timedelta(**amount)
        return self._at


class OffsetClock(SystemClock):
    """Runs as the machine's clock does; for tests with real threads and real waiting."""

    def in_seconds(self, seconds: float) -> datetime:
        """The moment so many seconds from now, to the millisecond that a database keeps."""
        moment = datetime.now(UTC) + timedelta(seconds=seconds)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
