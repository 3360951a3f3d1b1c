"""How many cases are tried, and which."""

import os
import random
from collections.abc import Iterator

from hypothesis import HealthCheck, settings

IS_LONG = os.environ.get("SLUICE_FUZZ") == "long"
CASES = 200_000 if IS_LONG else 10_000
_FIRST = random.SystemRandom().randrange(2**32) if IS_LONG else 0

documents = settings(
    max_examples=2_000 if IS_LONG else 25,
    deadline=None,
    derandomize=not IS_LONG,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def dice(count: int = CASES) -> Iterator[tuple[int, random.Random]]:
    """A seed and its dice for each case; a failing case is repeated by its seed alone."""
    for seed in range(_FIRST, _FIRST + count):
        yield seed, random.Random(seed)
