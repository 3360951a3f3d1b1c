"""Looks are stored once, read newest last, and forgotten when they are old."""

from datetime import timedelta

from storage.database import Database, Transaction
from strategies.verdicts import Outcome
from tests.builders import NOW, a_reading, a_verdict

LOOK = timedelta(seconds=10)


def add(transaction: Transaction, n: int, stage: int = 0) -> None:
    at = NOW + n * LOOK
    transaction.evidence.add("reviews-1", at, stage, a_reading(at), (a_verdict(), a_verdict(Outcome.WAIT, "share")))


def test_a_look_is_read_as_it_was_stored(database: Database) -> None:
    with database.transaction() as transaction:
        add(transaction, 0, stage=2)
    with database.reading() as transaction:
        (look,) = transaction.evidence.looks("reviews-1", 10)
    assert (look.at, look.stage, look.reading) == (NOW, 2, a_reading(NOW))
    assert look.verdicts == (a_verdict(), a_verdict(Outcome.WAIT, "share"))


def test_the_newest_looks_come_oldest_first(database: Database) -> None:
    with database.transaction() as transaction:
        for n in range(5):
            add(transaction, n, stage=n // 3)
    with database.reading() as transaction:
        assert [look.at for look in transaction.evidence.looks("reviews-1", 2)] == [NOW + 3 * LOOK, NOW + 4 * LOOK]
        assert [look.at for look in transaction.evidence.looks("reviews-1", 2, stage=0)] == [NOW + LOOK, NOW + 2 * LOOK]
        assert transaction.evidence.looks("ratings-1", 2) == []


def test_the_same_look_is_stored_once(database: Database) -> None:
    with database.transaction() as transaction:
        add(transaction, 0)
        add(transaction, 0)
        assert len(transaction.evidence.looks("reviews-1", 10)) == 1


def test_old_looks_are_forgotten(database: Database) -> None:
    with database.transaction() as transaction:
        for n in range(4):
            add(transaction, n)
        assert transaction.evidence.prune(NOW + 2 * LOOK) == 2
        assert [look.at for look in transaction.evidence.looks("reviews-1", 10)] == [NOW + 2 * LOOK, NOW + 3 * LOOK]
