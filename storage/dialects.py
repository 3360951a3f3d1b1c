"""What SQLite and PostgreSQL spell differently: an INSERT that knows ON CONFLICT."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Table, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

Insert = sqlite.Insert | postgresql.Insert
Telling = ReturningInsert[Any]
PerDialect = Mapping[str, Insert | Telling]


def for_both(table: Table, build: Callable[[Insert], Insert | Telling]) -> PerDialect:
    """The same INSERT for both, by the name of the dialect."""
    return {"sqlite": build(sqlite.insert(table)), "postgresql": build(postgresql.insert(table))}


def told(insert: Insert) -> Telling:
    """An INSERT for `added`: it says whether it wrote a row, since drivers count rows of an INSERT differently."""
    return insert.returning(literal(1))


def added(connection: Connection, statements: PerDialect, row: Mapping[str, object]) -> bool:
    """Run an INSERT that was `told`; True when it wrote the row, False when there was a conflict."""
    return connection.execute(statements[connection.dialect.name], row).first() is not None
