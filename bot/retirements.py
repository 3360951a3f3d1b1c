"""How a baseline is retired: looked at until it is proven idle, then scaled down or deleted by the mesh."""

from datetime import datetime

from bot.engine import Engine
from bot.ports import Baseline, Clock, Mesh, Metrics
from strategies import retirement
from strategies.effects import RetireBaseline
from strategies.events import BaselineRetired, BaselineWatched
from strategies.release import Phase, Release


class Retirements:
    """The duty behind `RetireBaseline`; what it finds goes back to the engine as an event."""

    def __init__(self, engine: Engine, clock: Clock, mesh: Mesh, metrics: Metrics) -> None:
        self._engine = engine
        self._clock = clock
        self._mesh = mesh
        self._metrics = metrics

    def retire(self, effect: RetireBaseline) -> None:
        """Look whether anything needs the baseline; once that is decided, let the mesh retire it."""
        release = self._engine.release(effect.release)
        if release is None or release.phase is not Phase.DECOMMISSIONING:
            return
        found = self._mesh.baseline(release)
        # The proof may be older than a standstill of the bot: who calls or names the baseline since then keeps it.
        if found.in_the_way or not retirement.is_proven(release, self._clock.now()):
            self._watch(release, found)
            return
        done = self._mesh.retire(release, lambda: self._is_retiring(release.id))
        key = f"retired:{release.id}:{release.revision}"
        self._engine.submit(BaselineRetired(release.id, key, f"{done} {release.proof}"))

    def _is_retiring(self, id: str) -> bool:
        release = self._engine.release(id)
        return release is not None and release.phase is Phase.DECOMMISSIONING and release.is_retiring

    def _watch(self, release: Release, found: Baseline) -> None:
        """Say whether the baseline is idle, with the proof, or what is in the way."""
        now = self._clock.now()
        is_idle, text = self._idle(release, found, now)
        if is_idle:
            text = "\n".join((text, *self._mesh.last_lines(release)))
        # What a first try took away already is kept from then on.
        kept = {**self._mesh.keepsakes(release), **release.kept} if is_idle else {}
        key = f"watched:{release.id}:{now.isoformat()}"
        self._engine.submit(BaselineWatched(release.id, key, is_idle, text, found.sizes, kept, found.warm_up))

    def _idle(self, release: Release, found: Baseline, now: datetime) -> tuple[bool, str]:
        if found.in_the_way:
            return False, found.in_the_way[0]
        if found.is_gone:
            return True, f"{release.target.baseline} has no pod that could be called."
        texts = []
        for target in release.targets:
            rules = release.rules
            is_idle, text = self._metrics.is_idle(target, target.baseline, rules.idle, now, rules.drain)
            if not is_idle:
                return False, text
            texts.append(text)
        return True, " ".join(texts)
