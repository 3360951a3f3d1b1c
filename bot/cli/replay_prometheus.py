"""Where `sluice replay --prometheus` gets its looks from."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import typer

from bot.cli.output import Exit, stop
from bot.metrics.prometheus import PrometheusMetrics
from bot.metrics.queries import Reporter
from bot.ports import Subject
from bot.replay.recorded import ERRORS, lines
from strategies.gates.course import Minutes
from strategies.plan import MetricGate
from strategies.release import Target
from strategies.verdicts import Reading

DAY = timedelta(days=1)
PATIENCE = 30.0  # seconds for the day before
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
    reporter: Reporter = Reporter.BOTH

    @property
    def release(self) -> str:
        """What the lines call it."""
        return f"{self.target.service}-{self.target.candidate}"

    def batches(self) -> Iterator[list[bytes]]:
        """The lines of the recording; exits 5 when Prometheus does not answer."""
        metrics = self._answering()
        try:
            past = self._read(metrics, self.start - PAST, self.start, WINDOW)
            minutes = self._errors_before(metrics)
            looks = self._read(metrics, self.start, self.end, self.look)
        finally:
            metrics.close()
        yield list(lines(self.release, self.start, past, looks, minutes))

    def _answering(self) -> PrometheusMetrics:
        """The adapter on whose account errors and latency can both be read; said where it is another than asked."""
        asked = PrometheusMetrics(self.url, self.reporter)
        found = asked.answering(self.target, self.end)
        if found is None or found is self.reporter:
            return asked
        asked.close()
        typer.echo(
            f"reporter={self.reporter} does not tell both errors and latency; {found} does and is read.", err=True
        )
        return PrometheusMetrics(self.url, found)

    def _errors_before(self, metrics: PrometheusMetrics) -> Minutes:
        """The baseline's day before; empty when it cannot be read, which the judge takes as not known."""
        gate = MetricGate(ERRORS, "ratio")
        recorded = metrics.past(self.target, (gate,), self.start - DAY, self.start, PATIENCE)
        return recorded.courses[ERRORS].minutes if ERRORS in recorded.courses else ()

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


def recording(
    url: str, versions: tuple[str, str, str, str], times: tuple[str, str], look: float, reporter: Reporter
) -> Recording:
    """What to read; exits 2 for an address or a time that is none.

    `versions`: service, namespace, baseline, candidate.
    """
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        stop(Exit.USAGE, f"--prometheus {url!r} is no address; write it like http://127.0.0.1:9090")
    service, namespace, baseline, candidate = versions
    start, end = (_time(text) for text in times)
    if not start < end <= datetime.now(UTC):
        stop(Exit.USAGE, "--start must be before --end, and --end must be past.")
    target = Target(service, service, namespace, baseline, candidate, routes=())
    return Recording(url, target, start, end, timedelta(seconds=look), reporter)


def _time(text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        stop(Exit.USAGE, f"{text!r} is no time; write it like 2026-11-21T10:00:00Z")
    return given if given.tzinfo else given.replace(tzinfo=UTC)
