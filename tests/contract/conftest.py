"""What the contract suites share."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module", autouse=True)
def _blamed_where_it_was_left() -> Iterator[None]:
    """A socket left open fails the module that left it, not whichever test is running when it is collected."""
    yield
    gc.collect()
