"""One tick of looks: read Prometheus once for all releases that are due, judge, and hand the verdicts in together."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.engine import AT_ONCE, Engine, Looked
from bot.ports import Clock, Mesh, Metrics, Subject
from strategies import timers
from strategies.events import LookTaken
from strategies.plan import Stage
from strategies.release import LOOKING, Phase, Release, Target
from strategies.routing import HUNDRED, Split, Steering
from strategies.verdicts import Reading

if TYPE_CHECKING:
    from strategies.gates import judge, steered

log = logging.getLogger(__name__)


class Looks:
    """Takes the looks of one interval; what has no data is still a look, and says so."""

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        mesh: Mesh,
        clock: Clock,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """`between` is called between two parts of a tick, for whoever must not wait for a whole one."""
        self._engine = engine
        self._metrics = metrics
        self._mesh = mesh
        self._clock = clock
        self._between = between

    def take(self, every: timedelta) -> int:
        """Look at every release whose interval is `every`; returns how many there were."""
        releases = [r for r in self._engine.active() if is_looked_at(r) and r.rules.look == every]
        if not releases:
            return 0
        at = self._clock.now()
        readings = self._metrics.look([_subject(release, at) for release in releases], at)
        self._engine.submit_looks(self._looked(releases, readings, at))
        return len(releases)

    def _looked(self, releases: Sequence[Release], readings: Mapping[str, Reading], at: datetime) -> Iterator[Looked]:
        # Judged in the parts in which they are stored: neither a click nor the first look waits for the last one.
        for start in range(0, len(releases), AT_ONCE):
            self._between()
            part = releases[start : start + AT_ONCE]
            read = [self._read(release, readings, at) for release in part]
            for release, reading, judgement in zip(part, read, _judged(part, read), strict=True):
                yield Looked(_event(release, reading, judgement), reading)

    def _read(self, release: Release, readings: Mapping[str, Reading], at: datetime) -> Reading:
        ready = self._mesh.ready_pods(release.target)
        reading = readings.get(release.id)
        if reading is None:
            reading = Reading(at=at, since=since(release, at), trouble="Prometheus gave no answer for this release.")
        return replace(reading, ready=ready)


def is_looked_at(release: Release) -> bool:
    """True while a split of ours may be live."""
    is_live = release.current is not None and not release.is_going_back
    sends = not release.is_leaving and not release.asks_first
    # A first split that waits for its pods was not sent yet.
    is_held = release.written < 0 and release.phase is Phase.SHIFTING and release.retry_at is not None
    return is_live and sends and not is_held and release.phase in LOOKING


def intervals(releases: Sequence[Release]) -> frozenset[timedelta]:
    """The different times between looks that these releases want."""
    return frozenset(release.rules.look for release in releases if is_looked_at(release))


def since(release: Release, at: datetime) -> datetime:
    """Where the window of a look at `at` begins: at the last look, but never before the stage."""
    if release.last_look_at and not release.is_confirmed:
        # Nothing was written yet, so the split before is in force still: no request of it may be left out.
        return release.last_look_at
    # A window that began under the split before would blame this one for it.
    began = release.stage_began_at or release.entered_at
    if release.last_look_at is None or began <= release.last_look_at:
        return release.last_look_at or began
    # A stage that begins later than now was begun by a clock that was set back since; looks went on.
    return began if began <= at else release.last_look_at


def _subject(release: Release, at: datetime) -> Subject:
    return Subject(
        release.id,
        release.target,
        since(release, at),
        is_mirrored=_steering(release) is Steering.MIRROR,
        is_copied=_is_copied(release),
        gates=_stage(release).metric_gates,
        look=release.rules.look,
    )


def _stage(release: Release) -> Stage:
    """The stage to look at: until an increase is written, the one before."""
    return release.plan.stages[release.in_force]


def _is_copied(release: Release) -> bool:
    split = _stage(release).splits[release.target.service]
    return split.mirror is not None and _steering(release) is not Steering.MIRROR


def _steering(release: Release) -> Steering:
    return _stage(release).splits[release.target.service].steering(release.target.candidate)


def _judged(releases: Sequence[Release], readings: Sequence[Reading]) -> "Sequence[judge.Judgement]":
    # The judge brings scipy, which takes half a second to import: the first look may wait for it, the start may not.
    from strategies.gates import judge  # noqa: PLC0415

    cases = [_case(release, reading, judge.Case) for release, reading in zip(releases, readings, strict=True)]
    return judge.evaluate(cases)


def _aim(split: Split, target: Target) -> "steered.Aim":
    from strategies.gates import steered  # noqa: PLC0415 - as above

    candidate, is_partial = target.candidate, bool(target.elsewhere)
    least, most = (Decimal(0), HUNDRED) if is_partial else split.bounds(candidate)
    return steered.Aim(
        split.steering(candidate),
        float(least) / 100,
        float(most) / 100,
        " or ".join(str(match) for match in split.matches if match.to == candidate),
        float(split.mirror.percent) / 100 if split.mirror else 0.0,
        float(split.share(candidate)) / 100 if split.sticky else None,
        is_partial,
    )


def _case(release: Release, reading: Reading, make: "type[judge.Case]") -> "judge.Case":
    stage = _stage(release)
    split, candidate = stage.splits[release.target.service], release.target.candidate
    due = timers.deadline(release)
    is_known = split.steering(candidate) is Steering.WEIGHTS and not release.target.elsewhere
    return make(
        gates=stage.metric_gates,
        min_requests=stage.min_requests,
        asked=float(split.share(candidate)) / 100 if is_known else None,
        stage=release.in_force,
        reading=reading,
        memory=release.memory,
        baseline=release.target.baseline,
        candidate=candidate,
        aim=None if is_known else _aim(split, release.target),
        past=release.history,
        counted=release.target.counted,
        is_due=due is not None and reading.at >= due,
        stages=len(release.plan.stages),
    )


def _event(release: Release, reading: Reading, judgement: "judge.Judgement") -> LookTaken:
    return LookTaken(
        release=release.id,
        key=f"look:{release.id}:{reading.at.isoformat()}",
        at=reading.at,
        stage=release.in_force,
        verdicts=judgement.verdicts,
        memory=judgement.memory,
        candidate_ready=reading.ready.get(release.target.candidate) if reading.ready is not None else None,
        baseline_ready=reading.ready.get(release.target.baseline) if reading.ready is not None else None,
    )
