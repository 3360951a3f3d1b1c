"""Fixed-threshold judges by the exact semantics of Flagger and Argo Rollouts, on the same traffic.

Both read the candidate's success rate of the last minute each minute and know neither baseline nor sample size.
"""

import math

import numpy as np

from tests.bench.gates.traffic import WINDOW, Floats, Scenario, Traffic


def flagger(scenario: Scenario, traffic: Traffic, *, least: float = 0.99, threshold: int = 5) -> Floats:
    """Seconds to rollback per release, inf for none.

    A check fails below `least` or without requests; failures add up and never reset; reaching the threshold is acted
    upon at the next tick.
    """
    failed = _failed(scenario, traffic, least)
    reached = np.cumsum(failed, axis=1) >= threshold
    ticks = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, math.inf)
    # Promotion at the end ends the checks too.
    return np.where(ticks < failed.shape[1], (ticks + 1) * WINDOW, math.inf)


def argo(scenario: Scenario, traffic: Traffic, *, least: float = 0.99, failure_limit: int = 3) -> Floats:
    """Seconds to abort per release, inf for none: more failed measurements than the limit; NaN is a failure."""
    reached = np.cumsum(_failed(scenario, traffic, least), axis=1) > failure_limit
    return np.where(reached.any(axis=1), (reached.argmax(axis=1) + 1.0) * WINDOW, math.inf)


def _failed(scenario: Scenario, traffic: Traffic, least: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    per_tick = WINDOW // scenario.look_s
    ticks = scenario.looks // per_tick
    shape = (len(traffic.candidate), ticks, per_tick)
    requests = traffic.candidate[:, : ticks * per_tick].reshape(shape).sum(axis=2)
    bad = traffic.candidate_bad[:, : ticks * per_tick].reshape(shape).sum(axis=2)
    return np.asarray((requests == 0) | (requests - bad < least * requests))
