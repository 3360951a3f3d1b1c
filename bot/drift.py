"""Sees hand edits: each change of a watched VirtualService is held against what its release wrote."""

import logging
import threading
from collections.abc import Callable, Sequence

from bot import orders
from bot.duties import Duties
from bot.engine import Engine
from bot.errors import Transient
from bot.ports import Mesh
from storage.errors import StorageError
from strategies.release import Drift, Release

log = logging.getLogger(__name__)

SETTLED = 2.0  # seconds in which a watch learns what another replica has just written


class DriftWatch:
    """Knows which releases have which object, and asks the mesh about each when the object changes.

    One VirtualService may hold routes of several releases.
    """

    def __init__(self, engine: Engine, mesh: Mesh, duties: Duties, between: Callable[[], None] = lambda: None) -> None:
        """`between` is called between two objects that are compared at the start."""
        self._engine = engine
        self._mesh = mesh
        self._duties = duties
        self._lock = threading.Lock()
        self._objects: dict[str, set[str]] = {}
        self._hosts: dict[str, set[str]] = {}
        self._between = between
        self._listed = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._catch_up, name="drift", daemon=True)

    def start(self) -> None:
        """Compare every object once the cluster has been listed: what was edited before this start told nobody."""
        self._thread.start()

    def stop(self) -> None:
        """Compare no more."""
        self._stopping.set()
        self._listed.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def listed(self) -> None:
        """The cluster has been listed."""
        self._listed.set()

    def follow(self, releases: Sequence[Release]) -> None:
        """Remember the objects of active releases, forget those of ended ones."""
        with self._lock:
            for release in releases:
                for target in release.targets if not release.is_over else ():
                    self._hosts.setdefault(target.host, set()).update(target.objects)
                for name in release.objects:
                    if not release.is_over:
                        self._objects.setdefault(name, set()).add(release.id)
                    else:
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

    def _catch_up(self) -> None:
        self._listed.wait()
        with self._lock:
            known = [(id, name) for name, ids in sorted(self._objects.items()) for id in sorted(ids)]
        strange = []
        for id, name in known:
            if self._stopping.is_set():
                return
            self._between()
            if self._differs(id, name):
                strange.append(name)
        if strange and not self._stopping.wait(SETTLED):
            for name in dict.fromkeys(strange):
                self.changed(name)

    def _differs(self, id: str, name: str) -> bool:
        try:
            return self._found(id, name)[1] is not None
        except (Transient, StorageError):
            return True

    def _forget(self, name: str, release: str) -> None:
        if name not in self._objects:
            return
        self._objects[name].discard(release)
        if not self._objects[name]:
            del self._objects[name]
            for host in [host for host, names in self._hosts.items() if name in names]:
                self._hosts[host].discard(name)
                if not self._hosts[host]:
                    del self._hosts[host]

    def _compare(self, id: str, name: str) -> None:
        revision, drift = self._found(id, name)
        if drift is not None:
            self._duties.report_drift(id, revision, drift)

    def _found(self, id: str, name: str) -> tuple[int, Drift | None]:
        release = self._engine.release(id)
        if release is None or release.is_over:
            # Another replica ended it, and told only its own followers.
            with self._lock:
                self._forget(name, id)
            return 0, None
        wanted = orders.settled(release, name)
        return (wanted[0].revision, self._mesh.observe(name, wanted)) if wanted else (0, None)
