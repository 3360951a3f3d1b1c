"""The outbox's statements, built once: putting one together costs more than running it."""

from typing import get_args

from sqlalchemy import (
    Column,
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
    update,
)

from storage.dialects import Insert, Telling, for_both
from storage.tables import OUTBOX
from strategies.effects import Effect

# Where an effect stands. Text, not an enum: the partial index and the statements must agree to the letter.
QUEUED, CLAIMED, FAILED = "queued", "claimed", "failed"

_c = OUTBOX.c


def _upsert(row: Insert) -> Telling:
    new = row.excluded
    is_fresh = or_(new.revision > _c.revision, new.urgency < _c.urgency)
    earlier = case((and_(_c.attempts == 0, new.due_at < _c.due_at), new.due_at), else_=_c.due_at)
    return row.on_conflict_do_update(
        index_elements=["subject"],
        index_where=text(f"state = '{QUEUED}'"),
        set_={
            "effect": new.effect,
            "revision": new.revision,
            "urgency": case((new.urgency < _c.urgency, new.urgency), else_=_c.urgency),
            "overtakes": or_(new.overtakes, _c.overtakes),
            "attempts": case((is_fresh, 0), else_=_c.attempts),
            "first_queued_at": case((is_fresh, new.first_queued_at), else_=_c.first_queued_at),
            "due_at": case((is_fresh, new.due_at), else_=earlier),
        },
    ).returning(_c.id)


def _is_blocked(now: ColumnElement[object]) -> ColumnElement[bool]:
    earlier = OUTBOX.alias("earlier").c
    # A job that was only ever planned for later does not stand in the way before its time.
    is_open = or_(
        earlier.state == CLAIMED,
        and_(earlier.state == QUEUED, or_(earlier.attempts > 0, earlier.due_at <= now)),
    )
    is_twin = and_(earlier.overtakes, earlier.subject == _c.subject)
    return exists().where(
        earlier.release == _c.release,
        earlier.lane == _c.lane,
        earlier.id < _c.id,
        is_open,
        or_(not_(_c.overtakes), is_twin),
    )


def _in_lane(now: ColumnElement[object]) -> tuple[ColumnElement[bool], ...]:
    # An older replica leaves the kinds of effect that it does not know to a newer one. They are the same for ever, and
    # a list of parameters would be written into the statement anew each time.
    known = _c.kind.in_([literal_column(f"'{kind.__name__}'") for kind in get_args(Effect)])
    urgent = _c.urgency <= bindparam("least")
    return _c.lane == bindparam("in_lane"), _c.state == QUEUED, urgent, known, not_(_is_blocked(now))


def _at(name: str, column: Column[object] = _c.due_at) -> ColumnElement[object]:
    return bindparam(name, type_=column.type)


PUT = for_both(OUTBOX, _upsert)
HURRY = (
    update(OUTBOX)
    .where(
        _c.release == bindparam("of_release"),
        _c.lane == bindparam("in_lane"),
        _c.state == QUEUED,
        _c.id < bindparam("before"),
        _c.urgency > bindparam("hurry"),
    )
    .values(urgency=bindparam("hurry"))
)
CLAIMABLE = (
    select(OUTBOX)
    .where(_c.due_at <= _at("now"), *_in_lane(_at("now")))
    .order_by(_c.urgency, _c.due_at, _c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
CLAIM = (
    update(OUTBOX)
    .where(_c.id == bindparam("job"), _c.fence == bindparam("was"))
    .values(
        state=CLAIMED,
        fence=_c.fence + 1,
        claimed_by=bindparam("worker"),
        claimed_until=bindparam("until"),
    )
)
_held = (_c.id == bindparam("job"), _c.state == CLAIMED, _c.fence == bindparam("claim"))
DONE = delete(OUTBOX).where(*_held)
REQUEUE = (
    update(OUTBOX)
    .where(*_held)
    .values(
        state=QUEUED,
        claimed_by=null(),
        claimed_until=null(),
        attempts=bindparam("tries"),
        due_at=bindparam("again"),
        error=bindparam("why"),
    )
)
FAIL = update(OUTBOX).where(*_held).values(state=FAILED, attempts=bindparam("tries"), error=bindparam("why"))
GIVE_UP = update(OUTBOX).where(_c.id == bindparam("job")).values(state=FAILED, error=bindparam("why"))
EXPIRED = (
    select(OUTBOX)
    .where(_c.state == CLAIMED, _c.claimed_until <= _at("now"))
    .order_by(_c.id)
    .with_for_update(skip_locked=True)
)
EARLIER = update(OUTBOX).where(_c.state == QUEUED, _c.due_at > _at("later")).values(due_at=_at("now"))
SHORTER = update(OUTBOX).where(_c.state == CLAIMED, _c.claimed_until > _at("later")).values(claimed_until=_at("later"))
RENEW = update(OUTBOX).where(*_held).values(claimed_until=bindparam("until"))
TAKE_AWAY = DONE.returning(_c.subject, _c.revision)
INHERIT = (
    update(OUTBOX)
    .where(
        _c.subject == bindparam("of_subject"),
        _c.state == QUEUED,
        _c.revision == bindparam("of_revision"),
        not_(_c.overtakes),
    )
    .values(attempts=bindparam("tries"), due_at=bindparam("again"))
)
_next_due = select(func.min(_c.due_at)).where(*_in_lane(_c.due_at))
_next_expiry = select(func.min(_c.claimed_until)).where(_c.lane == bindparam("in_lane"), _c.state == CLAIMED)
NEXT = select(_next_due.scalar_subquery().label("due"), _next_expiry.scalar_subquery().label("expiry"))
PENDING = select(OUTBOX).where(_c.release == bindparam("of_release"), _c.state != FAILED).order_by(_c.id)
PRUNE = delete(OUTBOX).where(_c.state == FAILED, _c.first_queued_at < _at("before"))
