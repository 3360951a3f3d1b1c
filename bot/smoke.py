"""Asks the smoke test of a release's stage, and takes its answer in."""

from datetime import timedelta

from bot.answerers import Smoke
from bot.engine import Engine
from bot.errors import Transient
from bot.ports import Clock
from strategies.effects import AskSmoke
from strategies.events import SmokeAnswered
from strategies.release import Release

# Proxies learn of a route a moment after it was written; a test that comes first would test the old version.
SETTLED = timedelta(seconds=2)


class SmokeTests:
    """The duty behind `AskSmoke`; what is over, or was answered, is not asked again."""

    def __init__(self, engine: Engine, clock: Clock, smoke: Smoke) -> None:
        self._engine = engine
        self._clock = clock
        self._smoke = smoke

    def ask(self, effect: AskSmoke) -> None:
        """Ask once; Transient while nobody answers, or while proxies do not know the route yet."""
        release = self._engine.release(effect.release)
        if release is None or release.is_over or release.is_going_back or release.stage != effect.stage:
            return
        gate = release.current.smoke if release.current else None
        if gate is None or release.smoke is not None or not release.is_confirmed:
            return
        early = (release.written_at or release.entered_at) + SETTLED - self._clock.now()
        if early > timedelta(0):
            raise Transient("Proxies learn of the preview.", retry_after=early.total_seconds())
        revision = release.split_revision
        key = f"smoke:{release.id}:{effect.stage}:{revision}"
        answer = self._smoke.ask(gate.url, about(release), key)
        self._engine.submit(SmokeAnswered(release.id, key, effect.stage, revision, answer.is_passed, answer.text))


def about(release: Release) -> dict[str, object]:
    """What the smoke test is told: which version to test, and how its requests reach it."""
    target = release.target
    split = release.wanted(target.service)
    return {
        "release": release.id,
        "service": target.service,
        "host": target.host,
        "namespace": target.namespace,
        "baseline": target.baseline,
        "candidate": target.candidate,
        "matches": [str(match) for match in split.matches if match.to == target.candidate] if split else [],
    }
