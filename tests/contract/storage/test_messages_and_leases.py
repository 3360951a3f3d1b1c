"""One live message per kind; one holder per lease."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from storage.database import Database
from storage.messages import StoredMessage
from tests.builders import NOW

TTL = timedelta(seconds=10)


def test_a_message_is_known_by_release_and_kind(database: Database) -> None:
    root, stage = StoredMessage("C1", "1.0", "https://slack/1", 3), StoredMessage("C1", "2.0", "", 4)
    with database.transaction() as transaction:
        transaction.messages.put("reviews-1", "root", root)
        transaction.messages.put("reviews-1", "stage:0", stage)
    with database.reading() as transaction:
        assert transaction.messages.get("reviews-1", "root") == root
        assert transaction.messages.get("reviews-1", "stage:0") == stage
        assert transaction.messages.get("reviews-1", "stage:1") is None


def test_a_message_that_was_posted_anew_is_the_live_one(database: Database) -> None:
    with database.transaction() as transaction:
        transaction.messages.put("reviews-1", "root", StoredMessage("C1", "1.0", "", 1))
        transaction.messages.put("reviews-1", "root", StoredMessage("C1", "9.0", "", 2))
        assert transaction.messages.get("reviews-1", "root") == StoredMessage("C1", "9.0", "", 2)


def take(database: Database, holder: str, after: timedelta = timedelta(0)) -> bool:
    with database.transaction() as transaction:
        return transaction.leases.take("looks", holder, NOW + after, TTL)


def test_a_lease_has_one_holder_until_it_runs_out(database: Database) -> None:
    assert take(database, "a")
    assert not take(database, "b", TTL - timedelta(milliseconds=1))
    assert take(database, "b", TTL)
    assert not take(database, "a", TTL)


def test_the_holder_renews_its_lease(database: Database) -> None:
    assert take(database, "a")
    assert take(database, "a", TTL / 2)
    assert not take(database, "b", TTL)


def test_a_dropped_lease_is_free_at_once_and_only_its_holder_drops_it(database: Database) -> None:
    take(database, "a")
    with database.transaction() as transaction:
        transaction.leases.drop("looks", "b")
    assert not take(database, "b")
    with database.transaction() as transaction:
        transaction.leases.drop("looks", "a")
    assert take(database, "b")


def test_a_lease_that_a_clock_took_which_was_set_back_since_is_free(database: Database) -> None:
    assert take(database, "a", timedelta(hours=1))
    assert take(database, "b")


def test_a_clock_that_is_a_little_ahead_keeps_its_lease(database: Database) -> None:
    assert take(database, "a", timedelta(seconds=59))
    assert not take(database, "b")


def test_of_eight_replicas_at_once_one_takes_the_lease(database: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda n: take(database, f"replica {n}"), range(8)))
    assert taken.count(True) == 1
