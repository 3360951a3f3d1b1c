"""Evidence from gauges (revenue, engagement, cores): odds that the mean difference lies on one side of a bound.

The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (arXiv 2103.06476), read as odds:
a normal mixture over the difference, valid at every look once looks are many. Readings of a gauge depend on each
other, so the variance is the long-run one of the baseline's past, never the naive one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

BATCH = 20  # windows, long enough to forget
PERSISTENCE = 4.0  # long-run over naive variance where history is too short to measure it: AR(1) of 0.6
FEWEST = 20  # looks before differences are taken as nearly normal
TIGHTEST = 60  # looks at which the odds are best, when no deadline says better
MINUTE = 60.0
MOST_ODDS = 1e200


@dataclass(frozen=True, slots=True)
class Differences:
    """Candidate minus baseline over the looks so far, turned so that more is worse."""

    looks: int = 0
    total: float = 0.0
    squares: float = 0.0

    def plus(self, difference: float) -> "Differences":
        """One look more."""
        return Differences(self.looks + 1, self.total + difference, self.squares + difference * difference)

    @property
    def mean(self) -> float:
        """The mean difference; zero before the first look."""
        return self.total / self.looks if self.looks else 0.0

    @property
    def variance(self) -> float:
        """The naive variance of one difference."""
        if self.looks < 2:
            return 0.0
        return max(self.squares - self.total * self.total / self.looks, 0.0) / (self.looks - 1)


def long_run_variance(history: Sequence[float]) -> float | None:
    """The variance of one 60 s reading as it counts in a long mean; None when history is too short to tell."""
    means = [sum(history[start : start + BATCH]) / BATCH for start in range(0, len(history) - BATCH + 1, BATCH)]
    if len(means) < 5:
        return None
    centre = sum(means) / len(means)
    return BATCH * sum((mean - centre) ** 2 for mean in means) / (len(means) - 1)


def variance_per_look(seen: Differences, long_run: float | None, seconds: float) -> float:
    """The long-run variance of one look's difference: the larger of what history and the looks themselves say."""
    measured = seen.variance * PERSISTENCE
    if long_run is None:
        return measured
    # Two arms of the same noise; a look shorter than a minute forgets less than one.
    return max(2 * long_run * MINUTE / max(seconds, 1.0), seen.variance)


def odds_against(
    bound: float, seen: Differences, variance: float, best_at: float = TIGHTEST, level: float = 0.05
) -> float:
    """How surely the mean difference is not `bound`, as odds; 1 when nothing is known yet.

    Above 1 says that the mean lies on the side of the bound on which it was measured.
    """
    if seen.looks < FEWEST:
        return 1.0
    if variance <= 0:
        return 1.0 if seen.mean == bound else MOST_ODDS
    width = (-2 * math.log(level) + math.log(1 - 2 * math.log(level))) / max(best_at, 1.0)
    grown = seen.looks * width + 1
    away = seen.total - seen.looks * bound
    exponent = away * away * width / (2 * variance * grown) - math.log(grown) / 2
    return min(math.exp(min(exponent, 460.0)), MOST_ODDS)
