"""What chance alone may do: exact binomial tails and the likelihood of two rates."""

import math
from typing import NamedTuple

from scipy.special import bdtr, bdtrc

SPLIT_TAIL = 0.0005  # each side of the exact 99.9 % interval
STRAYS = 0.001  # requests in flight and direct callers that no split explains


class Counts(NamedTuple):
    """How many requests, and how many of them were bad."""

    requests: int = 0
    bad: int = 0

    def plus(self, other: "Counts") -> "Counts":
        """Both together."""
        return Counts(self.requests + other.requests, self.bad + other.bad)

    @property
    def rate(self) -> float:
        """Bad per request; zero without requests, so ask for `requests` first."""
        return self.bad / self.requests if self.requests else 0.0


class Line(NamedTuple):
    """The border of what is allowed: candidate rate = `ratio` x baseline rate + `offset`."""

    ratio: float = 1.0
    offset: float = 0.0


NOTHING = Counts()
EQUAL = Line()


class Level(NamedTuple):
    """How sure is sure: the tail on one side, and the normal quantile of the same tail."""

    tail: float
    root: float


def tempered(level: Level, factor: float) -> Level:
    """The level for counts that vary `factor` times as much as chance alone makes them, in variance."""
    if factor <= 1:
        return level
    root = level.root * math.sqrt(factor)
    return Level(math.erfc(root / math.sqrt(2)) / 2, root)


LOOK = Level(0.005, 2.5758)  # two looks running make it 1 in 40,000
STAGE = Level(0.0000317, 4.0)  # asked anew of the growing total at each look, hence the higher bar


def is_share_plausible(candidate: int, total: int, asked: float) -> bool:
    """True when `candidate` of `total` requests lies inside the exact 99.9 % binomial interval of the asked share.

    A share of nothing or everything allows strays: one request among thousands is no wrong split. Without any stray
    it is as right as can be.
    """
    share = min(max(asked, STRAYS), 1 - STRAYS)
    too_few = asked > STRAYS and bdtr(candidate, total, share) <= SPLIT_TAIL
    too_many = asked < 1 - STRAYS and candidate > 0 and bdtrc(candidate - 1, total, share) <= SPLIT_TAIL
    return not (too_few or too_many)


def tells_share(total: int, asked: float) -> bool:
    """True when so many requests could contradict the asked share in both directions.

    A share of 0 or 1 can only be contradicted from one side, and one request is then enough to say something.
    """
    if asked <= STRAYS or asked >= 1 - STRAYS:
        return total > 0
    return not is_share_plausible(0, total, asked) and not is_share_plausible(total, total, asked)


def is_surely_above(seen: Counts, rate: float, level: Level) -> bool:
    """True when a true rate of `rate` gives so many bad requests in fewer than `level.tail` of samples (exact)."""
    return seen.bad > 0 and bool(bdtrc(seen.bad - 1, seen.requests, min(rate, 1.0)) < level.tail)


def is_surely_worse(candidate: Counts, baseline: Counts, line: Line, level: Level) -> bool:
    """True when both samples together reject `candidate rate <= line(baseline rate)` at `level`.

    Signed root of the likelihood ratio against the best point on the line; the baseline's rate is free, so that
    a shared incident proves nothing.
    """
    if not candidate.requests or not baseline.requests:
        return False
    if candidate.rate <= line.ratio * baseline.rate + line.offset:
        return False
    border = _on_line(candidate, baseline, line)
    best = _log_likelihood(candidate, candidate.rate) + _log_likelihood(baseline, baseline.rate)
    nearest = _log_likelihood(candidate, min(line.ratio * border + line.offset, 1.0))
    nearest += _log_likelihood(baseline, border)
    return math.sqrt(max(2 * (best - nearest), 0.0)) > level.root


def _on_line(candidate: Counts, baseline: Counts, line: Line) -> float:
    """The baseline rate on the line that explains both samples best; the likelihood is concave along it."""
    # The best point lies between what each sample alone would choose.
    low, high = baseline.rate, min((candidate.rate - line.offset) / line.ratio, 1.0)
    for _ in range(30):
        middle = (low + high) / 2
        other = line.ratio * middle + line.offset
        slope = line.ratio * _slope(candidate, other) + _slope(baseline, middle)
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2


def _slope(seen: Counts, rate: float) -> float:
    rate = min(max(rate, 1e-15), 1 - 1e-15)
    return seen.bad / rate - (seen.requests - seen.bad) / (1 - rate)


def _log_likelihood(seen: Counts, rate: float) -> float:
    good = seen.requests - seen.bad
    likelihood = seen.bad * math.log(max(rate, 1e-300)) if seen.bad else 0.0
    return likelihood + (good * math.log1p(-min(rate, 1 - 1e-16)) if good else 0.0)
