"""Looks for judges: two arms, histograms with Istio's edges, and a judge that remembers."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from strategies.gates.judge import Case, evaluate
from strategies.gates.steered import Aim
from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Reading, Verdict
from tests.builders import NOW

STEP = timedelta(seconds=10)
EDGES = (0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, math.inf)
ERRORS = MetricGate("errors", "ratio", limit=0.01, allowed=Margin(0.001))
P50, P95, P99 = (MetricGate(f"latency_p{q}", "ms", allowed=Margin(0.1, relative=True)) for q in (50, 95, 99))


def a_histogram(requests: int, mean: float = 30.0) -> dict[float, float]:
    """Exponential durations."""
    return {edge: round(requests * (1 - math.exp(-edge / mean))) for edge in EDGES}


def an_arm(requests: int, errors: int = 0, mean: float = 30.0) -> Arm:
    return Arm(float(requests), float(errors), a_histogram(requests, mean))


def a_look(n: int, baseline: Arm, candidate: Arm, **changes: object) -> Reading:
    """The n-th look of ten seconds; the 0th ends as the stage's first."""
    return Reading(NOW + STEP * n, NOW + STEP * (n - 1), baseline, candidate, **changes)  # type: ignore[arg-type]


def with_counts(arm: Arm, metric: str, out_of: float, events: float) -> Arm:
    return replace(arm, counts={**arm.counts, metric: (out_of, events)})


def with_level(arm: Arm, metric: str, value: float) -> Arm:
    return replace(arm, gauges={**arm.gauges, metric: value})


def silent(n: int, trouble: str = "Prometheus is unreachable.") -> Reading:
    return a_look(n, Arm(), Arm(), trouble=trouble)


class Judge:
    """Judges looks one after the other, as a release does."""

    def __init__(
        self, *gates: MetricGate, asked: float | None = 0.25, min_requests: int = 0, aim: Aim | None = None
    ) -> None:
        self.gates, self.asked, self.min_requests = gates, None if aim else asked, min_requests
        self.aim = aim
        self.proven: frozenset[str] = frozenset()
        self.stage = 0
        self.memory = ""
        self.past = ""
        self.is_due = False
        self._next = 0

    def see(self, baseline: Arm, candidate: Arm, **changes: object) -> dict[str, Verdict]:
        """The verdicts of the next look, by gate; a stage's first look comes before, unasked."""
        if self._next == 0:
            self.read(a_look(0, Arm(0.0, 0.0), Arm(0.0, 0.0)))
        return self.read(a_look(self._next, baseline, candidate, **changes))

    def read(self, reading: Reading) -> dict[str, Verdict]:
        case = Case(
            self.gates, self.min_requests, self.asked, self.stage, reading, self.memory,
            baseline="v1", candidate="v2", aim=self.aim, past=self.past, proven=self.proven,
            is_due=self.is_due, stages=2,
        )  # fmt: skip
        [judgement] = evaluate([case])
        self.memory = judgement.memory
        self._next += 1
        return by_gate(judgement.verdicts)


def by_gate(verdicts: Sequence[Verdict]) -> dict[str, Verdict]:
    return {verdict.gate: verdict for verdict in verdicts}
