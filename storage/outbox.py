"""The outbox: effects that were decided and are still to be done, worked in order per release and lane.

A row is queued, claimed, or failed; a done one is gone, the journal has its result. One queued row per subject: a
newer effect takes the place of the older one. A rollback's `SetRoute` waits for nobody but itself.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, get_args

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, exists, func, not_, or_, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, aliased
from sqlmodel import col

from storage.codec import Codec
from storage.dialects import insert
from storage.errors import Unreadable
from storage.tables import OutboxRow, Table
from strategies.effects import Effect, Lane, Urgency

_log = logging.getLogger(__name__)
_CODEC: Codec[Effect] = Codec(Effect)
_TABLE = Table.metadata.tables["outbox"]
# An older replica leaves the effects that it does not know to a newer one.
_KNOWN = tuple(kind.__name__ for kind in get_args(Effect))


class State(StrEnum):
    """Where an effect stands."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Job:
    """One claimed effect. `attempts` counts the tries before this one; `fence` tells this claim from every other."""

    id: int
    release: str
    lane: Lane
    effect: Effect
    revision: int
    attempts: int
    first_queued_at: datetime
    claimed_by: str
    fence: int


class Outbox:
    """The outbox, inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, effects: Sequence[Effect], now: datetime, revision: int, not_before: datetime | None = None) -> None:
        """Queue the effects in this order; each replaces a queued one of its subject and keeps its place.

        Under the same revision the replaced one's attempts and backoff stay; a newer revision, or a more urgent
        effect, starts afresh.
        """
        for effect in effects:
            id = self._connection.execute(_upsert(self._connection, effect, now, revision, not_before)).scalar_one()
            if effect.lane is not Lane.ROUTE and effect.urgency is not Urgency.PROGRESS:
                self._hurry(effect, id)

    def claim(self, lane: Lane, worker: str, now: datetime, lease: timedelta, limit: int) -> list[Job]:
        """Take up to `limit` due jobs until `now + lease`, the most urgent first, one per release.

        A job waits while an earlier one of its release and lane is open; a rollback's write does not.
        """
        rows = self._connection.execute(
            select(_TABLE)
            .where(
                col(OutboxRow.lane) == lane,
                col(OutboxRow.state) == State.QUEUED,
                col(OutboxRow.kind).in_(_KNOWN),
                col(OutboxRow.due_at) <= now,
                not_(_is_blocked(now)),
            )
            .order_by(col(OutboxRow.urgency), col(OutboxRow.due_at), col(OutboxRow.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        return [job for row in rows if (job := self._claimed(row, worker, now + lease)) is not None]

    def done(self, job: Job) -> bool:
        """Forget the job; False when the claim was lost to somebody else meanwhile."""
        return self._connection.execute(delete(OutboxRow).where(*_held(job))).rowcount == 1

    def retry(self, job: Job, at: datetime, error: str) -> bool:
        """Put the job back for `at`; False when the claim was lost. A newer one of its subject takes it over."""
        return self._requeue(job.attempts + 1, at, error, _held(job))

    def fail(self, job: Job, error: str) -> bool:
        """Give the job up and keep it for people to see; False when the claim was lost."""
        given_up = {"state": State.FAILED, "attempts": job.attempts + 1, "error": error}
        return self._connection.execute(update(OutboxRow).where(*_held(job)).values(**given_up)).rowcount == 1

    def release_expired(self, now: datetime) -> int:
        """Queue again what workers claimed and did not finish in time; returns how many."""
        rows = self._connection.execute(
            select(_TABLE)
            .where(col(OutboxRow.state) == State.CLAIMED, col(OutboxRow.claimed_until) <= now)
            .order_by(col(OutboxRow.id))
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            held = (col(OutboxRow.id) == row.id, col(OutboxRow.fence) == row.fence)
            self._requeue(row.attempts + 1, now, f"{row.claimed_by} did not finish in time", held)
        return len(rows)

    def next_due(self, lane: Lane) -> datetime | None:
        """When the next job of the lane can be claimed, None when none waits for time alone."""
        waiting = select(func.min(col(OutboxRow.due_at))).where(
            col(OutboxRow.lane) == lane,
            col(OutboxRow.state) == State.QUEUED,
            col(OutboxRow.kind).in_(_KNOWN),
            not_(_is_blocked(col(OutboxRow.due_at))),
        )
        return self._connection.execute(waiting).scalar_one_or_none()

    def pending(self, release: str) -> list[Job]:
        """The open jobs of a release in their order; `claimed_by` is empty while nobody has them."""
        open_rows = select(_TABLE).where(col(OutboxRow.release) == release, col(OutboxRow.state) != State.FAILED)
        return [_job(row) for row in self._connection.execute(open_rows.order_by(col(OutboxRow.id)))]

    def prune(self, before: datetime) -> int:
        """Forget failed jobs queued before that time; returns how many there were."""
        old = (col(OutboxRow.state) == State.FAILED, col(OutboxRow.first_queued_at) < before)
        return self._connection.execute(delete(OutboxRow).where(*old)).rowcount

    def _hurry(self, effect: Effect, id: int) -> None:
        # What stands before an urgent effect in its lane must not keep it waiting behind other releases.
        before = (
            col(OutboxRow.release) == effect.release,
            col(OutboxRow.lane) == effect.lane,
            col(OutboxRow.state) == State.QUEUED,
            col(OutboxRow.id) < id,
            col(OutboxRow.urgency) > effect.urgency,
        )
        self._connection.execute(update(OutboxRow).where(*before).values(urgency=effect.urgency))

    def _claimed(self, row: Row[Any], worker: str, until: datetime) -> Job | None:
        mine = update(OutboxRow).where(col(OutboxRow.id) == row.id, col(OutboxRow.fence) == row.fence)
        try:
            job = _job(row, worker, row.fence + 1)
        except Unreadable as error:
            # One bad row must not stop the lane; it is kept, and said aloud.
            _log.error("effect %s of %s is given up: %s", row.id, row.release, error)
            self._connection.execute(mine.values(state=State.FAILED, error=str(error)))
            return None
        claim = {"state": State.CLAIMED, "claimed_by": worker, "claimed_until": until, "fence": row.fence + 1}
        return job if self._connection.execute(mine.values(**claim)).rowcount == 1 else None

    def _requeue(self, attempts: int, at: datetime, error: str, held: tuple[ColumnElement[bool], ...]) -> bool:
        waiting = {"state": State.QUEUED, "attempts": attempts, "due_at": at, "error": error, "claimed_by": None}
        try:
            with self._connection.begin_nested():
                back = self._connection.execute(update(OutboxRow).where(*held).values(**waiting, claimed_until=None))
            return back.rowcount == 1
        except IntegrityError:
            # A newer effect of this subject was queued while this one was worked on.
            return self._hand_over(attempts, at, held)

    def _hand_over(self, attempts: int, at: datetime, held: tuple[ColumnElement[bool], ...]) -> bool:
        old = self._connection.execute(
            delete(OutboxRow).where(*held).returning(col(OutboxRow.subject), col(OutboxRow.revision))
        ).one_or_none()
        if old is None:
            return False
        same = (
            col(OutboxRow.subject) == old.subject,
            col(OutboxRow.state) == State.QUEUED,
            col(OutboxRow.revision) == old.revision,
            col(OutboxRow.overtakes).is_(False),
        )
        self._connection.execute(update(OutboxRow).where(*same).values(attempts=attempts, due_at=at))
        return True


def _upsert(connection: Connection, effect: Effect, now: datetime, revision: int, not_before: datetime | None) -> Any:
    overtakes = effect.lane is Lane.ROUTE and effect.urgency is Urgency.ROLLBACK
    row = insert(connection, OutboxRow).values(
        release=effect.release,
        lane=effect.lane,
        subject=effect.subject,
        kind=type(effect).__name__,
        urgency=effect.urgency,
        overtakes=overtakes,
        effect=_CODEC.dumps(effect),
        revision=revision,
        state=State.QUEUED,
        attempts=0,
        fence=0,
        first_queued_at=now,
        due_at=not_before or now,
        error="",
    )
    new, old = row.excluded, _TABLE.c
    is_fresh = or_(new.revision > old.revision, new.urgency < old.urgency)
    earlier = case((and_(old.attempts == 0, new.due_at < old.due_at), new.due_at), else_=old.due_at)
    return row.on_conflict_do_update(
        index_elements=["subject"],
        index_where=text("state = 'queued'"),
        set_={
            "effect": new.effect,
            "revision": new.revision,
            "urgency": case((new.urgency < old.urgency, new.urgency), else_=old.urgency),
            "overtakes": or_(new.overtakes, old.overtakes),
            "attempts": case((is_fresh, 0), else_=old.attempts),
            "first_queued_at": case((is_fresh, new.first_queued_at), else_=old.first_queued_at),
            "due_at": case((is_fresh, new.due_at), else_=earlier),
        },
    ).returning(old.id)


def _is_blocked(now: datetime | Mapped[datetime]) -> ColumnElement[bool]:
    earlier = aliased(OutboxRow)
    # A job that was only ever planned for later does not stand in the way before its time.
    is_open = or_(
        col(earlier.state) == State.CLAIMED,
        and_(col(earlier.state) == State.QUEUED, or_(col(earlier.attempts) > 0, col(earlier.due_at) <= now)),
    )
    is_twin = and_(col(earlier.overtakes), col(earlier.subject) == col(OutboxRow.subject))
    return exists().where(
        col(earlier.release) == col(OutboxRow.release),
        col(earlier.lane) == col(OutboxRow.lane),
        col(earlier.id) < col(OutboxRow.id),
        is_open,
        or_(not_(col(OutboxRow.overtakes)), is_twin),
    )


def _held(job: Job) -> tuple[ColumnElement[bool], ...]:
    return (
        col(OutboxRow.id) == job.id,
        col(OutboxRow.state) == State.CLAIMED,
        col(OutboxRow.fence) == job.fence,
    )


def _job(row: Row[Any], worker: str | None = None, fence: int | None = None) -> Job:
    return Job(
        id=row.id,
        release=row.release,
        lane=Lane(row.lane),
        effect=_CODEC.loads(row.effect),
        revision=row.revision,
        attempts=row.attempts,
        first_queued_at=row.first_queued_at,
        claimed_by=worker or row.claimed_by or "",
        fence=row.fence if fence is None else fence,
    )
