"""Where `sluice replay --prometheus` gets its looks from, and the picture it draws of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import typer

from bot.cli.output import Exit, stop
from bot.metrics.charts import draw
from bot.metrics.prometheus import PrometheusMetrics
from bot.ports import Card, Look, Subject
from bot.replay.recorded import ERRORS, lines, share
from strategies.plan import Margin, MetricGate, Plan, Stage, StrategyName
from strategies.release import SLUICE, Phase, Release, Rules, Target
from strategies.routing import Split
from strategies.verdicts import Outcome, Reading, Verdict

PAST = timedelta(hours=1)
WINDOW = timedelta(seconds=60)
GATE = MetricGate(ERRORS, "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))


@dataclass(slots=True)
class Recording:
    """One service over a time, and what the judge answered to each of its looks."""

    url: str
    target: Target
    start: datetime
    end: datetime
    look: timedelta
    looks: Sequence[Reading] = ()
    answers: list[dict[str, object]] = field(default_factory=list)

    @property
    def release(self) -> str:
        """What the lines call it."""
        return f"{self.target.service}-{self.target.candidate}"

    def batches(self) -> Iterator[list[bytes]]:
        """The lines of the recording; exits 5 when Prometheus does not answer."""
        metrics = PrometheusMetrics(self.url)
        try:
            past = self._read(metrics, self.start - PAST, self.start, WINDOW)
            self.looks = self._read(metrics, self.start, self.end, self.look)
        finally:
            metrics.close()
        yield list(lines(self.release, self.start, past, self.looks))

    def save_picture(self, file: Path) -> None:
        """Draw the looks with their verdicts; the words go to stderr for who cannot see it."""
        picture = draw(self._card())
        try:
            file.write_bytes(picture.png)
        except OSError as error:
            stop(Exit.USAGE, f"--picture {file}: {error.strerror}")
        typer.echo(f"{file}: {picture.alt_text}", err=True)

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

    def _card(self) -> Card:
        verdicts = [_verdict(answer) for answer in self.answers if "verdict" in answer]
        # After its decision a release is answered no more: its last verdict stands.
        rest = [verdicts[-1]] * (len(self.looks) - len(verdicts)) if verdicts else []
        looks = [
            Look(reading.at, 0, reading, (verdict,))
            for reading, verdict in zip(self.looks, [*verdicts, *rest], strict=False)
        ]
        percent = Decimal(round(100 * share(self.looks)))
        split = Split.between(self.target.baseline, self.target.candidate, percent)
        plan = Plan(StrategyName.CANARY, (Stage({self.target.service: split}, self.end - self.start, (GATE,)),))
        release = Release(
            id=self.release, targets=(self.target,), plan=plan, rules=Rules(look=self.look), requester=SLUICE,
            channel="", created_at=self.start, phase=Phase.OBSERVING, entered_at=self.start, stage=0,
            stage_began_at=self.start, verdicts=looks[-1].verdicts if looks else (),
        )  # fmt: skip
        return Card(release, self.end, "replay", tuple(looks))


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


def _verdict(answer: dict[str, object]) -> Verdict:
    return Verdict(ERRORS, Outcome(str(answer["verdict"])), str(answer["reason"]), unit="ratio")
