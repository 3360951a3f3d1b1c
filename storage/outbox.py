"""The outbox: effects that were decided and are still to be done, worked in order per release and lane.

A row is queued, claimed, or failed; a done one is gone, the journal has its result. One queued row per subject: a
newer effect takes the place of the older one. A rollback's `SetRoute` and a call for help wait for nobody but
themselves.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from storage import outbox_sql as sql
from storage.codec import Codec
from storage.errors import Unreadable
from strategies.effects import CallOnCall, Effect, Lane, SetRoute, Urgency

_log = logging.getLogger(__name__)
_CODEC: Codec[Effect] = Codec(Effect)


@dataclass(frozen=True, slots=True)
class Job:
    """One effect in the outbox. `attempts` counts the tries before this one; `fence` tells one claim from the next."""

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
    """The outbox, inside one transaction; `filled` are the lanes that it has put something into."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.filled: set[Lane] = set()

    def put(self, effects: Sequence[Effect], now: datetime, revision: int, not_before: datetime | None = None) -> None:
        """Queue the effects in this order; each replaces a queued one of its subject and keeps its place.

        Under the same revision the replaced one's attempts and backoff stay; a newer revision, or a more urgent
        effect, starts afresh. A job planned for later (`not_before`) holds nobody up before its time.
        """
        put = sql.PUT[self._connection.dialect.name]
        for effect in effects:
            times = {"first_queued_at": now, "due_at": not_before or now, "revision": revision}
            id = self._connection.execute(put, {**_row(effect), **times}).scalar_one()
            self.filled.add(effect.lane)
            if effect.lane is not Lane.ROUTE and effect.urgency is not Urgency.PROGRESS:
                # What stands before an urgent effect in its lane must not keep it waiting behind other releases.
                before = {"of_release": effect.release, "in_lane": effect.lane, "before": id, "hurry": effect.urgency}
                self._connection.execute(sql.HURRY, before)

    def claim(
        self,
        lane: Lane,
        worker: str,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        least: Urgency = Urgency.PROGRESS,
    ) -> list[Job]:
        """Take up to `limit` due jobs until `now + lease`, the most urgent first and none below `least`.

        A job waits while an earlier one of its release and lane is open; a rollback's write waits only for another
        write of the same rollback to the same object, and a call for on-call for nothing.
        """
        asked = {"in_lane": lane, "least": least, "now": now, "most": limit}
        rows = self._connection.execute(sql.CLAIMABLE, asked).all()
        return [job for row in rows if (job := self._claimed(row, worker, now + lease)) is not None]

    def done(self, job: Job) -> bool:
        """Forget the job; False when the claim was lost to somebody else meanwhile."""
        return self._connection.execute(sql.DONE, _held(job)).rowcount == 1

    def retry(self, job: Job, at: datetime, error: str) -> bool:
        """Put the job back for `at`; False when the claim was lost. A newer one of its subject takes it over."""
        return self._requeue(_held(job), job.attempts + 1, at, error)

    def fail(self, job: Job, error: str) -> bool:
        """Give the job up and keep it for people to see; False when the claim was lost."""
        given_up = {**_held(job), "tries": job.attempts + 1, "why": error}
        return self._connection.execute(sql.FAIL, given_up).rowcount == 1

    def renew(self, job: Job, until: datetime) -> bool:
        """Keep the job for longer; False when the claim was lost to somebody else meanwhile."""
        return self._connection.execute(sql.RENEW, {**_held(job), "until": until}).rowcount == 1

    def release_expired(self, now: datetime) -> int:
        """Queue again what workers claimed and did not finish in time; returns how many."""
        rows = self._connection.execute(sql.EXPIRED, {"now": now}).all()
        for row in rows:
            held = {"job": row.id, "claim": row.fence}
            self._requeue(held, row.attempts + 1, now, f"{row.claimed_by} did not finish in time")
        return len(rows)

    def hasten(self, now: datetime, beyond: timedelta = timedelta(0)) -> None:
        """Make due what was put off until later than `beyond` from now, and let no claim last longer than that.

        For times that a clock has written which was set back since.
        """
        later = {"now": now, "later": now + beyond}
        self._connection.execute(sql.EARLIER, later)
        self._connection.execute(sql.SHORTER, later)

    def next_moment(self, lane: Lane, least: Urgency = Urgency.PROGRESS) -> datetime | None:
        """When a job of the lane and urgency can be claimed or somebody's claim on the lane runs out; None: never."""
        asked = {"in_lane": lane, "least": least}
        moments = self._connection.execute(sql.NEXT, asked).one()
        return min((moment for moment in moments if moment is not None), default=None)

    def pending(self, release: str) -> list[Job]:
        """The open jobs of a release in their order; `claimed_by` is empty while nobody has them."""
        return [_job(row) for row in self._connection.execute(sql.PENDING, {"of_release": release})]

    def prune(self, before: datetime) -> int:
        """Forget failed jobs queued before that time; returns how many there were."""
        return self._connection.execute(sql.PRUNE, {"before": before}).rowcount

    def _claimed(self, row: Row[Any], worker: str, until: datetime) -> Job | None:
        try:
            job = _job(row, worker, row.fence + 1)
        except Unreadable as error:
            # One bad row must not stop the lane; it is kept, and said aloud.
            _log.error("effect %s of %s is given up: %s", row.id, row.release, error)
            self._connection.execute(sql.GIVE_UP, {"job": row.id, "why": str(error)})
            return None
        claim = {"job": row.id, "was": row.fence, "worker": worker, "until": until}
        return job if self._connection.execute(sql.CLAIM, claim).rowcount == 1 else None

    def _requeue(self, held: dict[str, int], attempts: int, at: datetime, error: str) -> bool:
        waiting = {"tries": attempts, "again": at}
        try:
            with self._connection.begin_nested():
                back = self._connection.execute(sql.REQUEUE, {**held, **waiting, "why": error})
            return back.rowcount == 1
        except IntegrityError:
            # A newer effect of this subject was queued while this one was worked on: that one is enough.
            old = self._connection.execute(sql.TAKE_AWAY, held).one()
            newer = {"of_subject": old.subject, "of_revision": old.revision}
            self._connection.execute(sql.INHERIT, {**newer, **waiting})
            return True


def _row(effect: Effect) -> dict[str, object]:
    return {
        "release": effect.release,
        "lane": effect.lane,
        "subject": effect.subject,
        "kind": type(effect).__name__,
        "urgency": effect.urgency,
        # A rollback's write waits for nothing, nor does the call for whoever must see to it.
        "overtakes": effect.urgency is Urgency.ROLLBACK and isinstance(effect, SetRoute | CallOnCall),
        "effect": _CODEC.dumps(effect),
        "state": sql.QUEUED,
        "attempts": 0,
        "fence": 0,
        "error": "",
    }


def _held(job: Job) -> dict[str, int]:
    return {"job": job.id, "claim": job.fence}


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
