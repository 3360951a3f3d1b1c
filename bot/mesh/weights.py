"""Decimal percents and the integers that Istio wants."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from strategies.routing import HUNDRED

PLAIN = 100
# Istio takes weights in proportion to their sum, so a finer split is a larger sum.
SCALED = (1_000, 10_000)


def integers(weights: Mapping[str, Decimal]) -> dict[str, int]:
    """Whole numbers in the proportion of the percents; the smallest sum of 100, 1,000 and 10,000 that is exact."""
    for total in (PLAIN, *SCALED):
        scaled = {version: weight * total / HUNDRED for version, weight in weights.items()}
        if all(value == int(value) for value in scaled.values()):
            return {version: int(value) for version, value in scaled.items()}
    raise ValueError(f"a weight is finer than 0.01 %: {dict(weights)}")


def percents(written: Sequence[object], *, is_ours: bool) -> list[Decimal] | None:
    """Percents of the destinations of one route; None when their sum is no whole.

    A lone destination serves everything unless it says otherwise, one of several without a weight serves nothing.
    Sums of 1,000 and 10,000 are read in objects that carry our mark.
    """
    if any(not _is_weight(value) for value in written):
        return None
    numbers = [value if isinstance(value, int) else 0 for value in written]
    if len(numbers) == 1 and numbers[0] == 0:
        return [HUNDRED]
    total = sum(numbers)
    if total != PLAIN and not (is_ours and total in SCALED):
        return None
    return [Decimal(number) * HUNDRED / total for number in numbers]


def _is_weight(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)
