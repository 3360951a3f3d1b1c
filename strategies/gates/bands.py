"""How much worse the candidate may still be: the differences that the evidence has not ruled out, look by look.

About thirty differences are each asked what the judge asks of the allowed and of the tolerated one: is the candidate
surely worse than this, is it surely better? What is ruled out once stays ruled out, so the band only narrows. Where
it lies above the allowed difference the release is rolled back, where below the tolerated one it may go on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from strategies.gates.account import CALM_WEIGHTS, STAKES, Account
from strategies.gates.chance import Line
from strategies.gates.counts import CALM, STEPS, Border, Floats, Guess, Samples, as_good, log_evidence, worse
from strategies.gates.gauges import FEWEST, TIGHTEST, Differences
from strategies.gates.memory import ENOUGH
from strategies.gates.overdispersion import Bursts

MARGINS = 30
# Beyond the tolerated difference nobody decides anything: there the guesses look for a bad candidate's place as well.
DEPTHS = (*CALM, 0.7, 0.9)
JUDGED, WIDE = (*CALM_WEIGHTS, 0.0, 0.0), (0.25,) * len(DEPTHS)


class Seen(NamedTuple):
    """One look: seconds since the first one, baseline's requests and bad ones, the candidate's."""

    t: float
    baseline: int
    baseline_bad: int
    candidate: int
    candidate_bad: int


@dataclass(frozen=True, slots=True)
class Bar:
    """What rules a difference out: the odds of both directions, what bursts cost, and the time to the deadline.

    Up to `tolerated` the odds are those that the judge itself would have.
    """

    harm_odds: float = 200.0
    safe_odds: float = 20.0
    bursts: Bursts = field(default_factory=Bursts)
    recent: tuple[float, float] = (0.0, 0.0)
    deadline_s: float | None = None
    tolerated: float = math.inf


@dataclass(frozen=True, slots=True)
class Band:
    """By look: the least and the greatest difference that is not ruled out, and the one measured so far.

    Differences are candidate minus baseline, more being worse. Infinite where nothing on that side is ruled out; NaN
    for a measured difference before the candidate had requests enough to speak of a rate.
    """

    least: tuple[float, ...] = ()
    greatest: tuple[float, ...] = ()
    measured: tuple[float, ...] = ()

    def held_to(self, allowed: float, tolerated: float, *, is_harm: bool, is_safe: bool) -> "Band":
        """The band as far as the judge itself agrees, which saw every look and not sums of them.

        Its newest end moves to what the judge has ruled out; where the judge sees no harm, none is shown.
        """
        if not self.least:
            return self
        if is_harm:
            least = (*self.least[:-1], max(self.least[-1], allowed))
        else:
            least = tuple(min(low, math.nextafter(allowed, -math.inf)) for low in self.least)
        newest = min(self.greatest[-1], tolerated) if is_safe else self.greatest[-1]
        return Band(least, (*self.greatest[:-1], newest), self.measured)


def spread(low: float, high: float, *exactly: float) -> tuple[float, ...]:
    """Differences from `low` to `high`, the named ones among them."""
    step = (high - low) / (MARGINS - 1)
    return tuple(sorted({*(low + step * place for place in range(MARGINS)), *exactly}))


def only_learnt(looks: Sequence[Seen]) -> list[Seen]:
    """The looks with the first one that has requests as knowledge alone: how often good events come is no guess."""
    first = next((place for place, seen in enumerate(looks) if seen.baseline), 0)
    return [seen._replace(candidate=0, candidate_bad=0) if place == first else seen for place, seen in enumerate(looks)]


def measured(looks: Sequence[Seen]) -> tuple[float, ...]:
    """The difference of both rates over all looks so far, each compared within itself (Mantel, Haenszel)."""
    found, difference, weight, ours = [], 0.0, 0.0, 0
    for _, n0, x0, n1, x1 in looks:
        if n0 and n1:
            difference += (x1 * n0 - x0 * n1) / (n0 + n1)
            weight += n0 * n1 / (n0 + n1)
            ours += n1
        found.append(difference / weight if ours >= ENOUGH else math.nan)
    return tuple(found)


def band(looks: Sequence[Seen], margins: Sequence[float], bar: Bar) -> Band:
    """The band over the looks; `margins` ascend. Between two of them the odds are taken to change evenly."""
    if not looks:
        return Band()
    account = Account(Line(), Line(), bar.bursts)
    account.requests, account.bad = bar.recent
    rates = []
    for seen in looks:
        rates.append(account.guess)
        account.learn(seen.baseline, seen.baseline_bad)
    factors = _factors(looks, np.asarray(rates), np.asarray(margins), bar.bursts.factor)
    return Band(*_narrowed(looks, factors, margins, account, bar), measured(looks))


def gauge_band(differences: Sequence[float], variance: float, odds: float, best_at: float = TIGHTEST) -> Band:
    """The band of a level from the differences of its looks: `gauges.odds_against` solved for the bound."""
    width = (2 * math.log(odds) + math.log(1 + 2 * math.log(odds))) / max(best_at, 1.0)
    seen, low, high = Differences(), -math.inf, math.inf
    least, greatest, means = [], [], []
    for difference in differences:
        if not math.isnan(difference):
            seen = seen.plus(difference)
        if seen.looks >= FEWEST:
            grown = seen.looks * width + 1
            away = math.sqrt(2 * variance * grown / width * (math.log(odds) + math.log(grown) / 2)) / seen.looks
            low, high = max(low, seen.mean - away), min(high, seen.mean + away)
        least.append(low)
        greatest.append(high)
        means.append(seen.mean if seen.looks else math.nan)
    return Band(tuple(least), tuple(greatest), tuple(means))


def _factors(looks: Sequence[Seen], rates: Floats, margins: Floats, burst: float) -> Floats:
    """The tempered likelihood ratios, shape (looks, margins, guesses): harm's guesses first, then safety's."""
    rate = np.broadcast_to(rates[:, None], (len(rates), len(margins)))
    border = Border(np.ones_like(rate), np.broadcast_to(margins, rate.shape))
    guesses = np.concatenate((worse(rate, border), as_good(rate, border, DEPTHS)), axis=2)
    _, n0, x0, n1, x1 = (column[:, None, None] for column in np.asarray(looks, dtype=np.float64).T)
    wide = Border(border.ratio[..., None], border.offset[..., None])
    logs = log_evidence(Samples(n0, x0, n1, x1), Guess(rate[..., None], guesses), wide)
    return np.exp(np.clip(logs / burst, -700.0, 460.0))


def _narrowed(
    looks: Sequence[Seen], factors: Floats, margins: Sequence[float], account: Account, bar: Bar
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    harm = np.zeros((len(margins), len(STEPS)))
    safe = np.array([JUDGED if margin <= bar.tolerated else WIDE for margin in margins])
    best_harm, best_safe = np.zeros(len(margins)), np.zeros(len(margins))
    least, greatest, stakes = [], [], np.asarray(STAKES)
    horizon = None if bar.deadline_s is None else bar.deadline_s / 60
    for seen, factor in zip(looks, factors, strict=True):
        placed = account.pay((seen.t - looks[0].t) / 60, horizon)
        harm = np.minimum((harm + placed * stakes) * factor[:, : len(STEPS)], 1e200)
        safe = np.minimum(safe * factor[:, len(STEPS) :], 1e200)
        account.note(0.0, tuple(seen[1:]), int(seen.candidate_bad > 0))  # type: ignore[arg-type]  # four of them
        if account.is_believable:
            best_harm = np.maximum(best_harm, np.log(harm.sum(axis=1) + 1 - account.paid))
        best_safe = np.maximum(best_safe, np.log(np.maximum(safe.sum(axis=1), 1e-300)))
        least.append(_crossing(margins[::-1], best_harm[::-1], math.log(bar.harm_odds)))
        greatest.append(-_crossing([-margin for margin in margins], best_safe, math.log(bar.safe_odds)))
    return tuple(least), tuple(greatest)


def _crossing(margins: Sequence[float], odds: Floats, bar: float) -> float:
    """The greatest margin ruled out, of `margins` that fall; minus infinity for none."""
    ruled_out = np.flatnonzero(np.maximum.accumulate(odds) >= bar)
    if not ruled_out.size:
        return -math.inf
    place = int(ruled_out[0])
    if place == 0:
        return margins[0]
    here, before = float(odds[place]), float(odds[place - 1])
    part = (here - bar) / (here - before)
    return margins[place] + (margins[place - 1] - margins[place]) * part
