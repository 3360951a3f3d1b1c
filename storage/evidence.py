"""Evidence: every look with its reading and its verdicts, for tables, pictures and replay."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select
from sqlmodel import col

from storage.codec import Codec
from storage.dialects import insert
from storage.tables import EvidenceRow
from strategies.verdicts import Reading, Verdict

_READING: Codec[Reading] = Codec(Reading)
_VERDICTS: Codec[tuple[Verdict, ...]] = Codec(tuple[Verdict, ...])


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
        row = insert(self._connection, EvidenceRow).values(
            release=release,
            at=look_at,
            stage=stage,
            reading=_READING.dumps(reading),
            verdicts=_VERDICTS.dumps(verdicts),
        )
        self._connection.execute(row.on_conflict_do_nothing())

    def looks(self, release: str, limit: int, *, stage: int | None = None) -> list[StoredLook]:
        """The newest `limit` looks of a release, or of one of its stages, the oldest of them first."""
        rows = select(
            col(EvidenceRow.at), col(EvidenceRow.stage), col(EvidenceRow.reading), col(EvidenceRow.verdicts)
        ).where(col(EvidenceRow.release) == release)
        if stage is not None:
            rows = rows.where(col(EvidenceRow.stage) == stage)
        newest = self._connection.execute(rows.order_by(col(EvidenceRow.at).desc()).limit(limit)).all()
        return [
            StoredLook(at, of, _READING.loads(reading), _VERDICTS.loads(verdicts))
            for at, of, reading, verdicts in reversed(newest)
        ]

    def prune(self, before: datetime) -> int:
        """Forget looks older than `before`; returns how many there were."""
        return self._connection.execute(delete(EvidenceRow).where(col(EvidenceRow.at) < before)).rowcount
