"""Releases that wait for pods: what has not changed is not written again and again."""

from datetime import timedelta

from bot.engine import Engine
from bot.ports import Clock, Mesh
from strategies import capacity


class Waiting:
    """Asks memory whether a wake would find an increase as short of pods as before."""

    def __init__(self, engine: Engine, mesh: Mesh, clock: Clock) -> None:
        self._engine = engine
        self._mesh = mesh
        self._clock = clock

    def __call__(self, id: str) -> timedelta | None:
        """How long to leave the release alone; None when its wake has something to do."""
        release, now = self._engine.release(id), self._clock.now()
        if release is None or not capacity.is_due(release, now):
            return None
        is_same = capacity.waits_on(release, self._mesh.shortage(release), now)
        return capacity.pause(release) if is_same else None
