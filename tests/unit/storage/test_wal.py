"""A new SQLite file that several processes open at once."""

import sqlite3
from dataclasses import dataclass, field

import pytest

from storage import engines


@dataclass
class Cursor:
    """Answers as SQLite does while somebody else turns the file to WAL."""

    refusals: list[str]
    asked: list[str] = field(default_factory=list)

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        if self.refusals:
            raise sqlite3.OperationalError(self.refusals.pop(0))


def test_a_file_that_somebody_else_turns_to_wal_is_tried_again() -> None:
    cursor = Cursor(["database is locked"] * 3)
    engines._use_wal(cursor)
    assert len(cursor.asked) == 4


def test_a_lock_that_stays_and_any_other_trouble_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(sqlite3.OperationalError, match="disk I/O error"):
        engines._use_wal(Cursor(["disk I/O error"]))
    monkeypatch.setattr(engines, "WAIT_SECONDS", 0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        engines._use_wal(Cursor(["database is locked"] * 9))
