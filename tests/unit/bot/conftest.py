"""A fresh database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.bot.house import House, open_database


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An engine on a database of its own."""
    with open_database(tmp_path) as database:
        yield House(database)
