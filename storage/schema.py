"""Brings the schema up to date at start, once, whoever starts first."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from storage.errors import BadDatabase
from storage.tables import Table

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0002"
_LOCK = 0x5_1_0_1_C_E  # PostgreSQL's advisory locks have numbers for names
_PATIENCE = "60s"


def is_current(connection: Connection) -> bool:
    """True when the schema is ours or newer; a newer one only adds, so this version can work with it."""
    found = _version(connection)
    return found is not None and found >= HEAD


def upgrade(connection: Connection) -> None:
    """Bring the schema up to date inside the caller's transaction, under a lock that others wait for."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SET LOCAL lock_timeout = '{_PATIENCE}'"))
        connection.execute(text(f"SET LOCAL statement_timeout = '{_PATIENCE}'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    # SQLite's transaction is BEGIN IMMEDIATE: it is the lock.
    if is_current(connection):
        return
    taken = sorted(Table.metadata.tables.keys() & inspect(connection).get_table_names())
    if taken and _version(connection) is None:
        raise BadDatabase(f"the database has a table {taken[0]!r} that is not ours; give Sluice one of its own")
    # Alembic takes longer to import than everything else here; a schema that is up to date never needs it.
    from alembic import command  # noqa: PLC0415

    command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection) -> "Config":
    """Alembic's settings, without a file of their own."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found is not None and not (len(found) == len(HEAD) and found.isdecimal()):
        raise BadDatabase(f"the database has a schema {found!r} that is not ours; give Sluice one of its own")
    return found
