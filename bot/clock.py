"""The clock of the machine."""

from datetime import UTC, datetime


class SystemClock:
    """Aware UTC from the operating system."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)
