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
    SURE_TOTALS,
    Account,
)
from strategies.gates.chance import Line
from strategies.gates.counts import (
    FEWEST,
    STEPS,
    Border,
    Floats,
    Guess,
    Samples,
    as_good,
    divergence,
    log_evidence,
    nearest_rates,
    worse,
)
from strategies.gates.counts import MOST as MOST_RATE
from strategies.gates.deadline import is_surely_beyond
from strategies.gates.overdispersion import HEAVY, STEADY, bursts
from strategies.gates.question import PAUSE_ODDS
from strategies.gates.roughness import FEWEST as FEWEST_BAD
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
        self.rough = [_Rough(releases), _Rough(releases)]
        weights = list(dict.fromkeys(scenario.weight.tolist()))
        self.place = {weight: place for place, weight in enumerate(weights)}
        self.totals = np.zeros((releases, len(weights), 4))

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
            is_harm = open_ & (odds >= 2 / self.alpha)
            if is_harm.any():
                is_harm &= self.is_believable
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
        is_sure = self.excess / np.maximum(self.burst, self._roughness()) >= SURE_TOTALS
        return np.asarray(self.is_known | is_outage | ((self.apart >= ERRORS_APART) & is_sure))

    @property
    def excess(self) -> Floats:
        """`Account.excess` of all releases."""
        n0, x0, n1, x1 = (self.totals[..., column] for column in range(4))
        rates = [np.clip(x / np.maximum(n, 1), FEWEST, MOST_RATE) for x, n in ((x0, n0), (x1, n1))]
        border = Border(np.ones_like(n0), np.full_like(n0, self.scenario.allowed))
        q0, q1 = nearest_rates(n0, n1, Guess(*rates), border)
        nats = n1 * divergence(rates[1], np.clip(q1, FEWEST, MOST_RATE))
        nats = nats + n0 * divergence(rates[0], np.clip(q0, FEWEST, MOST_RATE))
        is_beyond = (n0 > 0) & (n1 > 0) & (x1 * n0 > (x0 + self.scenario.allowed * n0) * n1)
        return np.asarray(np.where(is_beyond, nats, 0.0).sum(axis=1))

    def _roughness(self) -> Floats:
        return np.maximum(self.rough[0].factor, self.rough[1].factor)

    def _look(self, active: NDArray[np.int64], look: int, paid: float) -> None:
        t = self.traffic
        n0, x0, n1, x1 = (a[active, look] for a in (t.baseline, t.baseline_bad, t.candidate, t.candidate_bad))
        guess = (self.bad[active] + FIRST_GUESS[1]) / (self.requests[active] + FIRST_GUESS[0])
        tempering = np.where(self.is_known, self.burst, np.maximum(self.burst, self._roughness()))
        one = np.ones(len(active))
        harmful, bearable = Border(one, one * self.scenario.allowed), Border(one, one * self.scenario.tolerated)
        seen = Samples(*(array[:, None].astype(float) for array in (n0, x0, n1, x1)))
        factors = []
        for border, candidates in ((harmful, worse(guess, harmful)), (bearable, as_good(guess, bearable))):
            line = Border(border.ratio[:, None], border.offset[:, None])
            logs = log_evidence(seen, Guess(guess[:, None], candidates), line)
            factors.append(np.exp(np.clip(logs / tempering[active, None], -700, 460)))
        placed = paid - self.paid[active]
        self.harm[active] = np.minimum((self.harm[active] + placed[:, None] * np.asarray(STAKES)) * factors[0], MOST)
        self.safe[active] = np.minimum(self.safe[active] * factors[1], MOST)
        self.paid[active] = paid
        self._learn(active, n0, x0)
        self.rough[0].note(active, n0, x0)
        self.rough[1].note(active, n1, x1)
        self.totals[active, self.place[float(self.scenario.weight[look])]] += np.stack([n0, x0, n1, x1], axis=1)
        self.apart[active] += x1 > 0
        outage = self.outage[active] + np.stack([(x1 > 0) & (x1 * OUTAGE >= n1), n1, x1], axis=1)
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


class _Rough:
    """`Roughness` of one version of all releases."""

    def __init__(self, releases: int) -> None:
        self.pairs, self.requests, self.bad, self.squares, self.newest, self.newest_bad = np.zeros((6, releases))

    def note(self, active: NDArray[np.int64], requests: NDArray[np.int64], bad: NDArray[np.int64]) -> None:
        told = requests > 0
        active, n, x = active[told], requests[told].astype(np.float64), bad[told].astype(np.float64)
        before, before_bad = self.newest[active], self.newest_bad[active]
        is_pair = before > 0
        apart = x / n - before_bad / np.maximum(before, 1e-9)
        self.squares[active] += np.where(is_pair, apart * apart / (1 / n + 1 / np.maximum(before, 1e-9)), 0.0)
        self.pairs[active] += is_pair
        self.requests[active] += n
        self.bad[active] += x
        self.newest[active], self.newest_bad[active] = n, x

    @property
    def factor(self) -> Floats:
        rate = (self.bad + 0.5) / (self.requests + 1)
        pairs, bad = np.maximum(self.pairs, 1e-9), np.maximum(self.bad, 1e-9)
        measured = self.squares / pairs / (rate * (1 - rate))
        certainty = (measured - 1) / np.sqrt((3 + pairs / bad) / pairs)
        raised = measured * (1 + (HEAVY - 1) * np.minimum(certainty - 1, 1.0))
        is_telling = (self.pairs > 0) & (self.bad >= FEWEST_BAD) & (certainty > 1)
        return np.asarray(np.where(is_telling, raised, 1.0))


__all__ = ["AT_LAUNCH", "HELD", "PROMOTED", "ROLLED_BACK", "Bench", "Outcomes"]
