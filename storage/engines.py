"""Connections: one address in, one engine that writes and one that only reads out."""

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError

from storage.errors import BadDatabase

WAIT_SECONDS = 5
PAUSE_SECONDS = 0.02
_ALLOWED = "sqlite:////path/to/sluice.db or postgresql://user:password@host:5432/name"
# Every answer has an end: a lock, a statement, a forgotten transaction, a peer that is gone.
_POSTGRES_OPTIONS = (
    "-c lock_timeout=5s -c statement_timeout=15s -c idle_in_transaction_session_timeout=30s -c timezone=UTC"
)
_POSTGRES = {"connect_timeout": WAIT_SECONDS, "tcp_user_timeout": 10_000, "keepalives_idle": 10}


@dataclass(frozen=True, slots=True)
class Engines:
    """`reader` refuses to write. `has_one_writer` says that writers must queue up by themselves."""

    writer: Engine
    reader: Engine
    has_one_writer: bool


def engines(address: str) -> Engines:
    """The engines for an address; BadDatabase says what is allowed. Nothing is connected yet."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise BadDatabase(f"the database address is not a URL; allowed: {_ALLOWED}") from error
    match url.get_backend_name():
        case "sqlite":
            return _sqlite(url)
        case "postgresql" | "postgres":
            return _postgres(url)
        case other:
            raise BadDatabase(f"the database {other!r} is not supported; allowed: {_ALLOWED}")


def _sqlite(url: URL) -> Engines:
    if url.database in (None, "", ":memory:"):
        raise BadDatabase(f"the state needs a file to outlive a restart; allowed: {_ALLOWED}")
    file = Path(str(url.database))
    if not file.parent.is_dir():
        raise BadDatabase(f"the folder of the database file {file} does not exist")
    if file.is_dir():
        raise BadDatabase(f"the database file {file} is a folder")
    # The writers' queue is in `Database`, so one connection serves them all.
    arguments = {key: value for key, value in _SQLITE.items() if key not in url.query}
    writer = create_engine(url, pool_size=1, max_overflow=1, pool_timeout=WAIT_SECONDS, connect_args=arguments)
    reader = create_engine(url, pool_size=4, max_overflow=16, pool_timeout=WAIT_SECONDS, connect_args=arguments)
    event.listen(writer, "connect", _prepare)
    event.listen(reader, "connect", _prepare_reader)
    event.listen(writer, "begin", _begin_immediate)
    event.listen(reader, "begin", _begin)
    return Engines(writer, reader, has_one_writer=True)


_SQLITE = {"check_same_thread": False, "timeout": WAIT_SECONDS, "isolation_level": None}


def _prepare(connection: DBAPIConnection, _: Any) -> None:
    """Make a SQLite connection durable, patient and strict."""
    _check_version(connection)
    cursor = connection.cursor()
    _use_wal(cursor)
    # FULL, not NORMAL: in WAL mode NORMAL may lose the last commits at a power cut, and a commit here is an
    # acknowledged decision or a fact about the mesh. It costs one fsync per transaction.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _use_wal(cursor: Any) -> None:
    # SQLite waits for a lock, but not while somebody else turns the same new file to WAL: that one is done in a moment.
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= until:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _check_version(connection: DBAPIConnection) -> None:
    """Refuse a library that lacks what the statements need."""
    if sqlite3.sqlite_version_info < (3, 35):
        connection.close()
        raise BadDatabase(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")


def _prepare_reader(connection: DBAPIConnection, record: Any) -> None:
    _prepare(connection, record)
    cursor = connection.cursor()
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    # A transaction that starts as a reader and becomes a writer later can fail half-way; this one cannot.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _postgres(url: URL) -> Engines:
    if not url.database:
        raise BadDatabase(f"the PostgreSQL address names no database; allowed: {_ALLOWED}")
    url = url.set(drivername="postgresql+psycopg")
    asked = url.query.get("options", "")
    options = " ".join((_POSTGRES_OPTIONS, asked if isinstance(asked, str) else " ".join(asked))).strip()
    arguments = {key: value for key, value in _POSTGRES.items() if key not in url.query}
    writer = create_engine(
        url.difference_update_query(["options"]),
        connect_args={**arguments, "options": options},
        isolation_level="READ COMMITTED",
        pool_size=10,
        max_overflow=10,
        pool_timeout=WAIT_SECONDS,
        pool_pre_ping=True,  # a server that was restarted costs a question, not somebody's click
    )
    event.listen(writer, "do_connect", _bounded)
    reader = writer.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
    return Engines(writer, reader, has_one_writer=False)


def _bounded(_dialect: object, _record: object, arguments: tuple[Any, ...], named: dict[str, Any]) -> object:
    # Imported here: the driver is there for PostgreSQL alone, and SQLite starts without it.
    from storage.bounded import BoundedConnection  # noqa: PLC0415

    return BoundedConnection.connect(*arguments, **named)
