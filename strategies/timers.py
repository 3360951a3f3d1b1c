"""When a release wants to be woken: one column, the earliest of its timers that lies ahead."""

from datetime import datetime, timedelta
from typing import assert_never

from strategies import approvals, reminders
from strategies.release import Phase, Release

PODS_AGAIN, PODS_AT_MOST = timedelta(seconds=5), timedelta(hours=1)
ASKED_AT_MOST, ASKED_PART = timedelta(minutes=10), 10


def deadline(release: Release) -> datetime | None:
    """When the stage's evidence is due: counted from its start, never before its hold can be over."""
    stage = release.current
    if stage is None or release.stage_began_at is None:
        return None
    return release.stage_began_at + max(release.rules.deadline, stage.hold)


def reminder(release: Release) -> datetime | None:
    """Half way to the end of patience, when nobody has answered yet."""
    start = _asked_from(release)
    return start + release.rules.no_answer_after / 2 if start and not release.reminded else None


def no_answer(release: Release) -> datetime | None:
    """When an unanswered question stops waiting."""
    start = _asked_from(release)
    return start + release.rules.no_answer_after if start else None


def pods_again(release: Release, now: datetime) -> datetime:
    """When the cluster is asked again what a release waits for: after as long as it has waited, and at the deadline.

    What it waits for is told by a watch as soon as it changes. This is for what no watch tells, such as warnings.
    """
    again = now + min(max(PODS_AGAIN, now - release.entered_at), PODS_AT_MOST)
    told_at = release.entered_at + release.rules.deadline
    return min(again, told_at) if now < told_at and not release.reminded else again


def again(release: Release, now: datetime, least: timedelta) -> datetime:
    """When neighbours are asked again that cannot tell that their answer has changed: late by a tenth of the wait."""
    return now + max(least, min((now - release.entered_at) / ASKED_PART, ASKED_AT_MOST))


def next_wake(release: Release, now: datetime, overdue: datetime | None = None) -> datetime | None:
    """The earliest timer after `now`; `overdue` stays for as long as it is a timer of the release.

    `overdue` is a time that has come and whose wake was not handled yet: whatever else happens first, a look or a
    restart, must not make the release forget it.
    """
    moments = [moment for moment in _timers(release) if moment is not None]
    if overdue in moments:
        return overdue
    return min((moment for moment in moments if moment > now), default=None)


def _asked_from(release: Release) -> datetime | None:
    # A complete standing approval is an answer: nobody is reminded while its window lasts.
    if release.asked_at is None or approvals.standing_is_complete(release):
        return None
    return max(release.asked_at, release.not_before) if release.not_before else release.asked_at


def _timers(release: Release) -> tuple[datetime | None, ...]:  # noqa: C901 - one case per phase
    match release.phase:
        case Phase.SCHEDULED:
            return (release.starts_at,)
        case Phase.PREPARING:
            return (release.retry_at,)
        case Phase.SHIFTING if release.retry_at is not None:
            return (release.retry_at,)  # evidence is due once there are pods to give it
        case Phase.SHIFTING:
            return (deadline(release),)
        case Phase.OBSERVING:
            return (release.hold_until, release.not_before, deadline(release))
        case Phase.AWAITING_APPROVAL:
            standing = release.standing
            window = (standing.opens, standing.closes) if standing else ()
            return (release.not_before, *window, reminder(release), no_answer(release))
        case Phase.SOAKING:
            return (release.soak_until,)
        case Phase.DECOMMISSIONING:
            return (release.retry_at, reminder(release))
        case Phase.ROLLING_BACK | Phase.STUCK | Phase.PAUSED:
            return (reminders.due(release),)
        case Phase.COMPLETED | Phase.ROLLED_BACK:
            return ()
        case _:  # pragma: no cover
            assert_never(release.phase)
