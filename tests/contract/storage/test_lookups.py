"""What is asked at each tick, click and start is found by an index, however many releases there have been."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event

from storage.database import Database, Transaction
from tests.builders import a_release

Ask = Callable[[Transaction], object]
# A whole table, or a whole index: PostgreSQL names the condition of a look-up in the line below.
READS_ALL = re.compile(r"Seq Scan|^SCAN (?!CONSTANT)|Index (?:Only )?Scan .*\n(?!Index Cond)", re.MULTILINE)
ASKED: dict[str, Ask] = {
    "all that are active": lambda tx: tx.releases.active(),
    "their versions": lambda tx: tx.releases.active_versions(),
    "a service": lambda tx: tx.releases.find("reviews"),
    "a host": lambda tx: tx.releases.find("reviews.shop.svc.cluster.local"),
    "who has a route": lambda tx: tx.releases.by_route("shop/reviews/http/main"),
    "a thread": lambda tx: tx.messages.release_at("C1", "1.0"),
    "an event": lambda tx: tx.journal.has("start"),
    "a journal": lambda tx: tx.journal.of("reviews-1", 50),
    "looks": lambda tx: tx.evidence.looks("reviews-1", 50),
    "what is open": lambda tx: tx.outbox.pending("reviews-1"),
}


def plans(database: Database, ask: Ask) -> list[str]:
    """How the database goes about it, a line each, where it takes an index if there is one for it."""
    found: list[str] = []

    def explain(connection: Connection, _: object, statement: str, values: Any, *__: object) -> None:
        cursor = connection.connection.cursor()
        word = "EXPLAIN" if is_postgres else "EXPLAIN QUERY PLAN"
        cursor.execute(f"{word} {statement}", values)
        found.extend(str(row[-1]).strip() for row in cursor.fetchall())

    with database.reading() as tx:
        connection = tx.releases._connection
        is_postgres = connection.dialect.name == "postgresql"
        if is_postgres:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        event.listen(connection, "before_cursor_execute", explain)
        ask(tx)
    return found


@pytest.mark.parametrize("name", ASKED)
def test_an_index_leads_to(database: Database, name: str) -> None:
    with database.transaction() as tx:
        tx.releases.add(a_release())
    found = plans(database, ASKED[name])
    assert found
    assert READS_ALL.findall("\n".join(found)) == []
