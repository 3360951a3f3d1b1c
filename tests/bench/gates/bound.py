"""The earliest that any judge of this certainty could know: the information in the looks at their true rates."""

import math

import numpy as np

from strategies.gates.counts import Border, Floats, Guess, divergence, nearest_rates
from tests.bench.gates.traffic import Scenario


def information_by_look(scenario: Scenario) -> Floats:
    """The sum over looks of `min over the border of n1 KL(p1|q1) + n0 KL(p0|q0)` since the onset, in nats."""
    times, share = scenario.times, scenario.weight / 100
    requests = scenario.per_second * scenario.look_s
    n0, n1 = requests * (1 - share), requests * share
    p0, p1 = (np.clip(rate(times), 1e-9, 1 - 1e-9) for rate in (scenario.baseline, scenario.candidate))
    border = Border(np.ones_like(p0), np.full_like(p0, scenario.allowed))
    q0, q1 = nearest_rates(n0, n1, Guess(p0, p1), border)
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = n1 * divergence(p1, q1) + n0 * divergence(p0, q0)
    is_telling = (p1 > p0 + scenario.allowed) & ~scenario.is_skipped & (times > scenario.onset)
    return np.cumsum(np.where(is_telling, nats, 0.0))


def bound_s(scenario: Scenario, alpha: float = 0.01) -> float:
    """Seconds from the onset to the end of the look at which the information suffices; inf when it never does."""
    enough = np.flatnonzero(information_by_look(scenario) >= math.log(2 / alpha))
    return float(scenario.times[enough[0]] - scenario.onset) if enough.size else math.inf
