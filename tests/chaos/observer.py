"""Reads the database all the time: every plan that a release ever had, and who holds which route."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING

from storage.errors import StorageError

if TYPE_CHECKING:
    from storage.database import Database
    from strategies.release import Release

PAUSE = 0.25
Reach = tuple[float, float, float]  # by weight, inside matches, as copies
NOTHING: Reach = (0.0, 0.0, 0.0)


class Observer:
    """`reaches` is what each release may give its candidate; `trouble` is what must never be seen."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="observer", daemon=True)
        self.reaches: dict[str, set[Reach]] = {}
        self.sticky: set[str] = set()
        self.releases: dict[str, Release] = {}
        self.trouble: set[str] = set()
        self.reads = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        self._thread.join(10)

    def read(self) -> list[Release]:
        """Every release as it is now."""
        with self._database.reading() as tx:
            found = [each.release for each in tx.releases.recent(1000)]
        for release in found:
            self._keep(release)
        held = Counter(
            route.key for each in found if not each.is_over for target in each.targets for route in target.routes
        )
        self.trouble |= {f"two active releases have {key}" for key, count in held.items() if count > 1}
        self.reads += 1
        return found

    def _run(self) -> None:
        while not self._stopping.wait(PAUSE):
            try:
                self.read()
            except StorageError as error:
                self.trouble.add(f"the observer cannot read: {error}")

    def _keep(self, release: Release) -> None:
        before = self.releases.get(release.id)
        if before is not None and before.revision > release.revision:
            self.trouble.add(f"{release.id} went back from revision {before.revision} to {release.revision}")
        self.releases[release.id] = release
        allowed = self.reaches.setdefault(release.id, {NOTHING})
        for stage in release.plan.stages:
            found = stage.splits[release.target.service]
            candidate = release.target.candidate
            inside = max((float(each.share) for each in found.matches if each.to == candidate), default=0.0)
            copies = float(found.mirror.percent) if found.mirror and found.mirror.to == candidate else 0.0
            allowed.add((float(found.share(candidate)), inside, copies))
            if found.sticky is not None:
                self.sticky.add(release.id)
