"""Evidence: every look with its reading and its verdicts, for tables, pictures and replay."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, tuple_

from storage.codec import Codec
from storage.dialects import for_both
from storage.tables import EVIDENCE
from strategies.verdicts import Reading, Verdict

_READING: Codec[Reading] = Codec(Reading)
_VERDICTS: Codec[tuple[Verdict, ...]] = Codec(tuple[Verdict, ...])
_ADD = for_both(EVIDENCE, lambda row: row.on_conflict_do_nothing())
_c = EVIDENCE.c


@dataclass(frozen=True, slots=True)
class StoredLook:
    """One look at one release."""

    at: datetime
    stage: int
    reading: Reading
    verdicts: tuple[Verdict, ...]


class Evidence:
    """The looks, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, release: str, look_at: datetime, stage: int, reading: Reading, verdicts: tuple[Verdict, ...]) -> None:
        """Store one look; a second one of the same release and time is the same look."""
        self.add_all([(release, StoredLook(look_at, stage, reading, verdicts))])

    def add_all(self, looks: Sequence[tuple[str, StoredLook]]) -> None:
        """Store the looks of several releases in one statement."""
        rows = [
            {
                "release": release,
                "at": look.at,
                "stage": look.stage,
                "reading": _READING.dumps(look.reading),
                "verdicts": _VERDICTS.dumps(look.verdicts),
            }
            for release, look in looks
        ]
        if rows:
            self._connection.execute(_ADD[self._connection.dialect.name], rows)

    def looks(self, release: str, limit: int, *, stage: int | None = None) -> list[StoredLook]:
        """The newest `limit` looks of a release, or of one of its stages, the oldest of them first."""
        rows = select(_c.at, _c.stage, _c.reading, _c.verdicts).where(_c.release == release)
        if stage is not None:
            rows = rows.where(_c.stage == stage)
        newest = self._connection.execute(rows.order_by(_c.at.desc()).limit(limit)).all()
        return [_look(*row) for row in reversed(newest)]

    def all_looks(self, release: str, page: int = 500) -> Iterator[StoredLook]:
        """Every look of a release that is kept, the oldest first, read in pages."""
        after: datetime | None = None
        while True:
            rows = select(_c.at, _c.stage, _c.reading, _c.verdicts).where(_c.release == release)
            if after is not None:
                rows = rows.where(_c.at > after)
            found = self._connection.execute(rows.order_by(_c.at).limit(page)).all()
            yield from (_look(*row) for row in found)
            if len(found) < page:
                return
            after = found[-1].at

    def prune(self, before: datetime, most: int = 1_000) -> int:
        """Forget up to `most` looks older than `before`; returns how many there were."""
        old = select(_c.release, _c.at).where(_c.at < before).order_by(_c.at).limit(most)
        gone = delete(EVIDENCE).where(tuple_(_c.release, _c.at).in_(old))
        return self._connection.execute(gone).rowcount


def _look(at: datetime, stage: int, reading: str, verdicts: str) -> StoredLook:
    return StoredLook(at, stage, _READING.loads(reading), _VERDICTS.loads(verdicts))
