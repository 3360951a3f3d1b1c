"""Sluice's judge over arrays: the same functions as `strategies.gates.sequential`, all releases of a look at once.

`tests/unit/gates/test_bench_twin.py` holds it equal to the judge itself.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from strategies.gates.account import (
    AT_LAUNCH,
    CALM_WEIGHTS,
    ERRORS_APART,
    FIRST_GUESS,
    MOST,
    OUTAGE,
    RECENT,
    STAKES,
    Account,
)
from strategies.gates.chance import Line
from strategies.gates.counts import STEPS, Border, Floats, Guess, Samples, as_good, log_evidence, worse
from strategies.gates.deadline import is_surely_beyond
from strategies.gates.overdispersion import STEADY, bursts
from strategies.gates.question import PAUSE_ODDS
from tests.bench.gates.traffic import Scenario, Traffic

ROLLED_BACK, PROMOTED, HELD = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of each release, and when (seconds); `safe_at` is when safety first held, inf for never."""

    decision: NDArray[np.int64]
    at: Floats
    safe_at: Floats
    burst: Floats


class Bench:
    """The state of all releases of one scenario."""

    def __init__(self, scenario: Scenario, traffic: Traffic, *, alpha: float = 0.01, safe_odds: float = 20) -> None:
        self.scenario, self.traffic, self.alpha, self.safe_odds = scenario, traffic, alpha, safe_odds
        releases = len(traffic.past)
        found = [
            bursts(list(zip(n, x, strict=True)))
            for n, x in zip(traffic.past.tolist(), traffic.past_bad.tolist(), strict=True)
        ]
        self.burst = np.array([each.factor for each in found])
        self.is_known = np.array([each.is_known for each in found])
        self.requests, self.bad = np.zeros(releases), np.zeros(releases)
        for window in range(max(traffic.past.shape[1] - 60, 0), traffic.past.shape[1]):
            self._learn(np.arange(releases), traffic.past[:, window], traffic.past_bad[:, window])
        self.harm = np.zeros((releases, len(STEPS)))
        self.safe = np.tile(np.asarray(CALM_WEIGHTS), (releases, 1))
        self.apart = np.zeros(releases)
        self.outage = np.zeros((releases, 3))
        self.paid = np.zeros(releases)

    def run(self) -> Outcomes:
        """All looks of all releases."""
        scenario, releases = self.scenario, len(self.burst)
        decision, at = np.full(releases, HELD), np.full(releases, scenario.times[-1])
        safe_at = np.full(releases, np.inf)
        open_ = np.ones(releases, dtype=bool)
        counter = Account(Line(), Line())
        for look, t in enumerate(scenario.times):
            if not scenario.is_skipped[look]:
                active = np.flatnonzero(open_ & ~self.traffic.is_lost[:, look])
                elapsed = (t - scenario.times[0]) / 60
                counter.pay(elapsed, (scenario.times[-1] - scenario.times[0]) / 60)
                self._look(active, look, counter.paid)
            odds = self.harm.sum(axis=1) + 1 - self.paid
            is_harm = open_ & (odds >= 2 / self.alpha) & self.is_believable
            decision[is_harm], at[is_harm] = ROLLED_BACK, t
            open_ &= ~is_harm
            is_safe = open_ & (self.safe.sum(axis=1) >= self.safe_odds) & (odds < PAUSE_ODDS)
            safe_at[is_safe & np.isinf(safe_at)] = t
        self._deadline(decision, open_, is_safe)
        return Outcomes(decision, at, safe_at, self.burst)

    @property
    def is_believable(self) -> NDArray[np.bool_]:
        """`Account.is_believable` of all releases."""
        looks, requests, bad = self.outage.T
        is_outage = (looks >= 2) & (bad >= 3) & (bad * OUTAGE >= requests)
        return np.asarray(self.is_known | (self.apart >= ERRORS_APART) | is_outage)

    def _look(self, active: NDArray[np.int64], look: int, paid: float) -> None:
        t = self.traffic
        n0, x0, n1, x1 = (a[active, look] for a in (t.baseline, t.baseline_bad, t.candidate, t.candidate_bad))
        guess = (self.bad[active] + FIRST_GUESS[1]) / (self.requests[active] + FIRST_GUESS[0])
        one = np.ones(len(active))
        harmful, bearable = Border(one, one * self.scenario.allowed), Border(one, one * self.scenario.tolerated)
        seen = Samples(*(array[:, None].astype(float) for array in (n0, x0, n1, x1)))
        factors = []
        for border, candidates in ((harmful, worse(guess, harmful)), (bearable, as_good(guess, bearable))):
            line = Border(border.ratio[:, None], border.offset[:, None])
            logs = log_evidence(seen, Guess(guess[:, None], candidates), line)
            factors.append(np.exp(np.clip(logs / self.burst[active, None], -700, 460)))
        placed = paid - self.paid[active]
        self.harm[active] = np.minimum((self.harm[active] + placed[:, None] * np.asarray(STAKES)) * factors[0], MOST)
        self.safe[active] = np.minimum(self.safe[active] * factors[1], MOST)
        self.paid[active] = paid
        self._learn(active, n0, x0)
        self.apart[active] += x1 > 0
        outage = self.outage[active] + np.stack([x1 > 0, n1, x1], axis=1)
        self.outage[active] = np.where((outage[:, 2] * OUTAGE >= outage[:, 1])[:, None], outage, 0.0)

    def _learn(self, active: NDArray[np.int64], requests: NDArray[np.int64], bad: NDArray[np.int64]) -> None:
        self.requests[active] += requests
        self.bad[active] += bad
        rare = np.minimum(self.bad[active], self.requests[active] - self.bad[active])
        shrink = np.where(rare > RECENT, RECENT / np.maximum(rare, 1e-9), 1.0)
        self.requests[active] *= shrink
        self.bad[active] *= shrink

    def _deadline(self, decision: NDArray[np.int64], open_: NDArray[np.bool_], is_safe: NDArray[np.bool_]) -> None:
        scenario, t = self.scenario, self.traffic
        counted = ~scenario.is_skipped & ~t.is_lost
        arrays = (t.baseline, t.baseline_bad, t.candidate, t.candidate_bad)
        is_fit = self.is_believable & (self.burst <= STEADY)
        for release in np.flatnonzero(open_):
            stages = []
            for weight in dict.fromkeys(scenario.weight.tolist()):
                at = counted[release] & (scenario.weight == weight)
                n0, x0, n1, x1 = (int(array[release, at].sum()) for array in arrays)
                stages.append((n0, x0, n1, x1))
            line = Line(1.0, scenario.allowed)
            if is_fit[release] and is_surely_beyond(stages, line, self.alpha / 2):
                decision[release] = ROLLED_BACK
            elif is_safe[release] and not t.is_lost[release, -1]:
                decision[release] = PROMOTED


__all__ = ["AT_LAUNCH", "HELD", "PROMOTED", "ROLLED_BACK", "Bench", "Outcomes"]
