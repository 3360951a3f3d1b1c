"""Where a story is told: an empty, migrated database and a folder, of the same name for each story of a process."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg

from storage.database import Database
from tests.crash.lives import Stage


@contextmanager
def on_sqlite(template: Path) -> Iterator[Stage]:
    """A copy of a migrated file, in memory where the machine has a place for that: nobody pulls the plug here."""
    with _folder() as folder:
        shutil.copy(template, folder / "sluice.db")
        yield Stage(f"sqlite:///{folder / 'sluice.db'}", folder)


@contextmanager
def on_postgres(server: str) -> Iterator[Stage]:
    """A copy of the server's database `template`."""
    name = f"crash_{os.getpid()}"
    statement(server, f"CREATE DATABASE {name} TEMPLATE template")
    try:
        with _folder() as folder:
            yield Stage(address(server, name), folder)
    finally:
        statement(server, f"DROP DATABASE {name} WITH (FORCE)")


def migrated_file(folder: Path) -> Path:
    """A migrated file to copy."""
    file = folder / "template.db"
    with Database(f"sqlite:///{file}") as database:
        database.migrate()
    return file


def migrate_template(server: str) -> None:
    """Make the server's database `template`."""
    statement(server, "CREATE DATABASE template")
    with Database(address(server, "template")) as database:
        database.migrate()


def address(server: str, name: str) -> str:
    """The address of one database of the server."""
    return f"{server.rpartition('/')[0]}/{name}"


def statement(server: str, text: str) -> None:
    """Run one statement outside a transaction."""
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(text.encode())


@cache
def _place(process: int) -> Path:
    """A name that is free now: whoever opens a file in it again finds what was compiled for that address."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix=f"sluice-crash-{process}-", dir=memory if memory.is_dir() else None)
    Path(folder).rmdir()
    return Path(folder)


@contextmanager
def _folder() -> Iterator[Path]:
    folder = _place(os.getpid())
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
