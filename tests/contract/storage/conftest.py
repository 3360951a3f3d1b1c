"""The same probes on a SQLite file and on a real PostgreSQL."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from storage import database as opened
from storage import engines
from storage.database import Database
from tests.contract.patience import PATIENCE
from tests.parts.postgres import address, emptied, running_postgres, statement

_numbers = count(1)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has to wait for a lock on a slow machine is not refused; a test of the refusal says how long it waits."""
    for module in (engines, opened):
        monkeypatch.setattr(module, "WAIT_SECONDS", int(PATIENCE))
    monkeypatch.setitem(engines._SQLITE, "timeout", int(PATIENCE))
    monkeypatch.setattr(engines, "_POSTGRES_OPTIONS", engines._POSTGRES_OPTIONS.replace("=5s", f"={PATIENCE:.0f}s"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A real server with one migrated database, `sluice`, that every test gets emptied."""
    with running_postgres() as server:
        statement(server, "CREATE DATABASE sluice")
        with Database(address(server, "sluice")) as database:
            database.migrate()
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file that every test gets a copy of."""
    file = tmp_path_factory.mktemp("sqlite") / "template.db"
    with Database(f"sqlite:///{file}") as database:
        database.migrate()
    return file


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A migrated file of its own, nothing in it."""
    shutil.copy(sqlite_template, tmp_path / "sluice.db")
    return f"sqlite:///{tmp_path / 'sluice.db'}"


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """A migrated database on a real server, nothing in it; who changes its schema takes `empty_url`."""
    url = address(postgres_server, "sluice")
    emptied(url)
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which of the two databases this test runs on."""
    return str(request.param)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest) -> str:
    """A migrated database with nothing in it, of either kind."""
    return str(request.getfixturevalue(f"{kind}_url"))


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of its own without any table."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server, name = request.getfixturevalue("postgres_server"), f"empty_{next(_numbers)}"
    statement(server, f"CREATE DATABASE {name}")
    yield address(server, name)
    statement(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A migrated database, open."""
    with Database(url) as opened:
        yield opened
