"""What goes wrong with a database is said in our words, in one sentence, and stores nothing."""

import sqlite3
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from storage import bounded
from storage import database as module
from storage.database import Database
from storage.errors import BadDatabase, DatabaseDown, StorageError
from storage.journal import Entry
from tests.builders import NOW, a_release
from tests.contract.patience import PATIENCE
from tests.integration.gate import Gate
from tests.integration.loop_thread import LoopThread
from tests.parts.processes import free_ports


def test_a_database_that_answers_is_not_down(database: Database) -> None:
    assert database.ping() is None  # type: ignore[func-returns-value]


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(StorageError, match=r"read-?only"), database.reading() as transaction:
        transaction.releases.add(a_release())


def test_a_reader_sees_what_is_stored_while_a_writer_works(database: Database) -> None:
    with database.transaction() as writer:
        writer.releases.add(a_release())
        with database.reading() as reader:
            assert reader.releases.active() == []


def test_a_reader_sees_one_moment_to_its_end(database: Database) -> None:
    with database.reading() as reader:
        before = reader.releases.active()
        with database.transaction() as writer:
            writer.releases.add(a_release())
        assert reader.releases.active() == before == []


def test_a_server_that_is_not_there_is_down() -> None:
    (port,) = free_ports(1)
    with Database(f"postgresql://sluice@127.0.0.1:{port}/sluice") as database, pytest.raises(DatabaseDown):
        database.ping()


def test_a_database_name_that_the_server_does_not_know_is_named(postgres_server: str) -> None:
    address = f"{postgres_server.rpartition('/')[0]}/nothing"
    with Database(address) as database, pytest.raises(DatabaseDown, match='"nothing" does not exist'):
        database.migrate()


def test_a_server_that_falls_silent_is_down_and_is_asked_again_on_a_new_connection(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, gate = LoopThread(), Gate(postgres_url)
    loop.run(gate.open())
    address = f"{gate.url.replace('//', '//sluice@')}/{postgres_url.rpartition('/')[2]}?connect_timeout=5"
    with Database(address) as database:
        database.ping()
        loop.run(gate.stall())
        with monkeypatch.context() as hurried:
            hurried.setattr(bounded, "ANSWER_SECONDS", 0.3)
            with pytest.raises(DatabaseDown):
                database.ping()
        loop.run(gate.flow())
        database.ping()
    loop.run(gate.shut())
    loop.close()


def test_a_time_that_ran_out_while_connecting_passes() -> None:
    late = psycopg.errors.ConnectionTimeout("connection timeout expired")
    assert isinstance(module.translated(OperationalError("connect", {}, late)), DatabaseDown)


def test_connections_that_the_server_cut_are_replaced_without_anybody_noticing(postgres_url: str) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with Database(postgres_url) as database:
        database.ping()
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
            assert admin.execute(cut, [postgres_url.rpartition("/")[2]]).rowcount == 1
        with database.transaction() as transaction:
            transaction.releases.add(a_release())


def test_a_connection_that_is_cut_inside_a_transaction_stores_nothing(postgres_url: str) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    with Database(postgres_url) as database:
        with pytest.raises(DatabaseDown), database.transaction() as transaction:
            transaction.releases.add(a_release())
            with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
                admin.execute(cut, [postgres_url.rpartition("/")[2]])
            transaction.journal.has("anything")
        with database.reading() as transaction:
            assert transaction.releases.active() == []


def fill(database: Database) -> None:
    with database.transaction() as transaction:
        for n in range(200):
            transaction.journal.record(Entry(f"k{n}", "reviews-1", NOW, "U1", "ann", "Noted", text="x" * 500))


def test_a_full_disk_is_said_until_there_is_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Database(f"sqlite:///{tmp_path / 'sluice.db'}") as database:
        database.migrate()
        with database._writing() as connection:
            connection.execute(text("PRAGMA max_page_count = 1"))
        with pytest.raises(DatabaseDown, match="no room left"):
            fill(database)
        with pytest.raises(DatabaseDown, match="no room left"):
            database.ping()
        with database._writing() as connection:
            connection.execute(text("PRAGMA max_page_count = 100000"))
        monkeypatch.setattr(module, "FULL_SECONDS", 0.0)
        database.ping()
        fill(database)


def test_a_file_that_is_no_database_is_bad(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text("these are my notes, " * 100)
    with Database(f"sqlite:///{file}") as database, pytest.raises(BadDatabase, match="not a database"):
        database.migrate()


def test_a_file_that_another_process_locks_is_down(sqlite_url: str) -> None:
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with (
        Database(f"{sqlite_url}?timeout=0.05") as database,
        pytest.raises(DatabaseDown, match="locked"),
        database.transaction() as transaction,
    ):
        transaction.releases.add(a_release())
    other.close()


def test_writers_wait_for_their_turn_and_give_up_in_time(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.05)
    entered, leave = threading.Event(), threading.Event()

    def dawdle(database: Database) -> None:
        with database.transaction():
            entered.set()
            leave.wait(PATIENCE)

    with Database(sqlite_url) as database:
        slow = threading.Thread(target=dawdle, args=[database])
        slow.start()
        assert entered.wait(PATIENCE)
        with pytest.raises(DatabaseDown, match="busy"), database.transaction():
            pass
        leave.set()
        slow.join()
        with database.transaction() as transaction:
            transaction.releases.add(a_release())
