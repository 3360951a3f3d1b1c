"""Who may say yes, to which question, and what a yes does."""

from dataclasses import replace
from datetime import datetime

from strategies import moves
from strategies.amount import wanted
from strategies.decision import Decision
from strategies.effects import PostStage, RefreshCard, Say, Urgency
from strategies.events import ApprovalGiven, ScheduleRequested
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Approval, Phase, Release, Role, StandingApproval


def approve(release: Release, event: ApprovalGiven, now: datetime) -> Decision | Refused:
    """Take one yes; with the quorum complete the next stage begins."""
    refused = (
        not_approver(release, event.actor)
        or _interrupted(release)
        or not_now(release, event)
        or _against_evidence(release, event, now)
    )
    if refused:
        return refused
    approval = Approval(
        event.actor, release.stage, release.revision, now, event.note, overrides=bool(event.override_reason)
    )
    taken = replace(release, approvals=(*release.approvals, approval))
    wanted = _quorum(release)
    count = len(approvers(taken))
    if count >= wanted:
        return _carried(taken, event, now)
    if standing_is_complete(taken):
        text = f"{event.actor.name} approved; the next increase goes on at its time."
    else:
        text = f"{event.actor.name} approved ({count} of {wanted})."
    shown = (
        PostStage(release.id, release.stage, Urgency.DECISION),
        RefreshCard(release.id, Urgency.DECISION),
    )
    return Decision(taken, shown, reply=text, why=text)


def stand(release: Release, event: ScheduleRequested, now: datetime) -> Decision | Refused:
    """Hold the next increase until `event.at`; unattended, with a yes given in advance for that window."""
    stages = event.stages or (release.stage,)
    asks = any(release.plan.stages[n].approval for n in stages if 0 <= n < len(release.plan.stages))
    standing = None
    if event.unattended:
        refused = not_approver(release, event.actor) if asks else None
        if refused:
            return refused
        # Where nobody is asked, the window still ends: what misses it is put to people, not caught up.
        standing = StandingApproval(event.actor, stages, event.at, event.closes, now, release.revision + 1)
    if release.not_before == event.at and _says_the_same(release.standing, standing):
        return Refused(ReasonCode.ALREADY_DECIDED, "It is scheduled for that time already.")
    text = f"{event.actor.name} scheduled the next increase"
    moved = replace(
        release,
        not_before=event.at,
        standing=standing,
        revision=release.revision + 1,
        reminded=False,
        note=f"the next increase waits for its time, set by {event.actor.name}",
    )
    shown = (
        PostStage(release.id, release.stage, Urgency.DECISION),
        RefreshCard(release.id, Urgency.DECISION),
    )
    return Decision(moved, shown, reply=f"{text}.", why=f"{text} for {event.at.isoformat()}")


def not_approver(release: Release, actor: Actor) -> Refused | None:
    """Why `actor` may not approve this release; None when they may."""
    named = release.rules.approvers
    permitted = bool(named & ({actor.id} | actor.groups)) if named else Role.APPROVER in actor.roles
    if not permitted:
        who = ", ".join(sorted(named)) if named else "people with the approver role"
        return Refused(ReasonCode.NOT_APPROVER, f"Only approvers of {release.target.service} may approve: {who}.")
    if actor.id == release.requester.id and not release.rules.requester_may_approve:
        return Refused(ReasonCode.SELF_APPROVAL, f"You asked for {release.id} yourself; somebody else approves it.")
    return None


def not_now(release: Release, event: ApprovalGiven) -> Refused | None:
    """Why this yes says nothing new: to an earlier question, or by somebody who said it already."""
    return _stale(release, event.revision) or _repeated(release, event.actor)


def approvers(release: Release) -> tuple[Actor, ...]:
    """Different people who said yes to the present question."""
    given = [a.actor for a in release.approvals if a.revision == release.revision]
    return tuple({actor.id: actor for actor in given}.values())


def standing_is_complete(release: Release) -> bool:
    """True when a standing approval covers this stage with its quorum."""
    standing = release.standing
    if standing is None or release.stage not in standing.stages:
        return False
    return len({standing.actor.id} | {actor.id for actor in approvers(release)}) >= _quorum(release)


def _says_the_same(one: StandingApproval | None, other: StandingApproval | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.actor.id, one.stages, one.closes) == (other.actor.id, other.stages, other.closes)


def _quorum(release: Release) -> int:
    stage = release.current
    return stage.approval.quorum if stage and stage.approval else 1


def _carried(release: Release, event: ApprovalGiven, now: datetime) -> Decision:
    names = ", ".join(actor.name for actor in approvers(release))
    why = f"approved by {names}" + (f": {event.note}" if event.note else "")
    if event.override_reason:
        why = f"gates overridden by {event.actor.name}: {event.override_reason}"
    if release.following is None:
        decision = moves.soak(release, now, why)
    else:
        decision = moves.shift(release, release.stage + 1, now, why)
    reply = f"Approved: {release.target.candidate} gets {wanted(decision.release)}."
    if event.override_reason:
        loud = Say(release.id, f"override:{decision.release.revision}", f"⚠ {release.id}: {why}", is_broadcast=True)
        decision = replace(decision, effects=(*decision.effects, loud))
    return replace(decision, reply=reply)


def _stale(release: Release, revision: int | None) -> Refused | None:
    if revision is None or revision == release.revision:
        return None
    earlier = [a.actor.name for a in release.approvals if a.revision == revision]
    if earlier:
        return Refused(ReasonCode.ALREADY_DECIDED, f"Already approved by {', '.join(dict.fromkeys(earlier))}.")
    return Refused(
        ReasonCode.STALE_REVISION,
        f"{release.id} has moved on since that button was posted; nothing was changed.",
    )


def _repeated(release: Release, actor: Actor) -> Refused | None:
    if any(actor.id == other.id for other in approvers(release)):
        return Refused(ReasonCode.ALREADY_DECIDED, "You approved this already; another approver is needed.")
    return None


def _interrupted(release: Release) -> Refused | None:
    if release.drift:
        return Refused(ReasonCode.DRIFT, f"{release.drift.by} changed the route: adopt, restore or stop first.")
    if release.phase is Phase.PAUSED and not release.failing():
        return Refused(ReasonCode.WRONG_PHASE, f"{release.id} is paused; resume it first.")
    # The next write starts from a known split, and the last one must not be taken for done before it is.
    if not release.is_confirmed:
        text = f"{release.id} is still writing {wanted(release)}; approve when it has been read back."
        return Refused(ReasonCode.WRONG_PHASE, text)
    return None


def _against_evidence(release: Release, event: ApprovalGiven, now: datetime) -> Refused | None:
    if release.failing():
        reasons = "; ".join(verdict.reason for verdict in release.failing())
        if not event.override_reason:
            return Refused(ReasonCode.GATE_FAILING, f"A gate fails: {reasons} Roll back, or override with a reason.")
        if Role.OVERRIDE not in event.actor.roles:
            return Refused(ReasonCode.NOT_ALLOWED, f"A gate fails ({reasons}); only the override role may go on.")
        return None
    if event.override_reason:
        return Refused(ReasonCode.BAD_INPUT, f"No gate of {release.id} fails; there is nothing to override.")
    lacking = moves.missing(release, now)
    # A confirm speaks of one revision: without it a repeat could wave the next stage through.
    if lacking and not (event.acknowledged and event.revision is not None):
        text = f"Not enough evidence yet ({lacking}). Confirm to approve all the same."
        return Refused(ReasonCode.TOO_FEW_REQUESTS, text)
    return None
