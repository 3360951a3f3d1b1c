"""Where a story is told: an empty, migrated database and a folder, of the same name for each story of a process."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from storage.database import Database
from tests.crash.lives import Stage
from tests.parts.postgres import address, emptied, statement


@contextmanager
def on_sqlite(template: Path) -> Iterator[Stage]:
    """A copy of a migrated file, in memory where the machine has a place for that: nobody pulls the plug here."""
    with _folder() as folder:
        shutil.copy(template, folder / "sluice.db")
        yield Stage(f"sqlite:///{folder / 'sluice.db'}", folder)


@contextmanager
def on_postgres(server: str) -> Iterator[Stage]:
    """A database of this process on the server, emptied."""
    url = _migrated(server, os.getpid())
    emptied(url)
    with _folder() as folder:
        yield Stage(url, folder)


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


@cache
def _migrated(server: str, process: int) -> str:
    """The address of a database that is a copy of `template`."""
    name = f"crash_{process}"
    statement(server, f"CREATE DATABASE {name} TEMPLATE template")
    return address(server, name)


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
