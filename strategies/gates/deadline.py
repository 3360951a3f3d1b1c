"""One exact test when the declared time is over: are the candidate's bad requests more than the margin explains?

Given how many bad requests both versions had at one weight, the candidate's part is binomial: its chance of each is
`n1 p1 / (n1 p1 + n0 p0)`, whatever the baseline's rate did meanwhile. The weights are added up by convolution. The
margin makes that chance depend on the baseline's rate, which is taken from the lower end of its own confidence set,
paid for out of the same budget (Berger, Boos 1994).
"""

from collections.abc import Sequence
from math import sqrt

import numpy as np
from scipy.special import betaincinv, gammaln, xlog1py, xlogy

from strategies.gates.chance import Line
from strategies.gates.counts import Floats

SPENT_ON_BASELINE = 0.1  # of the test's level
WIDTH = 12.0  # standard deviations kept of each part's distribution
Stage = tuple[int, int, int, int]
"""Baseline's requests and bad ones, candidate's requests and bad ones, at one weight."""


def is_surely_beyond(stages: Sequence[Stage], border: Line, level: float) -> bool:
    """True when less than `level` of releases with a candidate on the border would show so many bad requests.

    Refused besides when the measured rate itself does not lie beyond the border.
    """
    told = [stage for stage in stages if stage[0] > 0 and stage[2] > 0]
    ours = sum(stage[3] for stage in told)
    expected = sum(n1 * min(border.ratio * x0 / n0 + border.offset, 1.0) for n0, x0, n1, _ in told)
    if not told or ours <= expected:
        return False
    level_of_rate = level * SPENT_ON_BASELINE / len(told)
    lowest, chances = 0, np.ones(1)
    for n0, x0, n1, x1 in told:
        start, part = _part(x0 + x1, _chance_of_candidate(n0, x0, n1, border, level_of_rate))
        lowest, chances = lowest + start, np.convolve(chances, part)
    tail = float(chances[max(ours - lowest, 0) :].sum())
    return tail <= level * (1 - SPENT_ON_BASELINE)


def _chance_of_candidate(n0: int, x0: int, n1: int, border: Line, level: float) -> float:
    """The largest chance that a bad request is the candidate's while its rate stays within the border."""
    least = float(betaincinv(x0, n0 - x0 + 1, level)) if x0 else 0.0
    if least <= 0:
        return 1.0
    most = min(border.ratio * least + border.offset, 1.0)
    return n1 * most / (n1 * most + n0 * least)


def _part(bad: int, chance: float) -> tuple[int, Floats]:
    """The binomial distribution of `bad` at `chance` where it is worth adding up, and where that starts."""
    spread = WIDTH * sqrt(bad * chance * (1 - chance)) + WIDTH
    start, end = max(int(bad * chance - spread), 0), min(int(bad * chance + spread) + 1, bad)
    k = np.arange(start, end + 1, dtype=np.float64)
    log = gammaln(bad + 1) - gammaln(k + 1) - gammaln(bad - k + 1) + xlogy(k, chance) + xlog1py(bad - k, -chance)
    return start, np.exp(log)
