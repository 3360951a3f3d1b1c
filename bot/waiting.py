"""Releases that wait for pods: asked again as soon as the cluster changes, and not by the clock."""

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from bot.engine import Engine
from bot.errors import Transient
from bot.ports import Clock
from storage.errors import StorageError
from strategies.decision import Decision
from strategies.events import ClusterChanged
from strategies.release import Phase, Release, Target

log = logging.getLogger(__name__)

SETTLED = 0.1  # seconds: a rollout changes several pods in a moment
AGAIN = 1.0  # seconds, where a change could not be stored
MANY = 50  # changes at once, as after a watch was lost: then every release is compared
WAITING = frozenset({Phase.PREPARING, Phase.SHIFTING})

Change = tuple[str, frozenset[tuple[str, str]]]
"""The namespace and the labels of pods that changed."""


class Pods(Protocol):
    """What the watches know of pods."""

    def awaited(self, release: Release) -> str:
        """What the release lacks, empty where there is something to do."""
        ...

    def picks(self, target: Target, labels: Mapping[str, str]) -> bool:
        """True when pods with these labels may be the candidate's; those without labels may be anybody's."""
        ...


class Waiting:
    """Holds what each waiting release lacks against what it lacked when it was asked last; memory alone.

    Every replica does it for every release it knows: the one that is first has it asked, to the others it is no news.
    """

    def __init__(self, engine: Engine, pods: Pods, clock: Clock) -> None:
        self._engine = engine
        self._pods = pods
        self._clock = clock
        self._releases: dict[str, Release] = {}
        self._lacked: dict[str, str] = {}
        self._doubtful: set[str] = set()
        self._changes: set[Change] = set()
        self._change = threading.Condition()
        self._is_listed = self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="waiting", daemon=True)

    def start(self) -> None:
        """Begin to compare, once the cluster has been listed."""
        self._thread.start()

    def stop(self) -> None:
        """Compare no more."""
        with self._change:
            self._is_stopping = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(2)

    def listed(self) -> None:
        """The cluster has been listed: what changed before told nobody."""
        with self._change:
            self._is_listed = True
            self._change.notify_all()

    def follow(self, releases: Sequence[Release]) -> None:
        """Remember the releases that wait, forget the others."""
        with self._change:
            for release in releases:
                if release.phase not in WAITING:
                    self._lacked.pop(release.id, None)
                if release.phase not in WAITING or release.retry_at is None:
                    self._releases.pop(release.id, None)
                elif self._releases.get(release.id) != release:
                    # What it lacks may have come while it was being asked.
                    self._releases[release.id] = release
                    self._doubtful.add(release.id)
            self._change.notify_all()

    def swept(self, active: Sequence[Release]) -> None:
        """Follow all active releases, and forget those that another replica ended."""
        left = {release.id for release in active}
        with self._change:
            for id in [id for id in {*self._releases, *self._lacked} if id not in left]:
                self._releases.pop(id, None)
                self._lacked.pop(id, None)
        self.follow(active)

    def changed(self, namespace: str, labels: Mapping[str, str]) -> None:
        """Pods with these labels changed, or something that makes or picks them; none: any of the namespace."""
        with self._change:
            if self._releases:
                self._changes.add((namespace, frozenset(labels.items())))
                self._change.notify_all()

    def _run(self) -> None:
        while self._waited_for_change():
            if not self.step():
                with self._change:
                    self._change.wait_for(lambda: self._is_stopping, AGAIN)

    def step(self) -> bool:
        """Compare what is in doubt; False when a change could not be stored, and is in doubt still."""
        doubtful = self._taken()
        for place, release in enumerate(doubtful):
            try:
                self._compare(release)
            except (Transient, StorageError) as error:
                log.warning("release=%s not asked again: %s", release.id, error)
                with self._change:
                    self._doubtful.update(each.id for each in doubtful[place:])
                return False
        return True

    def _waited_for_change(self) -> bool:
        with self._change:
            self._change.wait_for(lambda: self._is_stopping or (self._is_listed and (self._doubtful or self._changes)))
            return not self._change.wait_for(lambda: self._is_stopping, SETTLED)

    def _taken(self) -> Sequence[Release]:
        with self._change:
            doubtful, self._doubtful = self._doubtful, set()
            changes, self._changes = self._changes, set()
            known = sorted(self._releases.items())
        is_any = len(changes) > MANY
        return [each for id, each in known if is_any or id in doubtful or self._is_about(each, changes)]

    def _is_about(self, release: Release, changes: Iterable[Change]) -> bool:
        return any(
            target.namespace == namespace and self._pods.picks(target, dict(labels))
            for target in release.targets
            for namespace, labels in changes
        )

    def _compare(self, release: Release) -> None:
        """Have the release asked again where it lacks something else than the last time, or nothing any more."""
        lacks = self._pods.awaited(release)
        if lacks and lacks in release.note:
            self._lacked[release.id] = lacks
        elif self._lacked.get(release.id) != lacks:
            key = f"changed:{release.id}:{self._clock.now().isoformat()}"
            outcome = self._engine.submit(ClusterChanged(release.id, key))
            # One that is being asked already is compared once more when it has its answer.
            if isinstance(outcome, Decision) and outcome.effects:
                self._lacked[release.id] = lacks
