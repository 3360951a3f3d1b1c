"""Before a release: the gates over the days before, and what each stage needs at the present traffic."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.ports import Metrics
from strategies.gates.course import YOUNG, Recorded
from strategies.plan import MetricGate, Plan
from strategies.release import Release, Target

if TYPE_CHECKING:
    from strategies.gates.checkup import Report
    from strategies.gates.past import Past
    from strategies.gates.preflight import Need

DAY = timedelta(days=1)
PATIENCE = 5.0  # seconds, while somebody waits
UNHURRIED = 15.0  # seconds, beside a preparation
SHOWN = 2  # warnings in one sentence
NEXT = "next"  # what a candidate is called that nobody named


@dataclass(frozen=True, slots=True)
class Found:
    """What was found: a report per gate, a need per stage, warnings, advice; `history` is what the judge keeps."""

    past: "Past"
    history: str
    reports: "tuple[Report, ...]" = ()
    needs: "tuple[Need, ...]" = ()
    warnings: tuple[str, ...] = ()
    advice: str = ""

    @property
    def sentence(self) -> str:
        """Advice and the gravest warnings, for a card."""
        return " ".join((self.advice, *self.warnings[:SHOWN]))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a preflight is about: the service, its gates, the plan whose stages are counted, and their deadline."""

    target: Target
    gates: tuple[MetricGate, ...]
    plan: Plan
    deadline: timedelta


Inspect = Callable[[Asked, timedelta, float], Found]
"""A preflight over this time before now, within so many seconds; asks Prometheus."""


def run(metrics: Metrics, asked: Asked, span: timedelta, at: datetime, patience: float = PATIENCE) -> Found:
    """Read the time before `at` and say what it means. Trouble is inside, in `past.trouble`."""
    return found(asked, metrics.past(asked.target, asked.gates, at - span, at, patience))


def of_releases(metrics: Metrics, releases: Sequence[Release], at: datetime) -> Sequence[Found]:
    """The day before the first release, and before as many of those behind it as are read beside it."""
    asked = [Asked(each.target, gates_of(each.plan), each.plan, each.rules.deadline) for each in releases]
    days = metrics.past_of_several([(each.target, each.gates) for each in asked], at - DAY, at, UNHURRIED)
    return [found(each, day) for each, day in zip(asked, days, strict=False)]


def gates_of(plan: Plan) -> tuple[MetricGate, ...]:
    """All metric gates of a plan, each once."""
    return tuple({gate.metric: gate for stage in plan.stages for gate in stage.metric_gates}.values())


def found(asked: Asked, recorded: Recorded) -> Found:
    """What the recorded time means."""
    # Statistics bring scipy, for which a start does not wait.
    from strategies.gates import checkup, past, preflight  # noqa: PLC0415

    if recorded.trouble:
        return unread(recorded.trouble)
    reports, known = checkup.examined(recorded, asked.gates)
    target = asked.target
    needs = preflight.needs(asked.plan, target.service, target.candidate, known, asked.deadline)
    warnings = checkup.warnings(reports)
    return Found(known, past.keep(known), reports, needs, warnings, _advice(preflight.advice(needs, known), reports))


def unread(trouble: str) -> Found:
    """Nothing could be read: nothing is known, and that is said."""
    from strategies.gates import past  # noqa: PLC0415

    known = past.Past(trouble=trouble)
    return Found(known, past.keep(known), advice=f"The time before the release could not be read: {trouble}")


def _advice(advice: str, reports: "tuple[Report, ...]") -> str:
    if reports and all(YOUNG in report.missing for report in reports):
        return f"The service is known {YOUNG}: what its gates need is told once there is more."
    if reports and all(report.missing for report in reports):
        return "No gate can be answered: Prometheus has none of their series."
    return advice
