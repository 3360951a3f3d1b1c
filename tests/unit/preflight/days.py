"""Courses of two days, and the preflight of a shop that had them."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from bot import preflight
from bot.preflight import Asked, Found
from strategies.gates.course import Course, Minutes, Recorded
from strategies.plan import Margin, MetricGate, Plan
from tests.builders import NOW, a_plan, a_target

TWO_DAYS = 2880
ERRORS = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
BOUNDED = MetricGate("errors", "ratio", limit=0.02, allowed=Margin(0.01))
P99 = MetricGate("latency_p99", "ms", limit=400.0, allowed=Margin(0.1, relative=True))


def a_course(rates: Sequence[float], per_minute: int = 600, minutes: int = TWO_DAYS, seed: int = 1) -> Course:
    """Pods with these rates of bad requests."""
    rng = np.random.default_rng(seed)
    pods: dict[str, Minutes] = {
        f"pod-{pod}": [(per_minute, int(bad)) for bad in rng.binomial(per_minute, rate, minutes)]
        for pod, rate in enumerate(rates)
    }
    whole = [
        (sum(n for n, _ in filter(None, row)), sum(x for _, x in filter(None, row)))
        for row in zip(*pods.values(), strict=True)
    ]
    return Course(whole, pods)


def recorded(**courses: Course) -> Recorded:
    return Recorded(NOW - timedelta(days=2), NOW, courses)


def asking(*gates: MetricGate, plan: Plan | None = None) -> Asked:
    return Asked(a_target(), gates, plan or a_plan(), timedelta(minutes=30))


def found(*gates: MetricGate, **courses: Course) -> Found:
    return preflight.found(asking(*gates), recorded(**courses))
