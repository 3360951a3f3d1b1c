"""Keeps the live cards moving between decisions: progress edits, oldest first, from what the rate limit leaves."""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.errors import SluiceError, Transient
from bot.looks import is_looked_at
from storage.errors import StorageError
from strategies.effects import RefreshCard
from strategies.release import Release

log = logging.getLogger(__name__)

# Slack allows some 50 edits a minute; decisions come first, so progress takes at most two thirds of them.
PACE = timedelta(seconds=1.8)


class LiveCards:
    """One thread that refreshes cards nobody is waiting for. Losing one costs nothing: the next look marks it again."""

    def __init__(self, refresh: Callable[[RefreshCard], None], pace: timedelta = PACE) -> None:
        self._refresh = refresh
        self._pace = pace.total_seconds()
        self._dirty: dict[str, None] = {}  # in order of marking, so that the longest waiting comes first
        self._change = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="live-cards", daemon=True)

    def start(self) -> None:
        """Begin to refresh."""
        self._thread.start()

    def stop(self) -> None:
        """End after the card at hand."""
        with self._change:
            self._stopping = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def mark(self, releases: Sequence[Release]) -> None:
        """These releases have something new to show."""
        with self._change:
            for release in releases:
                if is_looked_at(release):
                    self._dirty.setdefault(release.id)
                else:
                    # Its last state is a decision's to show; progress that nobody has seen yet is over.
                    self._dirty.pop(release.id, None)
            self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: self._stopping or self._dirty)
                if self._stopping:
                    return
                id = next(iter(self._dirty))
                del self._dirty[id]
            self._pause(self._shown(id))

    def _shown(self, id: str) -> float:
        try:
            self._refresh(RefreshCard(id))
        except Transient as error:
            return max(self._pace, error.retry_after or 0)
        except (SluiceError, StorageError) as error:
            log.warning("release=%s progress not shown: %s", id, error)
        return self._pace

    def _pause(self, seconds: float) -> None:
        with self._change:
            self._change.wait_for(lambda: self._stopping, timeout=seconds)
