"""The tables, as SQLModel declares them; the migrations build the same and a test compares the two."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Dialect, Index, Integer, MetaData, Text, TypeDecorator, text
from sqlalchemy import DateTime as SqlDateTime
from sqlmodel import Field, SQLModel


class Instant(TypeDecorator[datetime]):
    """Aware UTC in and out, on databases that know zones and on those that do not."""

    impl = SqlDateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without a zone: it would silently be somebody's local time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a stored time needs a zone: {value}")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Hand out UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Words(TypeDecorator[str]):
    """Text without the characters that a database refuses: NUL and lone surrogates. People paste anything."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Drop what cannot be stored; losing one control character beats losing the sentence."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        return value.replace("\0", "").encode("utf-8", "replace").decode()


_Serial = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts up by itself in INTEGER keys only
_metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Table(SQLModel):
    """What all tables share: one catalogue of our own, so that nobody else's models end in our schema."""

    metadata: ClassVar[MetaData] = _metadata


class ReleaseRow(Table, table=True):
    """One release: the columns that are searched, and the whole of it as a document."""

    __tablename__: ClassVar[Any] = "releases"
    __table_args__ = (
        Index("ix_releases_active", "is_active", "phase"),
        Index("ix_releases_wake_at", "wake_at"),
        Index("ix_releases_created_at", "created_at"),
    )

    id: str = Field(primary_key=True, sa_type=Words)
    service: str = Field(sa_type=Words)
    number: int
    namespace: str = Field(sa_type=Words)
    baseline: str = Field(sa_type=Words)
    candidate: str = Field(sa_type=Words)
    strategy: str = Field(sa_type=Words)
    phase: str = Field(sa_type=Words)
    is_active: bool
    stage: int
    revision: int
    row_version: int
    requester_id: str = Field(sa_type=Words)
    requester_name: str = Field(sa_type=Words)
    created_at: datetime = Field(sa_type=Instant)
    entered_at: datetime = Field(sa_type=Instant)
    wake_at: datetime | None = Field(default=None, sa_type=Instant)
    document: str = Field(sa_type=Words)


class ReleaseTargetRow(Table, table=True):
    """The services of a release, under the names by which people look for it."""

    __tablename__: ClassVar[Any] = "release_targets"
    __table_args__ = (Index("ix_release_targets_service", "service"), Index("ix_release_targets_host", "host"))

    release_id: str = Field(primary_key=True, sa_type=Text, foreign_key="releases.id")
    host: str = Field(primary_key=True, sa_type=Words)
    service: str = Field(sa_type=Words)
    namespace: str = Field(sa_type=Words)


class ReleaseRouteRow(Table, table=True):
    """Which release has which route. The partial unique index is the guard: one active release per route."""

    __tablename__: ClassVar[Any] = "release_routes"
    __table_args__ = (
        Index(
            "uq_release_routes_active",
            "route_key",
            unique=True,
            sqlite_where=text("active"),
            postgresql_where=text("active"),
        ),
    )

    release_id: str = Field(primary_key=True, sa_type=Text, foreign_key="releases.id")
    route_key: str = Field(primary_key=True, sa_type=Words)
    active: bool


class ReleaseNumberRow(Table, table=True):
    """The last number given to a service; numbers are never reused."""

    __tablename__: ClassVar[Any] = "release_numbers"

    service: str = Field(primary_key=True, sa_type=Words)
    last: int


class JournalRow(Table, table=True):
    """One fact that was taken in; rows are added and never touched again."""

    __tablename__: ClassVar[Any] = "journal"
    __table_args__ = (
        Index("uq_journal_key", "key", unique=True),
        Index("ix_journal_release", "release", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_Serial)
    key: str = Field(sa_type=Words)
    release: str = Field(sa_type=Words)
    at: datetime = Field(sa_type=Instant)
    actor_id: str = Field(sa_type=Words)
    actor_name: str = Field(sa_type=Words)
    event: str = Field(sa_type=Words)
    phase_before: str | None = Field(default=None, sa_type=Words)
    phase_after: str | None = Field(default=None, sa_type=Words)
    revision: int | None = None
    reason_code: str | None = Field(default=None, sa_type=Words)
    text: str = Field(sa_type=Words)
    evidence: str = Field(sa_type=Words)


class OutboxRow(Table, table=True):
    """One effect that is still to be done, is being done, or was given up."""

    __tablename__: ClassVar[Any] = "outbox"
    __table_args__ = (
        Index(
            "uq_outbox_queued",
            "subject",
            unique=True,
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index("ix_outbox_claim", "lane", "state", "urgency", "id"),
        Index("ix_outbox_order", "release", "lane", "id"),
        # An id that came back would let a stalled worker finish somebody else's job.
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_Serial)
    release: str = Field(sa_type=Words)
    lane: str = Field(sa_type=Words)
    subject: str = Field(sa_type=Words)
    kind: str = Field(sa_type=Words)
    urgency: str = Field(sa_type=Words)
    overtakes: bool
    effect: str = Field(sa_type=Words)
    revision: int
    state: str = Field(sa_type=Words)
    attempts: int
    fence: int
    first_queued_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    claimed_by: str | None = Field(default=None, sa_type=Words)
    claimed_until: datetime | None = Field(default=None, sa_type=Instant)
    error: str = Field(sa_type=Words)


class EvidenceRow(Table, table=True):
    """One look: what was read and what the gates said."""

    __tablename__: ClassVar[Any] = "evidence"
    __table_args__ = (Index("ix_evidence_at", "at"),)

    release: str = Field(primary_key=True, sa_type=Words)
    at: datetime = Field(primary_key=True, sa_type=Instant)
    stage: int
    reading: str = Field(sa_type=Words)
    verdicts: str = Field(sa_type=Words)


class MessageRow(Table, table=True):
    """Where the live message of a release, or of one of its stages, stands."""

    __tablename__: ClassVar[Any] = "messages"
    __table_args__ = (Index("ix_messages_ts", "ts"),)

    release: str = Field(primary_key=True, sa_type=Words)
    kind: str = Field(primary_key=True, sa_type=Words)
    channel: str = Field(sa_type=Words)
    ts: str = Field(sa_type=Words)
    permalink: str = Field(sa_type=Words)
    revision: int


class LeaseRow(Table, table=True):
    """Who may tick, and until when."""

    __tablename__: ClassVar[Any] = "leases"

    name: str = Field(primary_key=True, sa_type=Words)
    holder: str = Field(sa_type=Words)
    expires_at: datetime = Field(sa_type=Instant)


# What statements are built from: the plain tables, since nothing here needs an object per row.
RELEASES = _metadata.tables["releases"]
TARGETS = _metadata.tables["release_targets"]
ROUTES = _metadata.tables["release_routes"]
NUMBERS = _metadata.tables["release_numbers"]
JOURNAL = _metadata.tables["journal"]
OUTBOX = _metadata.tables["outbox"]
EVIDENCE = _metadata.tables["evidence"]
MESSAGES = _metadata.tables["messages"]
LEASES = _metadata.tables["leases"]
