"""What a stage's picture costs: processor time and bytes, for one gate and for as many as a picture shows."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.metrics.charts import draw
from bot.metrics.scenes import MOST_PANELS
from bot.ports import Card, Look
from strategies.gates.judge import Case, evaluate
from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Reading
from tests.bench.figures import Figure, load, percentile
from tests.builders import a_plan, a_release, a_stage

LOOKS, LOOK, RUNS = 90, timedelta(seconds=10), 15
EDGES = (50.0, 100.0, 250.0, 500.0, float("inf"))
RELATIVE = (Margin(0.1, relative=True), Margin(0.5, relative=True))
GATES = (
    MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005)),
    MetricGate("latency_p99", "ms", allowed=RELATIVE[0], tolerated=RELATIVE[1]),
    MetricGate("latency_p95", "ms", allowed=RELATIVE[0], tolerated=RELATIVE[1]),
    MetricGate("latency_p50", "ms", limit=250.0, allowed=RELATIVE[0]),
)


def measured() -> list[Figure]:
    """The median by process time of a picture with two panels of gates, and with the most that are shown."""
    figures = []
    for gates in (GATES[:2], GATES[: MOST_PANELS - 1]):
        card, spent, size = a_card(gates), [], 0
        for _ in range(RUNS):
            before = time.process_time()
            size = len(draw(card).png)
            spent.append(time.process_time() - before)
        name = f"a picture of {len(gates)} gates, {LOOKS} looks"
        figures.append(Figure(name, 1000 * percentile(spent[1:], 0.5), "ms", 150, f"CPU, the first left out; {load()}"))
        figures.append(Figure(f"{name}: its size", size / 1000, "kB", 60))
    return figures


def a_card(gates: tuple[MetricGate, ...]) -> Card:
    """A good release of two stages, judged look by look."""
    rng, shown, memory, shares = np.random.default_rng(20_261_121), [], "", ("10", "50", "100")
    plan = replace(a_plan(*shares), stages=tuple(a_stage(share, gates=gates) for share in shares))
    began, stage = datetime(2026, 11, 21, 9, 30, tzinfo=UTC), 0
    for place in range(LOOKS):
        stage, share = (0, 0.1) if place < LOOKS // 2 else (1, 0.5)
        arms = (_arm(rng, 600 * (1 - share)), _arm(rng, 600 * share))
        reading = Reading(began + LOOK * (place + 1), began + LOOK * place, *arms)
        [judged] = evaluate([Case(gates, 100, share, stage, reading, memory, "v1", "v2")])
        memory = judged.memory
        shown.append(Look(reading.at, stage, reading, judged.verdicts))
    release = a_release("reviews-1", plan=plan, stage=stage, verdicts=shown[-1].verdicts, memory=memory)
    return Card(release, shown[-1].at, "prod", tuple(shown))


def _arm(rng: np.random.Generator, expected: float) -> Arm:
    n = int(rng.poisson(expected))
    times = rng.lognormal(np.log(40), 0.8, n)
    return Arm(float(n), float(rng.binomial(n, 0.002)), {edge: float((times <= edge).sum()) for edge in EDGES})
