"""What a person's request does to a release."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from strategies import approvals, moves, overrides, smoke
from strategies.amount import wanted
from strategies.decision import Decision, ignored
from strategies.effects import AskSmoke, Audience, RefreshCard, Urgency
from strategies.events import (
    DriftChoice,
    DriftResolved,
    PauseRequested,
    ReleaseRequested,
    ResumeRequested,
    RollbackRequested,
    ScheduleRequested,
)
from strategies.plan import Plan
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Phase, Release, Role
from strategies.routing import Split, Steering

OPERATORS = frozenset({Role.RELEASER, Role.APPROVER, Role.ON_CALL})


def begin(event: ReleaseRequested, now: datetime) -> Decision | Refused:
    """A new release, prepared at once or at its time."""
    if Role.RELEASER not in event.actor.roles:
        return Refused(ReasonCode.NOT_ALLOWED, "Only people with the releaser role may start a release.")
    waivers = overrides.waivers(event.overrides, event.actor, event.override_reason, now)
    if isinstance(waivers, Refused):
        return waivers
    release = Release(
        id=event.release,
        targets=event.targets,
        plan=event.plan,
        rules=event.rules,
        requester=event.actor,
        channel=event.channel,
        created_at=now,
        phase=Phase.SCHEDULED,
        entered_at=now,
        starts_at=event.starts_at,
        waivers=waivers,
        note=f"asked for by {event.actor.name}",
    )
    why = f"{event.actor.name} asked for {release.target.service} {release.target.candidate}"
    if waivers:
        why += f", overriding {', '.join(waiver.rule for waiver in waivers)}: {waivers[0].reason}"
    loud = overrides.told(release, waivers)
    if event.starts_at and event.starts_at > now:
        card = RefreshCard(release.id, Urgency.STAGE)
        return Decision(release, (card, *loud), reply=f"{release.id} is scheduled.", why=why)
    decision = moves.prepare(release, now, why)
    reply = f"{release.id} is on its way: {release.target.baseline} → {release.target.candidate}."
    return replace(decision, effects=(*decision.effects, *loud), reply=reply)


def pause(release: Release, event: PauseRequested, now: datetime) -> Decision | Refused:
    """The plan waits; looks and the right to roll back do not."""
    refused = not_operator(release, event.actor)
    if refused:
        return refused
    why = f"paused by {event.actor.name}" + (f": {event.reason}" if event.reason else "")
    return replace(moves.pause(release, now, why), reply=f"{release.id} is paused.")


def resume(release: Release, event: ResumeRequested, now: datetime) -> Decision | Refused:
    """Go on where the plan stood, or try again what got stuck."""
    refused = not_operator(release, event.actor) or stale(release, event.revision)
    if refused:
        return refused
    if release.is_going_back:
        # Trying a rollback again is asking for one: no gate and no drift stands in its way.
        return replace(continued(release, now, f"tried again by {event.actor.name}"), reply=f"{release.id} goes back.")
    if release.drift:
        return Refused(ReasonCode.DRIFT, f"{release.drift.by} changed the route: adopt, restore or stop first.")
    if release.failing():
        reasons = "; ".join(verdict.reason for verdict in release.failing())
        return Refused(ReasonCode.GATE_FAILING, f"A gate fails: {reasons} Roll back, or override with a reason.")
    decision = continued(release, now, f"resumed by {event.actor.name}")
    after = decision.release
    # A smoke test that never answered was given up after a day; whoever resumes wants it asked again.
    is_open = smoke.decides(after) and after.smoke is None and after.is_confirmed
    asked = (AskSmoke(after.id, after.stage),) if is_open else ()
    return replace(decision, effects=(*decision.effects, *asked), reply=f"{release.id} goes on.")


def continued(release: Release, now: datetime, why: str) -> Decision:
    """Take up the phase that a pause, a drift or a fault interrupted."""
    match release.resume_to:
        case Phase.SCHEDULED:
            due = release.starts_at is None or release.starts_at <= now
            if due:
                return moves.prepare(release, now, why)
            waiting = replace(
                release,
                phase=Phase.SCHEDULED,
                entered_at=now,
                resume_to=None,
                revision=release.revision + 1,
                note=why,
            )
            return Decision(waiting, (RefreshCard(release.id, Urgency.DECISION),), why=why)
        case Phase.PREPARING:
            return moves.prepare(release, now, why)
        case Phase.DECOMMISSIONING:
            return moves.retire(release, now, why)
        case Phase.SOAKING:
            left = release.hold_left if release.hold_left is not None else release.rules.soak
            if left <= timedelta(0):
                # Nothing is left to wait for, and no timer would lie ahead.
                return moves.retire(release, now, why)
            soaking = moves.soak(release, now, why)
            return replace(soaking, release=replace(soaking.release, soak_until=now + left))
        case Phase.ROLLING_BACK:
            return moves.roll_back(release, now, why)
        case Phase.AWAITING_APPROVAL if release.is_confirmed:
            return moves.ask(release, now, why)
        case Phase.OBSERVING if release.is_confirmed:
            # The evidence is due anew: a deadline that passed during the pause would never be asked about.
            fresh = replace(release, revision=release.revision + 1, stage_began_at=now)
            return replace(moves.observe(fresh, now), why=why)
        case _:
            return rewritten(release, now, why)


def rewritten(release: Release, now: datetime, why: str) -> Decision:
    """Write the split of the present stage again; what was left of its hold and its set time stay."""
    again = moves.shift(release, release.stage, now, why)
    kept = replace(again.release, hold_left=release.hold_left, not_before=release.not_before)
    return replace(again, release=kept)


def roll_back(release: Release, event: RollbackRequested, now: datetime) -> Decision | Refused:
    """All traffic to the baseline. Never refused but for who asks."""
    refused = not_operator(release, event.actor)
    if refused:
        return refused
    if release.phase in {Phase.ROLLING_BACK, Phase.ROLLED_BACK}:
        text = f"{release.target.service} is on its way back to {release.target.baseline} already."
        return replace(ignored(release), reply=text)
    if release.phase is Phase.COMPLETED and release.is_leaving:
        text = f"Nothing of {release.id} is left in the route; {release.target.baseline} serves all requests."
        return replace(ignored(release), reply=text)
    why = f"asked for by {event.actor.name}" + (f": {event.reason}" if event.reason else "")
    if event.makes_way and release.stage < 0:
        return moves.call_off(release, now, why)
    decision = moves.roll_back(release, now, why, Audience.NOBODY)
    return replace(decision, reply=f"Rolling back {release.target.service} to {release.target.baseline}.")


def schedule(release: Release, event: ScheduleRequested, now: datetime) -> Decision | Refused:
    """A scheduled start moves to its new time; a running release waits with its next increase."""
    refused = not_operator(release, event.actor)
    if refused:
        return refused
    if event.at <= now or event.closes <= event.at:
        return Refused(ReasonCode.BAD_INPUT, "The time must lie ahead, and the window must end after it begins.")
    if release.phase is Phase.SCHEDULED:
        moved = replace(release, starts_at=event.at, revision=release.revision + 1)
        card = RefreshCard(release.id, Urgency.DECISION)
        return Decision(
            moved,
            (card,),
            reply=f"{release.id} starts at its new time.",
            why=f"start moved by {event.actor.name}",
        )
    if release.following is None:
        return Refused(ReasonCode.WRONG_PHASE, f"{release.id} is at its last stage; there is no increase to schedule.")
    return approvals.stand(release, event, now)


def resolve_drift(release: Release, event: DriftResolved, now: datetime) -> Decision | Refused:
    """Somebody else's edit is taken over, undone, or ends the release."""
    if release.drift is None:
        return Refused(ReasonCode.WRONG_PHASE, f"{release.id} sees no foreign change of its route.")
    refused = not_operator(release, event.actor) or stale(release, event.revision)
    if refused:
        return refused
    match event.choice:
        case DriftChoice.STOP:
            decision = moves.roll_back(release, now, f"stopped by {event.actor.name} after a foreign change")
            return replace(decision, reply=f"Rolling back {release.target.service}.")
        case DriftChoice.RESTORE:
            cleared = replace(release, drift=None, overwrites=True)
            again = rewritten(cleared, now, f"our split restored by {event.actor.name}")
            return replace(again, reply="The split of the plan is written again.")
        case DriftChoice.ADOPT:
            return _adopt(release, event, now)
        case _:  # pragma: no cover
            assert_never(event.choice)


def not_operator(release: Release, actor: Actor) -> Refused | None:
    """Why `actor` may not steer this release; None when they may. The profile's approvers are approvers too."""
    named = bool(release.rules.approvers & ({actor.id} | actor.groups))
    if named or actor.roles & OPERATORS:
        return None
    return Refused(ReasonCode.NOT_ALLOWED, "Only releasers, approvers and on-call may do this.")


def stale(release: Release, revision: int | None) -> Refused | None:
    """Why a button of `revision` no longer speaks of this release; None when it does."""
    if revision is None or revision == release.revision:
        return None
    return Refused(
        ReasonCode.STALE_REVISION,
        f"{release.id} has moved on since that button was posted; nothing was changed.",
    )


def _adopt(release: Release, event: DriftResolved, now: datetime) -> Decision | Refused:
    found = release.drift.split if release.drift else None
    if found is None:
        return Refused(ReasonCode.DRIFT, "What stands in the route is no split of the two versions: restore or stop.")
    refused = approvals.not_approver(release, event.actor)
    if refused:
        return refused
    if release.failing():
        return Refused(ReasonCode.GATE_FAILING, "A gate fails: roll back, or restore the split and override.")
    candidate, service = release.target.candidate, release.target.service
    if not found.reaches(candidate):
        return moves.roll_back(release, now, f"{event.actor.name} adopted a split without the candidate")
    ours = release.current.splits[service] if release.current else found
    if found.steering(candidate) is not ours.steering(candidate):
        text = f"The split found steers {candidate} by {found.steering(candidate)}, the plan by another way: "
        return Refused(ReasonCode.DRIFT, f"{text}restore or stop.")
    # Other objects still carry the split that the plan forgets now: it is our past and nobody's edit.
    past = (*release.replaced, *([release.current.splits] if release.current else []))
    adopted = replace(release, plan=_with_split(release, found), drift=None, replaced=past)
    decision = moves.shift(adopted, release.stage, now, f"{event.actor.name} adopted the split found in the route")
    return replace(decision, reply=f"The split found is now the plan: {wanted(decision.release)}.")


def _with_split(release: Release, found: Split) -> Plan:
    service, candidate = release.target.service, release.target.candidate
    stages, n = release.plan.stages, release.stage
    share = found.share(candidate)
    if found.steering(candidate) is not Steering.WEIGHTS:
        here = replace(stages[n], splits={**stages[n].splits, service: found})
        return replace(release.plan, stages=(*stages[:n], here, *stages[n + 1 :]))
    # The present stage comes again when the split found is below it: only the plan's own end gives everything.
    later = tuple(stage for stage in stages[n:] if stage.splits[service].share(candidate) > share)
    gates = stages[n].gates
    if later and release.following is None and n > 0:
        gates = stages[n - 1].gates  # the last stage asks nobody, the one before the last increase may
    here = replace(stages[n], splits={**stages[n].splits, service: found}, gates=gates)
    return replace(release.plan, stages=(*stages[:n], here, *later))
