"""A real PostgreSQL on loopback, in a temporary folder, tuned to forget rather than to wait."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from tests.parts.processes import PartFailedError, PartMissingError, free_ports, running
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_INSTALLED = Path("/usr/lib/postgresql")
_USER = "sluice"
# Durability costs most of the time of a test and is worth nothing in a folder that is thrown away.
_FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=100",
    "listen_addresses=127.0.0.1",
)

_EMPTYING = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    # The journal's triggers refuse it to everybody else.
    "SET session_replication_role = replica",
    """DO $$ BEGIN EXECUTE (SELECT 'TRUNCATE ' || string_agg(tablename, ', ') || ' RESTART IDENTITY'
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'); END $$""",
)


def postgres_binaries() -> Path:
    """The folder of the newest installed server."""
    versions = [path for path in _INSTALLED.glob("*/bin") if (path / "initdb").is_file()]
    if not versions:
        raise PartMissingError("PostgreSQL is missing: install the package `postgresql`")
    return max(versions, key=lambda path: float(path.parent.name))


@contextlib.contextmanager
def running_postgres() -> Iterator[str]:
    """Yield the SQLAlchemy URL of an empty database."""
    binaries = postgres_binaries()
    account = _unprivileged()
    # Not in a test's own folder: those belong to us alone, and the server runs as somebody else.
    folder = Path(tempfile.mkdtemp(prefix="sluice-postgres-"))
    try:
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
        data, port = folder / "data", free_ports(1)[0]
        _initialise([*_as(account), str(binaries / "initdb")], data)
        settings = [part for setting in _FAST for part in ("-c", setting)]
        server = [str(binaries / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder), *settings]
        with running([*_as(account), *server], log=folder / "postgres.log", ready=_ready(binaries, port)):
            yield f"postgresql+psycopg://{_USER}@127.0.0.1:{port}/postgres"
    finally:
        shutil.rmtree(folder)


def address(server: str, name: str) -> str:
    """The URL of one database of the server."""
    return f"{server.rpartition('/')[0]}/{name}"


def statement(server: str, text: str) -> None:
    """Run it outside a transaction."""
    with psycopg.connect(server.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(text.encode())


def emptied(url: str) -> None:
    """The database as it was migrated: nobody connected, no row, every count at its beginning.

    A new one costs four times as much, and its first connection again: the server has to learn it by heart.
    """
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for step in _EMPTYING:
            connection.execute(step)


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server when we are root, which it refuses to run as."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise PartFailedError("PostgreSQL refuses to run as root and there is neither `postgres` nor `nobody`")


def _as(account: pwd.struct_passwd | None) -> list[str]:
    if account is None:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise PartFailedError("PostgreSQL refuses to run as root and `setpriv` is missing: install util-linux")
    # The death signal again: the kernel clears it when the user changes.
    identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return [setpriv, *identity, "--pdeathsig", "KILL"]


def _initialise(initdb: Sequence[str], data: Path) -> None:
    options = ["-D", str(data), "-U", _USER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]
    done = subprocess.run([*initdb, *options], capture_output=True, text=True, timeout=PATIENCE, cwd="/", check=False)
    if done.returncode != 0:
        raise PartFailedError(f"initdb failed: {done.stdout[-500:]}{done.stderr[-1000:]}")


def _ready(binaries: Path, port: int) -> Callable[[], bool]:
    probe = [str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", _USER]
    return lambda: subprocess.run(probe, timeout=PATIENCE, check=False).returncode == 0
