"""How long the tier waits for what must come: until it is there, however slow or busy the machine is.

No test of the tier sleeps for a time and then counts, and none holds a machine to a speed: budgets are `tests/bench`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Seconds; only what never comes takes so long. A test as a whole has ten times as much.
PATIENCE = 60.0


def until(holds: Callable[[], object]) -> None:
    """Return when it holds; fail when it never does."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not come about"
        time.sleep(0.01)
