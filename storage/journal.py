"""The journal: what was taken in, by whom, and what became of it. Added to, never changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from storage.dialects import added, for_both, told
from storage.tables import JOURNAL
from strategies.reasons import ReasonCode
from strategies.release import Phase

_c = JOURNAL.c
_RECORD = for_both(JOURNAL, lambda row: told(row.on_conflict_do_nothing(index_elements=["key"])))
_HAS = select(_c.id).where(_c.key == bindparam("wanted"))


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
        row = {name: getattr(entry, name) for name in _PLAIN}
        return added(self._connection, _RECORD, {**row, "evidence": json.dumps(dict(entry.evidence))})

    def has(self, key: str) -> bool:
        """True when an event of this key was taken in."""
        return self._connection.execute(_HAS, {"wanted": key}).first() is not None

    def of(self, release: str, limit: int | None = None) -> list[Entry]:
        """The entries of a release in the order they were taken in; with `limit` the newest of them."""
        rows = select(JOURNAL).where(_c.release == release).order_by(_c.id.desc()).limit(limit)
        return [_entry(row) for row in reversed(self._connection.execute(rows).all())]


_PLAIN = tuple(name.name for name in fields(Entry) if name.name != "evidence")


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
