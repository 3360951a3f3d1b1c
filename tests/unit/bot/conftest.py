"""A fresh database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.bot.house import House, open_database
from tests.unit.bot.office import Office
from tests.unit.bot.sleepers import Sleepers


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """An engine on a database of its own."""
    with open_database(tmp_path) as database:
        yield House(database)


@pytest.fixture
def office(house: House, tmp_path: Path) -> Office:
    """The desk of this house."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    return Office(house, folder)


@pytest.fixture
def sleepers(monkeypatch: pytest.MonkeyPatch) -> Sleepers:
    """The idle threads of a worker that the test starts."""
    return Sleepers(monkeypatch)
