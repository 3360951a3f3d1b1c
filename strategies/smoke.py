"""The smoke test of a stage: what its answer means, and what the metrics of its few requests still may say."""

from strategies.events import SmokeAnswered
from strategies.release import Release
from strategies.verdicts import Outcome, Verdict

SMOKE = "smoke"
_WAITING = Verdict(SMOKE, Outcome.WAIT, "The smoke test has not answered yet.", missing="its answer")


def decides(release: Release) -> bool:
    """True in a stage that a smoke test decides: it brings its own requests, so nobody else has to come first."""
    return release.current is not None and release.current.smoke is not None


def verdict(event: SmokeAnswered) -> Verdict:
    """The answer as a gate states it."""
    return Verdict(SMOKE, Outcome.PASS if event.is_passed else Outcome.FAIL, event.text)


def with_smoke(release: Release, verdicts: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """The verdicts of a look; where a smoke test decides, metrics may fail the stage and need not say anything."""
    if not decides(release):
        return verdicts
    said = tuple(each for each in verdicts if each.outcome is not Outcome.WAIT and each.gate != SMOKE)
    return (release.smoke or _WAITING, *said)
