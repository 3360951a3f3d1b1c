"""The same traffic through the bot's own door: verdict by verdict, with memory, stages, and a test at each deadline.

The table judges a release as `sluice replay` does, over one deadline; the bot resumes from its memory at every look,
learns bursts from the release's own minutes too, and spends the test at the deadline stage by stage.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from strategies.gates import past
from strategies.gates.chance import Line
from strategies.gates.course import Course
from strategies.gates.history import learnt
from strategies.gates.judge import Case, evaluate
from strategies.gates.memory import ERRORS
from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Outcome, Reading
from tests.bench.gates.scenarios import DEFAULT, Cell, Truth
from tests.bench.gates.traffic import Floats, Scenario, Traffic, simulate

NAMES = (
    "on the allowed margin, 100/s",
    "bursts 5, heavy tail, 0.5 % at 60/s",
    "bursts 5, 1 % at 60/s, no past",
    "+0.8 pp on 0.2 % at 80/s",
)
CELLS = tuple(cell for name in NAMES for cell in DEFAULT if cell.scenario.name == name)
CHUNK = 100
BEGAN = datetime(2026, 11, 21, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Seconds to the rollback of each release, inf for none, and which passed at the last look."""

    back_at: Floats
    passed: Floats


def judged(cell: Cell, releases: int, seed: tuple[int, int, int]) -> Outcomes:
    """Simulate so many releases, and judge all of a look at once."""
    scenario = cell.scenario
    traffic = simulate(scenario, releases, np.random.default_rng(seed))
    pasts = [_past(scenario, traffic, release) for release in range(releases)]
    memories, back_at, passed = [""] * releases, np.full(releases, math.inf), np.zeros(releases)
    for look, cases_of in _looks(scenario, traffic):
        going = [release for release in range(releases) if math.isinf(back_at[release])]
        answers = evaluate([cases_of(release, memories[release], pasts[release]) for release in going])
        for release, answer in zip(going, answers, strict=True):
            memories[release] = answer.memory
            outcome = next(verdict.outcome for verdict in answer.verdicts if verdict.gate == ERRORS)
            passed[release] = outcome is Outcome.PASS
            if outcome is Outcome.FAIL:
                back_at[release] = scenario.times[look]
    return Outcomes(back_at, passed)


def together(parts: Iterable[Outcomes]) -> Outcomes:
    """All releases of a cell."""
    columns = zip(*((part.back_at, part.passed) for part in parts), strict=True)
    return Outcomes(*(np.concatenate(column) for column in columns))


class _Cases:
    """The cases of one look."""

    def __init__(self, scenario: Scenario, traffic: Traffic, look: int, stages: list[float]) -> None:
        self.scenario, self.traffic, self.look, self.stages = scenario, traffic, look, stages
        self.gate = MetricGate(ERRORS, "ratio", allowed=Margin(scenario.allowed), tolerated=Margin(scenario.tolerated))
        self.at = BEGAN + timedelta(seconds=float(scenario.times[look]))

    def __call__(self, release: int, memory: str, known: str) -> Case:
        scenario, traffic, look = self.scenario, self.traffic, self.look
        since = self.at - timedelta(seconds=scenario.look_s)
        arms = ((traffic.baseline, traffic.baseline_bad), (traffic.candidate, traffic.candidate_bad))
        is_lost = bool(traffic.is_lost[release, look])
        theirs, ours = (
            Arm() if is_lost else Arm(float(n[release, look]), float(bad[release, look])) for n, bad in arms
        )
        weight = float(scenario.weight[look])
        is_last = look + 1 == scenario.looks or scenario.weight[look + 1] != weight
        return Case(
            (self.gate,), 0, weight / 100, self.stages.index(weight), Reading(self.at, since, theirs, ours), memory,
            past=known, is_due=is_last, stages=len(self.stages),
        )  # fmt: skip


def _looks(scenario: Scenario, traffic: Traffic) -> Iterator[tuple[int, _Cases]]:
    stages = list(dict.fromkeys(scenario.weight.tolist()))
    for look in range(scenario.looks):
        # A look that spans a change of the split is left out by the door itself where its window says so.
        if not scenario.is_skipped[look]:
            yield look, _Cases(scenario, traffic, look, stages)


def _past(scenario: Scenario, traffic: Traffic, release: int) -> str:
    if not scenario.windows:
        return ""
    minutes = list(zip(traffic.past[release].tolist(), traffic.past_bad[release].tolist(), strict=True))
    known, _ = learnt(Course(minutes), Line(1.0, scenario.allowed))
    return past.keep(past.Past(scenario.per_second, scenario.windows, {ERRORS: known}))


def missed(cell: Cell, outcomes: Outcomes) -> str:
    """Which goal of truth is missed; empty when none is."""
    n, back = len(outcomes.back_at), np.isfinite(outcomes.back_at)
    if cell.truth is Truth.GOOD:
        rate = float(back.mean())
        upper = rate + 1.645 * math.sqrt(max(rate * (1 - rate), 1 / n) / n)
        return "" if rate <= 0.01 and upper <= 0.015 else f"false rollback {100 * rate:.2f} %"
    promoted = float((outcomes.passed * ~back).mean())
    return "" if promoted <= 0.05 else f"promoted {100 * promoted:.1f} %"
