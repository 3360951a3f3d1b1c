"""An address that leads nowhere is refused in one sentence that says what is allowed."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.errors import BadDatabase


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("", "not a URL"),
        ("sluice.db", "not a URL"),
        ("postgresql://host:port/name", "not a URL"),
        ("mysql://root@localhost/sluice", "'mysql' is not supported"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("postgresql://localhost", "names no database"),
    ],
)
def test_a_wrong_address_says_what_is_allowed(address: str, reason: str) -> None:
    with pytest.raises(BadDatabase, match=reason) as refusal:
        Database(address)
    assert "sqlite:////path/to/sluice.db or postgresql://user:password@host:5432/name" in str(refusal.value)


def test_a_password_is_never_repeated() -> None:
    with pytest.raises(BadDatabase) as refusal:
        Database("mysql://root:hunter2@localhost/sluice")
    assert "hunter2" not in str(refusal.value)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadDatabase, match=r"folder of the database file .*/missing/sluice\.db does not exist"):
        Database(f"sqlite:///{tmp_path}/missing/sluice.db")


def test_a_folder_is_no_database_file(tmp_path: Path) -> None:
    with pytest.raises(BadDatabase, match="is a folder"):
        Database(f"sqlite:///{tmp_path}")


def test_a_library_too_old_for_the_statements_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with Database(f"sqlite:///{tmp_path}/sluice.db") as database, pytest.raises(BadDatabase, match="too old"):
        database.ping()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgres_is_understood(scheme: str) -> None:
    database = Database(f"{scheme}://user@localhost/sluice")
    assert database._engines.writer.driver == "psycopg"
    assert not database._engines.has_one_writer


def test_a_file_is_opened_durable_strict_and_shared(tmp_path: Path) -> None:
    settings = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    with Database(f"sqlite:///{tmp_path}/sluice.db") as database, database._writing() as connection:
        found = {name: connection.execute(text(f"PRAGMA {name}")).scalar_one() for name in settings}
    assert found == settings
