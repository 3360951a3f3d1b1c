"""Where `sluice replay --prometheus` gets its looks from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.cli.output import Exit, stop
from bot.metrics.prometheus import PrometheusMetrics
from bot.ports import Subject
from bot.replay.recorded import lines
from strategies.release import Target
from strategies.verdicts import Reading

PAST = timedelta(hours=1)
WINDOW = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Recording:
    """One service over a time."""

    url: str
    target: Target
    start: datetime
    end: datetime
    look: timedelta

    @property
    def release(self) -> str:
        """What the lines call it."""
        return f"{self.target.service}-{self.target.candidate}"

    def batches(self) -> Iterator[list[bytes]]:
        """The lines of the recording; exits 5 when Prometheus does not answer."""
        metrics = PrometheusMetrics(self.url)
        try:
            past = self._read(metrics, self.start - PAST, self.start, WINDOW)
            looks = self._read(metrics, self.start, self.end, self.look)
        finally:
            metrics.close()
        yield list(lines(self.release, self.start, past, looks))

    def _read(self, metrics: PrometheusMetrics, since: datetime, until: datetime, step: timedelta) -> list[Reading]:
        readings = []
        while since + step <= until:
            subject = Subject(self.release, self.target, since)
            since += step
            reading = metrics.look([subject], since)[self.release]
            if reading.trouble and (troubles := metrics.troubles()):
                stop(Exit.UNREACHABLE, *troubles)
            readings.append(reading)
        return readings


def recording(url: str, versions: tuple[str, str, str, str], times: tuple[str, str], look: float) -> Recording:
    """What to read; exits 2 for times that are none. `versions`: service, namespace, baseline, candidate."""
    service, namespace, baseline, candidate = versions
    start, end = (_time(text) for text in times)
    if not start < end <= datetime.now(UTC):
        stop(Exit.USAGE, "--start must be before --end, and --end must be past.")
    target = Target(service, service, namespace, baseline, candidate, routes=())
    return Recording(url, target, start, end, timedelta(seconds=look))


def _time(text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        stop(Exit.USAGE, f"{text!r} is no time; write it like 2026-11-21T10:00:00Z")
    return given if given.tzinfo else given.replace(tzinfo=UTC)
