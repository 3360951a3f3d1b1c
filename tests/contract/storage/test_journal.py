"""The journal takes each key once and never forgets."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from storage.database import Database
from storage.errors import StorageError
from storage.journal import Entry
from strategies.reasons import ReasonCode
from strategies.release import Phase
from tests.builders import NOW


def an_entry(key: str = "k1", release: str = "reviews-1") -> Entry:
    return Entry(key, release, NOW, "U1", "Person U1", "PauseRequested", text="paused")


def test_an_entry_is_read_as_it_was_recorded(database: Database) -> None:
    whole = Entry(
        "k1",
        "reviews-1",
        NOW,
        "U1",
        "Zoë 🚀",
        "ApprovalGiven",
        Phase.OBSERVING,
        Phase.SHIFTING,
        7,
        ReasonCode.STALE_REVISION,
        "it’s ok",
        {"stage": 2, "looks": [1.5, None, "a"]},
    )
    with database.transaction() as transaction:
        assert transaction.journal.record(whole)
    with database.reading() as transaction:
        assert transaction.journal.of("reviews-1") == [whole]


def test_a_key_is_taken_once(database: Database) -> None:
    with database.transaction() as transaction:
        taken = [transaction.journal.record(an_entry()) for _ in range(3)]
        assert taken == [True, False, False]
        assert transaction.journal.has("k1")
        assert not transaction.journal.has("k2")
        assert len(transaction.journal.of("reviews-1")) == 1


def test_of_eight_twins_at_once_one_is_taken(database: Database) -> None:
    def record(_: int) -> bool:
        with database.transaction() as transaction:
            return transaction.journal.record(an_entry())

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(record, range(8)))
    assert taken.count(True) == 1


def test_entries_come_in_order_and_the_newest_when_limited(database: Database) -> None:
    with database.transaction() as transaction:
        for n in range(5):
            transaction.journal.record(an_entry(f"k{n}"))
        transaction.journal.record(an_entry("other", "ratings-1"))
    with database.reading() as transaction:
        assert [entry.key for entry in transaction.journal.of("reviews-1")] == ["k0", "k1", "k2", "k3", "k4"]
        assert [entry.key for entry in transaction.journal.of("reviews-1", limit=2)] == ["k3", "k4"]


@pytest.mark.parametrize("statement", ["UPDATE journal SET text = 'nothing happened'", "DELETE FROM journal"])
def test_the_database_itself_refuses_to_change_the_journal(database: Database, statement: str) -> None:
    with database.transaction() as transaction:
        transaction.journal.record(an_entry())
    with pytest.raises(StorageError, match="only added to"), database._writing() as connection:
        connection.execute(text(statement))
    with database.reading() as transaction:
        assert transaction.journal.of("reviews-1") == [an_entry()]
