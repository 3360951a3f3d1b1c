"""Sees hand edits: each change of a watched VirtualService is held against what its release wrote."""

import logging
import threading
from collections.abc import Sequence

from bot import orders
from bot.duties import Duties
from bot.engine import Engine
from bot.errors import Transient
from bot.ports import Mesh
from storage.errors import StorageError
from strategies.release import Release

log = logging.getLogger(__name__)


class DriftWatch:
    """Knows which releases have which object, and asks the mesh about each when the object changes.

    One VirtualService may hold routes of several releases.
    """

    def __init__(self, engine: Engine, mesh: Mesh, duties: Duties) -> None:
        self._engine = engine
        self._mesh = mesh
        self._duties = duties
        self._lock = threading.Lock()
        self._objects: dict[str, set[str]] = {}
        self._hosts: dict[str, set[str]] = {}

    def follow(self, releases: Sequence[Release]) -> None:
        """Remember the objects of active releases, forget those of ended ones."""
        with self._lock:
            for release in releases:
                for target in release.targets if not release.is_over else ():
                    self._hosts.setdefault(target.host, set()).update(target.objects)
                for name in release.objects:
                    if not release.is_over:
                        self._objects.setdefault(name, set()).add(release.id)
                    elif name in self._objects:
                        self._forget(name, release.id)

    def changed(self, name: str) -> None:
        """A watched VirtualService changed."""
        with self._lock:
            ids = sorted(self._objects.get(name, ()))
        for id in ids:
            try:
                self._compare(id, name)
            except (Transient, StorageError) as error:
                # The next change, or the next write, finds it again.
                log.warning("release=%s object=%s not compared: %s", id, name, error)

    def rule_changed(self, host: str) -> None:
        """A watched DestinationRule of this full host changed: the subsets that our splits name may be gone."""
        with self._lock:
            names = sorted(self._hosts.get(host, ()))
        for name in names:
            self.changed(name)

    def _forget(self, name: str, release: str) -> None:
        self._objects[name].discard(release)
        if not self._objects[name]:
            del self._objects[name]
            for host in [host for host, names in self._hosts.items() if name in names]:
                self._hosts[host].discard(name)
                if not self._hosts[host]:
                    del self._hosts[host]

    def _compare(self, id: str, name: str) -> None:
        release = self._engine.release(id)
        wanted = orders.settled(release, name) if release else ()
        drift = self._mesh.observe(name, wanted) if wanted else None
        if drift is not None:
            self._duties.report_drift(id, wanted[0].revision, drift)
