"""How long tests wait for what is to come: on a slow machine as on a quick one, for what comes ends the wait."""

import time
from collections.abc import Callable

PATIENCE = 120.0  # seconds; only a failure takes so long


def comes_true(holds: Callable[[], object], *, every: float = 0.01, seconds: float = PATIENCE) -> bool:
    """True as soon as it holds, False when it did not in all this time."""
    end = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < end:
        time.sleep(every)
    return bool(found)
