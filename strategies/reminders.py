"""What is said again while nobody acts: calls of on-call, and a release that a person left paused."""

from dataclasses import replace
from datetime import datetime, timedelta

from strategies.decision import Decision
from strategies.effects import Audience, CallOnCall, Say
from strategies.release import Phase, Release

FIRST_CALL = timedelta(seconds=60)  # of a rollback that is not confirmed
CALL_AGAIN = timedelta(minutes=15)


def due(release: Release) -> datetime | None:
    """When something is said next; a pause is spoken of once, after the time for which a question would wait."""
    if release.phase is Phase.PAUSED:
        return None if release.reminded else release.entered_at + release.rules.no_answer_after
    if release.called_at is not None:
        return release.called_at + CALL_AGAIN
    return release.entered_at + FIRST_CALL if release.phase is Phase.ROLLING_BACK else None


def said(release: Release, now: datetime) -> Decision:
    """Call on-call again, or speak to whoever asked for a release that is paused."""
    return _speak(release, now) if release.phase is Phase.PAUSED else _call(release, now)


def _call(release: Release, now: datetime) -> Decision:
    every = f"This is said again every {CALL_AGAIN // timedelta(minutes=1)} min until"
    if release.phase is Phase.ROLLING_BACK:
        waited = int((now - release.entered_at).total_seconds())
        text = (
            f"{release.id}: the rollback to {release.target.baseline} is not confirmed after {waited} s; it is still "
            f"being tried. {every} it is."
        )
    else:
        text = f"{release.id} is still stuck: {release.note.rstrip('.')}. {every} somebody resumes it or rolls it back."
    line = CallOnCall(release.id, f"again:{release.revision}:{now.isoformat(timespec='seconds')}", text)
    return Decision(replace(release, called_at=now), (line,), why=text)


def _speak(release: Release, now: datetime) -> Decision:
    minutes = int((now - release.entered_at) / timedelta(minutes=1))
    text = f"{release.id} has been paused for {minutes} min ({release.note}). Resume it, or roll it back."
    line = Say(release.id, f"paused:{release.revision}", text, audience=Audience.REQUESTER)
    return Decision(replace(release, reminded=True), (line,), why="reminded of the pause")
