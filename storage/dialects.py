"""What SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy import Connection, literal
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT; both dialects take the same arguments."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def added(connection: Connection, statement: sqlite.Insert | postgresql.Insert) -> bool:
    """Run an INSERT with ON CONFLICT; True when a row was written. Drivers count rows of an INSERT differently."""
    return connection.execute(statement.returning(literal(1))).first() is not None
