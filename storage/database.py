"""The database: opens transactions, and translates what the library raises."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Self

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from storage import schema
from storage.engines import WAIT_SECONDS, engines
from storage.errors import BadDatabase, DatabaseDown, NoRoom, StorageError
from storage.evidence import Evidence
from storage.journal import Journal
from storage.leases import Leases
from storage.messages import Messages
from storage.outbox import Outbox
from storage.releases import Decoded, Releases
from storage.turns import Turns

FULL_SECONDS = 15.0  # for which a full disk is said, and then tried again
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class Transaction:
    """One transaction: everything in it is stored together, or nothing is."""

    def __init__(self, connection: Connection, decoded: Decoded) -> None:
        self.releases = Releases(connection, decoded)
        self.journal = Journal(connection)
        self.outbox = Outbox(connection)
        self.evidence = Evidence(connection)
        self.messages = Messages(connection)
        self.leases = Leases(connection)


class Database:
    """One database by its URL; safe to share between threads."""

    def __init__(self, url: str) -> None:
        """Check the address; nothing is connected yet. BadDatabase says what is allowed."""
        self._engines = engines(url)
        self._decoded = Decoded()
        # SQLite lets one writer in and makes the others poll with growing pauses; turns are handed over at once.
        self._turn = Turns() if self._engines.has_one_writer else None
        self._full_at: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def migrate(self) -> None:
        """Bring the schema up to date; whoever comes second waits and finds it done."""
        with self._connected(self._engines.reader) as connection:
            if schema.is_current(connection):
                return
        with self._writing() as connection:
            schema.upgrade(connection)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """A transaction that is committed at the end of the block and taken back when the block raises."""
        with self._writing() as connection:
            yield Transaction(connection, self._decoded)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """A transaction that sees one moment and refuses to write; it waits for no writer."""
        with self._connected(self._engines.reader) as connection:
            yield Transaction(connection, self._decoded)

    def ping(self) -> None:
        """DatabaseDown unless the database answers, and has room again where it had none lately."""
        with self._connected(self._engines.reader) as connection:
            connection.execute(text("SELECT 1"))
        if self._full_at is None:
            return
        if time.monotonic() - self._full_at < FULL_SECONDS:
            raise NoRoom
        with self.transaction() as tx:
            tx.leases.take("ping", "ping", BEGINNING, timedelta(0))
        self._full_at = None

    def close(self) -> None:
        """Close every connection that is not in use."""
        self._engines.writer.dispose()
        self._engines.reader.dispose()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        try:
            with self._in_turn() as connection:
                yield connection
        except NoRoom:
            # A full disk is read from as ever, and a small write may still find a place.
            self._full_at = time.monotonic()
            raise

    @contextmanager
    def _in_turn(self) -> Iterator[Connection]:
        if self._turn is None:
            with self._connected(self._engines.writer) as connection:
                yield connection
            return
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise DatabaseDown(f"the database was busy for {WAIT_SECONDS} s")
        try:
            with self._connected(self._engines.writer) as connection:
                yield connection
        finally:
            self._turn.release()

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        try:
            with engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise translated(error) from error


# SQLSTATE classes and codes that another try may cure: connection, resources, intervention, lock, deadlock, timeout.
_PASSING = ("08", "53", "57", "58", "40", "55P03", "25P03")
_DISK_FULL = "53100"
_SQLITE_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")


def translated(error: SQLAlchemyError) -> StorageError:
    """Our word for a library's error."""
    if isinstance(error, PoolTimeout):
        return DatabaseDown("every connection to the database is in use")
    if not isinstance(error, DBAPIError) or error.orig is None:
        return StorageError(f"the database library refused: {error}")
    cause = " ".join(str(error.orig).split())
    sqlite = getattr(error.orig, "sqlite_errorname", None)
    state = getattr(error.orig, "sqlstate", None)
    if sqlite is not None and sqlite.startswith(_SQLITE_BROKEN):
        return BadDatabase(f"the database file cannot be used: {cause}")
    if sqlite == "SQLITE_FULL" or state == _DISK_FULL:
        return NoRoom()
    # The drivers have kinds of these errors, such as a time that ran out while connecting.
    kinds = {kind.__name__ for kind in type(error.orig).__mro__}
    passing = state.startswith(_PASSING) if state is not None else bool(kinds & {"OperationalError", "InterfaceError"})
    if passing or error.connection_invalidated:
        return DatabaseDown(f"the database did not answer: {cause}")
    return StorageError(f"the database refused: {cause}")
