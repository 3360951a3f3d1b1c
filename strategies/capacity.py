"""How many pods a share takes, and what a release does while they are not there."""

import math
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from strategies import amount, moves, timers
from strategies.decision import Decision, ignored
from strategies.effects import Audience, RefreshCard, Say, SetCapacity, Urgency
from strategies.events import CapacityLacked
from strategies.release import AtDeadline, Phase, Release
from strategies.routing import HUNDRED, Split


def pods_for(split: Split, version: str, size: int, capacity: Decimal) -> int:
    """Ready pods that `version` needs for its part of the requests that `size` pods served before.

    `capacity` is the percent of the baseline's pods that a share takes: 100 is pod for pod. Where matches or mirrors
    bring requests the most that is known to come counts, and one pod is the least.
    """
    if not split.reaches(version):
        return 0
    mirrored = split.mirror.percent if split.mirror is not None and split.mirror.to == version else Decimal(0)
    share = max(split.share(version), mirrored)
    return max(1, math.ceil(share / HUNDRED * size * capacity / HUNDRED))


def lacked(release: Release, event: CapacityLacked, now: datetime) -> Decision:
    """The increase is not written yet: the pods for it are missing. Tried again, and told once at the deadline."""
    if event.revision != release.split_revision or release.is_confirmed:
        return ignored(release)
    changed = release.note != event.text
    waiting = replace(release, note=event.text, retry_at=timers.pods_again(release, now))
    shown = (RefreshCard(release.id, Urgency.STAGE),) if changed else ()
    if not _is_to_be_told(release, now):
        return Decision(waiting, shown, why=event.text, is_notable=changed)
    if release.rules.at_deadline is AtDeadline.ROLL_BACK:
        return moves.roll_back(release, now, f"the deadline has passed: {event.text}", Audience.REQUESTER_AND_ON_CALL)
    text = (
        f"{release.id} holds before {amount.wanted(release)}: {event.text} It is tried again; roll back to call it off."
    )
    told = Say(release.id, f"capacity:{release.revision}", text, audience=Audience.REQUESTER_AND_ON_CALL)
    return Decision(replace(waiting, reminded=True), (*shown, told), why=text)


def again(release: Release, now: datetime) -> Decision:
    """Look for the pods again, and write as soon as they are there; the evidence is due from then on."""
    waiting = replace(release, retry_at=None, stage_began_at=now)
    return Decision(waiting, moves.writes(waiting), is_notable=False)


def seen(before: Release, decision: Decision) -> Decision:
    """The decision of a look, with what follows when the baseline has shrunk below its size at the start.

    It is held each time where the profile allows that; people hear of it again only when there are fewer pods than
    ever: an autoscaler that goes up and down is told once.
    """
    release, size = decision.release, sum(decision.release.sizes.values())
    have, had = release.baseline_ready, before.baseline_ready
    if have is None or have >= size or (had is not None and had < size) or release.is_going_back or release.is_over:
        return decision
    pinned = (SetCapacity(release.id),) if release.rules.scale else ()
    if release.baseline_told is not None and have >= release.baseline_told:
        return replace(decision, effects=(*decision.effects, *pinned))
    fewer = f"{release.target.baseline} has {have} of the {size} ready pods it began with"
    text = f"{fewer}; a rollback would land on them."
    if release.rules.scale:
        text = f"{text} It is scaled up again."
    line = Say(release.id, f"shrunk:{have}", text)
    told = replace(release, baseline_told=have)
    return replace(
        decision, release=told, effects=(*decision.effects, *pinned, line), why=decision.why or text, is_notable=True
    )


def _is_to_be_told(release: Release, now: datetime) -> bool:
    return not release.reminded and now >= release.entered_at + release.rules.deadline


def is_due(release: Release, now: datetime) -> bool:
    """True when an increase waits for pods and the time to look again has come."""
    return release.phase is Phase.SHIFTING and release.retry_at is not None and now >= release.retry_at
