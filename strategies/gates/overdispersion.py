"""Do bad requests come alone or in bursts? How far the evidence of counts must be tempered.

A likelihood of single requests lies when errors come in bursts. Its logarithm divided by the burst factor does not:
by Jensen's inequality the tempered ratio keeps its expectation of at most 1, and with the factor measured on the
baseline's own past it stays honest for bursts too.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from math import sqrt

Window = tuple[int, int]
"""Requests and bad ones of the baseline in 60 s."""

ENOUGH = 100  # bad requests, below which nothing is known about how they come
BLOCK = 60  # windows; the rate may move with the hour without that being a burst
LONG = 5  # windows together, for bursts that last longer than one
STEADY = 1.3  # up to here a test that knows no bursts may still be asked
SURE = 2.0  # standard errors above 1 before a burst factor is believed
SURE_OF_LONG = 4.0
HEAVY = 1.5  # measured bursts promise worse ones: tails of burst sizes show late


@dataclass(frozen=True, slots=True)
class Bursts:
    """The factor by which evidence is divided, at least 1; `is_known` when history was long enough to tell."""

    factor: float = 1.0
    is_known: bool = False

    @property
    def is_steady(self) -> bool:
        """True when bad requests may be taken as independent."""
        return self.factor <= STEADY


def bursts(history: Sequence[Window]) -> Bursts:
    """The burst factor of the baseline's windows before the release, raised by what is uncertain about it."""
    windows = [window for window in history if window[0] > 0]
    bad = sum(window[1] for window in windows)
    rare = min(bad, sum(window[0] for window in windows) - bad)
    longer = list(_together(windows, LONG))
    # Fewer and longer windows vary more by chance alone: they speak only when they are sure.
    lasting, error = dispersion(longer, BLOCK // LONG)
    is_lasting = lasting - 1 >= SURE_OF_LONG * error
    factor = max(_factor(windows, BLOCK), _factor(longer, BLOCK // LONG) if is_lasting else 1.0)
    return Bursts(factor, is_known=rare >= ENOUGH)


def dispersion(windows: Sequence[Window], block: int) -> tuple[float, float]:
    """Pearson's chi-square per degree of freedom against each block's own rate, and its standard error at 1.

    (1.0, inf) when there is nothing to measure. The standard error holds for independent requests of any rate:
    variance of a chi-square term is 2 + 1/expected for counts that are nearly Poisson.
    """
    chi_square, freedom, variance = 0.0, 0, 0.0
    for start in range(0, len(windows), block):
        part = windows[start : start + block]
        requests, bad = sum(n for n, _ in part), sum(x for _, x in part)
        if len(part) < 2 or bad in {0, requests}:
            continue
        rate = bad / requests
        chi_square += sum((x - n * rate) ** 2 / n for n, x in part) / (rate * (1 - rate))
        freedom += len(part) - 1
        variance += (len(part) - 1) * (2 + len(part) / (requests * rate * (1 - rate)))
    if freedom == 0:
        return 1.0, float("inf")
    return chi_square / freedom, sqrt(variance) / freedom


def _factor(windows: Sequence[Window], block: int) -> float:
    measured, error = dispersion(windows, block)
    certainty = (measured - 1) / error
    if certainty <= 0:
        return 1.0
    # What chance explains is taken as it is; what it cannot explain is raised, in one smooth step.
    return measured * (1 + (HEAVY - 1) * min(max(certainty - SURE, 0.0) / SURE, 1.0))


def _together(windows: Sequence[Window], size: int) -> Iterator[Window]:
    rest = iter(windows)
    while part := tuple(islice(rest, size)):
        if len(part) == size:
            yield sum(n for n, _ in part), sum(x for _, x in part)
