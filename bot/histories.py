"""What was before releases: read once for each, and for several in the same queries."""

import threading
from collections.abc import Sequence

from bot import preflight
from bot.engine import Engine
from bot.errors import Transient
from bot.ports import Clock, Metrics
from strategies.events import HistoryRead
from strategies.release import Phase, Release

LACKING = frozenset({Phase.PREPARING, Phase.SHIFTING, Phase.OBSERVING})
MOST = 100  # releases of which the metrics may take some more


class Histories:
    """One reading at a time: whoever asks meanwhile waits for it, and mostly finds that theirs was among it."""

    def __init__(self, engine: Engine, metrics: Metrics, clock: Clock) -> None:
        self._engine = engine
        self._metrics = metrics
        self._clock = clock
        self._reading = threading.Lock()

    def read(self, id: str) -> str:
        """The history of a release, as it is stored with it; empty for one that is over.

        Transient when Prometheus does not tell.
        """
        if not self._reading.acquire(timeout=preflight.UNHURRIED):
            raise Transient("Other histories are being read.")
        try:
            release = self._engine.release(id)
            if release is None or release.is_over or release.history:
                return release.history if release else ""
            subjects = (release, *self._others(release))
            found = preflight.of_releases(self._metrics, subjects, self._clock.now())
            for each, known in zip(subjects, found, strict=False):
                if not known.past.trouble:
                    self.tell(each.id, known)
        finally:
            self._reading.release()
        if found[0].past.trouble:
            raise Transient(found[0].past.trouble)
        return found[0].history

    def tell(self, release: str, found: preflight.Found) -> None:
        """Store what was found with the release."""
        self._engine.submit(HistoryRead(release, f"history:{release}", found.history, found.sentence))

    def _others(self, release: Release) -> Sequence[Release]:
        """Releases that lack theirs too; another replica that reads meanwhile begins elsewhere in their row."""
        others = [each for each in self._engine.active() if each.phase in LACKING and each.id != release.id]
        lacking = [each for each in others if not each.history]
        return sorted(lacking, key=lambda each: (each.id < release.id, each.id))[:MOST]
