"""What SQLite and PostgreSQL spell differently."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT; both dialects take the same arguments."""
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
