"""The journal: what was taken in, by whom, and what became of it. Added to, never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlmodel import col

from storage.dialects import added, insert
from storage.tables import JournalRow, Table
from strategies.reasons import ReasonCode
from strategies.release import Phase

_TABLE = Table.metadata.tables["journal"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One event and its outcome; `key` is the event's own, `reason_code` is set on a refusal.

    `evidence` holds what JSON holds: text keys, and scalars, lists and dictionaries of them.
    """

    key: str
    release: str
    at: datetime
    actor_id: str
    actor_name: str
    event: str
    phase_before: Phase | None = None
    phase_after: Phase | None = None
    revision: int | None = None
    reason_code: ReasonCode | None = None
    text: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)


class Journal:
    """The journal, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def record(self, entry: Entry) -> bool:
        """Add the entry; False, and nothing added, when its key is there already."""
        row = insert(self._connection, JournalRow).values(
            key=entry.key,
            release=entry.release,
            at=entry.at,
            actor_id=entry.actor_id,
            actor_name=entry.actor_name,
            event=entry.event,
            phase_before=entry.phase_before,
            phase_after=entry.phase_after,
            revision=entry.revision,
            reason_code=entry.reason_code,
            text=entry.text,
            evidence=json.dumps(dict(entry.evidence)),
        )
        return added(self._connection, row.on_conflict_do_nothing(index_elements=["key"]))

    def has(self, key: str) -> bool:
        """True when an event of this key was taken in."""
        found = select(col(JournalRow.id)).where(col(JournalRow.key) == key)
        return self._connection.execute(found).first() is not None

    def of(self, release: str, limit: int | None = None) -> list[Entry]:
        """The entries of a release in the order they were taken in; with `limit` the newest of them."""
        order = col(JournalRow.id)
        rows = select(_TABLE).where(col(JournalRow.release) == release).order_by(order.desc()).limit(limit)
        return [_entry(row) for row in reversed(self._connection.execute(rows).all())]


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        key=row.key,
        release=row.release,
        at=row.at,
        actor_id=row.actor_id,
        actor_name=row.actor_name,
        event=row.event,
        phase_before=Phase(row.phase_before) if row.phase_before else None,
        phase_after=Phase(row.phase_after) if row.phase_after else None,
        revision=row.revision,
        reason_code=ReasonCode(row.reason_code) if row.reason_code else None,
        text=row.text,
        evidence=json.loads(row.evidence),
    )
