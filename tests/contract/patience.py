"""How long the tier waits for what must come: until it is there, however slow or busy the machine is.

No test of the tier sleeps for a time and then counts, and none holds a machine to a speed: budgets are `tests/bench`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.patience import PATIENCE, comes_true

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["PATIENCE", "until"]


def until(holds: Callable[[], object]) -> None:
    """Return when it holds; fail when it never does."""
    assert comes_true(holds), "what was waited for did not come about"
