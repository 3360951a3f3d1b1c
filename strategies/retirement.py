"""The end of the baseline: proven idle, asked about where the profile says so, then scaled down or deleted.

A rollback is open at every moment of it. `is_cold` is stored before the first pod goes, so that whoever goes back
from then on brings the pods back before any traffic: a click cannot fall between the decision and the deed.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from strategies import approvals, moves, timers
from strategies.decision import Decision, ignored
from strategies.effects import Audience, PostStage, RefreshCard, RetireBaseline, Say, Urgency
from strategies.events import ApprovalGiven, BaselineAwaited, BaselineRetired, BaselineWatched, SuccessorRequested
from strategies.reasons import ReasonCode, Refused
from strategies.release import Approval, Decommission, Phase, Release

WATCH_AGAIN = timedelta(seconds=5)  # at least, between two looks at a baseline that is still needed
PROOF_LASTS = timedelta(seconds=60)  # somebody may call the baseline again after a standstill of the bot


def watched(release: Release, event: BaselineWatched, now: datetime) -> Decision:
    """Nothing needs the baseline: ask, or let it go. Something does: look again, and tell people after a while."""
    if release.asked_at is not None or (event.is_idle and is_proven(release, now)):
        return ignored(release)
    if not event.is_idle:
        return _still_needed(replace(release, is_retiring=False), event.text, now)
    proven = replace(release, proof=event.text, proven_at=now, retry_at=None)
    if release.rules.decommission_approval and not release.may_retire:
        return _ask(proven, now)
    leaving = replace(
        proven,
        is_retiring=True,
        is_cold=True,
        sizes={**event.sizes, **release.sizes},
        kept=dict(event.kept),
        warm_up=event.warm_up,
        note=f"{release.target.baseline} is idle: {verb(release)}",
    )
    effects = (RetireBaseline(release.id), RefreshCard(release.id, Urgency.STAGE))
    # A proof that is only renewed decides nothing anew; what was done tells the one that it was done on.
    return Decision(leaving, effects, why=event.text, is_notable=not release.is_retiring)


def is_proven(release: Release, now: datetime) -> bool:
    """True while the baseline is on its way out by a proof that is young enough to act on."""
    return release.is_retiring and release.proven_at is not None and now - release.proven_at <= PROOF_LASTS


def make_way(release: Release, event: SuccessorRequested, now: datetime) -> Decision | Refused:
    """The next release begins: a baseline that is not on its way out yet is kept, and this release is complete."""
    target = release.target
    if not is_promoted(release):
        phase = release.phase.replace("_", " ")
        text = f"{target.service} is being released already: {release.id} is {phase}."
        return Refused(ReasonCode.ALREADY_RELEASING, text)
    if release.phase is Phase.DECOMMISSIONING and release.is_retiring:
        text = f"{release.id} is letting {target.baseline} go at this moment ({release.note}); ask again in a minute."
        return Refused(ReasonCode.ALREADY_RELEASING, text)
    why = f"{event.actor.name} began the next release of {target.service}"
    left = "stays as it is now" if release.is_cold else "was kept"
    done = moves.complete(release, now, why)
    kept = replace(done.release, note=f"{done.release.note}; {target.baseline} {left}, because {why}")
    line = Say(release.id, f"kept:{kept.revision}", f"{release.id} is complete: {kept.note}.")
    others = tuple(effect for effect in done.effects if not isinstance(effect, Say))
    return Decision(kept, (line, *others), reply=f"{release.id} ends: {target.baseline} {left}.", why=why)


def is_promoted(release: Release) -> bool:
    """True when the candidate has everything for good, and only the baseline's end is left to be done."""
    return Phase.DECOMMISSIONING in {release.phase, release.resume_to}


def in_the_way(release: Release) -> str:
    """What this active release means for a next one of its route, as a sentence for its plan."""
    if is_promoted(release):
        kept = f"a start ends that, and {release.target.baseline} is kept"
        return f"{release.id} waits until {release.target.baseline} may go: {kept}."
    return f"{release.id} has the route ({release.phase.replace('_', ' ')}): it has to end before this one may start."


def approve(release: Release, event: ApprovalGiven, now: datetime) -> Decision | Refused:
    """One yes to letting the baseline go; with the quorum complete it is proven idle once more, then retired."""
    if release.asked_at is None:
        text = f"{release.id} asks nothing now: {release.note}."
        return Refused(ReasonCode.WRONG_PHASE, text)
    refused = approvals.not_approver(release, event.actor) or approvals.not_now(release, event)
    if refused:
        return refused
    taken = replace(
        release,
        approvals=(*release.approvals, Approval(event.actor, release.stage, release.revision, now, event.note)),
    )
    count, wanted = len(approvals.approvers(taken)), quorum(release)
    shown = (PostStage(release.id, release.stage, Urgency.DECISION), RefreshCard(release.id, Urgency.DECISION))
    if count < wanted:
        text = f"{event.actor.name} approved ({count} of {wanted})."
        return Decision(taken, shown, reply=text, why=text)
    names = ", ".join(actor.name for actor in approvals.approvers(taken))
    why = f"approved by {names}" + (f": {event.note}" if event.note else "")
    going = replace(
        taken,
        asked_at=None,
        reminded=False,
        may_retire=True,
        entered_at=now,
        revision=release.revision + 1,
        note=f"{why}; proving once more that nothing calls {release.target.baseline}",
    )
    reply = f"Approved: {verb(release)}, once nothing calls it."
    return Decision(going, (RetireBaseline(release.id), *shown), reply=reply, why=why)


def retired(release: Release, event: BaselineRetired, now: datetime) -> Decision:
    """The old version is gone, with the proof that nothing called it."""
    done = moves.complete(release, now, event.proof)
    line = Say(release.id, f"retired:{done.release.revision}", event.proof)
    return replace(done, effects=(line, *done.effects))


def awaited(release: Release, event: BaselineAwaited) -> Decision:
    """A rollback brings the baseline's pods back first; the card says how far it is, beside why it goes back."""
    if not release.is_going_back or release.waits_for == event.text:
        return ignored(release)
    waiting = replace(release, waits_for=event.text)
    shown = (RefreshCard(release.id, Urgency.ROLLBACK),)
    return Decision(waiting, shown, why=event.text, is_notable=not release.waits_for)


def woken(release: Release, now: datetime) -> Decision:
    """Look at the baseline again, or remind those who were asked."""
    if release.asked_at is None:
        return Decision(replace(release, retry_at=None), (RetireBaseline(release.id),), is_notable=False)
    text = (
        f"{release.id} still asks whether {verb(release)}; it is kept until somebody says yes, "
        f"and for good when the next release of {release.target.service} begins."
    )
    line = Say(release.id, f"reminder:{release.revision}", text, audience=Audience.APPROVERS)
    return Decision(replace(release, reminded=True), (line,), why="reminded")


def quorum(release: Release) -> int:
    """As many yeses as the plan asks for its increases."""
    return max((stage.approval.quorum for stage in release.plan.stages if stage.approval), default=1)


def verb(release: Release) -> str:
    """What happens to the baseline, as a clause."""
    done = "is deleted" if release.rules.decommission is Decommission.DELETE else "is scaled to 0"
    return f"{release.target.baseline} {done}"


def _ask(release: Release, now: datetime) -> Decision:
    asking = replace(
        release,
        asked_at=now,
        reminded=False,
        revision=release.revision + 1,
        note=f"{verb(release)} when somebody approves",
    )
    text = f"{release.id} asks whether {verb(release)}. {release.proof}"
    line = Say(release.id, f"retire:{asking.revision}", text, audience=Audience.APPROVERS, urgency=Urgency.DECISION)
    shown = (PostStage(release.id, release.stage, Urgency.DECISION), RefreshCard(release.id, Urgency.DECISION))
    return Decision(asking, (*shown, line), why=text)


def _still_needed(release: Release, text: str, now: datetime) -> Decision:
    waiting = replace(release, note=text, retry_at=timers.again(release, now, max(release.rules.look, WATCH_AGAIN)))
    changed = release.note != text
    shown = (RefreshCard(release.id, Urgency.PROGRESS),) if changed else ()
    if release.reminded or now < release.entered_at + max(release.rules.deadline, release.rules.idle):
        return Decision(waiting, shown, why=text, is_notable=False)
    told = (
        f"{release.id} cannot let {release.target.baseline} go: {text} It goes on looking. The next release of "
        f"{release.target.service} may begin all the same: {release.target.baseline} is kept then."
    )
    line = Say(release.id, f"needed:{release.revision}", told, audience=Audience.REQUESTER_AND_ON_CALL)
    return Decision(replace(waiting, reminded=True), (*shown, line), why=told)
