"""What a fact from outside does to a release."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from strategies import approvals, capacity, moves, reminders, retirement, smoke, timers
from strategies.amount import wanted
from strategies.decision import Decision, ignored
from strategies.effects import (
    AskSmoke,
    Audience,
    CallOnCall,
    Effect,
    PostStage,
    Prepare,
    RefreshCard,
    Say,
    SetCapacity,
    Urgency,
)
from strategies.events import (
    DriftFound,
    EffectFailed,
    HistoryRead,
    LookTaken,
    PreparationBlocked,
    Prepared,
    RouteConfirmed,
    SmokeAnswered,
    WakeReached,
)
from strategies.guards import OVERRIDABLE
from strategies.reasons import ReasonCode
from strategies.release import AtDeadline, NoAnswer, OnHarm, Phase, Release
from strategies.verdicts import Outcome, Verdict

GUARD_AGAIN = timedelta(seconds=30)  # at least: what a guard asks about changes slowly, and some of it is others'
LATE_START = timedelta(minutes=15)
SKEW = timedelta(minutes=1)  # by which the clocks of two replicas may differ
SPLIT = "split"


def prepared(release: Release, event: Prepared, now: datetime) -> Decision:
    """The first split may be written."""
    ready = replace(release, originals=dict(event.originals), sizes=dict(event.sizes))
    begun = moves.shift(ready, 0, now, "the cluster is ready")
    held = (SetCapacity(release.id),) if release.rules.scale else ()
    return replace(begun, effects=(*begun.effects, *held))


def blocked(release: Release, event: PreparationBlocked, now: datetime) -> Decision:
    """What waiting cures is tried again; anything else ends the release before it began."""
    if event.is_final:
        return moves.roll_back(release, now, event.text, Audience.REQUESTER_AND_ON_CALL)
    if release.retry_at is not None:
        return ignored(release)
    if event.reason_code in OVERRIDABLE or event.reason_code is ReasonCode.UNREACHABLE:
        return _guarded(release, event, now)
    changed = release.note != event.text
    waiting = replace(release, note=event.text, retry_at=timers.pods_again(release, now))
    effects: tuple[Effect, ...] = (RefreshCard(release.id, Urgency.STAGE),) if changed else ()
    if not release.reminded and now >= release.entered_at + release.rules.deadline:
        # It goes on trying, but it holds the route: somebody has to know.
        text = f"{release.id} cannot begin: {event.text} It is tried again; roll back to call it off."
        told = Say(release.id, f"blocked:{release.revision}", text, audience=Audience.REQUESTER_AND_ON_CALL)
        return Decision(replace(waiting, reminded=True), (*effects, told), why=text)
    return Decision(waiting, effects, why=event.text, is_notable=changed)


def history_read(release: Release, event: HistoryRead) -> Decision:
    """What was known before goes to the judge with the next look, and to the people with the card."""
    if release.history:
        return ignored(release)
    known = replace(release, history=event.history, preflight=event.preflight)
    # It decides nothing, and comes when it comes: the journal of a release does not depend on it.
    return Decision(known, (RefreshCard(release.id, Urgency.STAGE),), why=event.preflight, is_notable=False)


def _guarded(release: Release, event: PreparationBlocked, now: datetime) -> Decision:
    """A guard does not hold: the card says why, and people are told once how to go on."""
    code, changed = event.reason_code, release.note != event.text
    waiting = replace(release, note=event.text, retry_at=timers.again(release, now, GUARD_AGAIN), blocked_by=code)
    shown: tuple[Effect, ...] = (RefreshCard(release.id, Urgency.STAGE),) if changed else ()
    # Figures in the sentence change with every look outside; the reason is what people have to know.
    if code is release.blocked_by:
        return Decision(waiting, shown, is_notable=False)
    rule = code if code in OVERRIDABLE else ReasonCode.NOT_STAGED
    line = Say(
        release.id,
        f"guard:{release.revision}:{code}",
        f"{release.id} does not begin yet ({code}): {event.text} It is asked again in "
        f"{GUARD_AGAIN.total_seconds():.0f} s, and less often the longer it waits. To begin all the same: "
        f"/release override {release.id} {rule} <reason>; to call it off: /release rollback {release.id}",
        audience=Audience.REQUESTER,
        urgency=Urgency.DECISION,
    )
    return Decision(waiting, (*shown, line), why=f"{code}: {event.text}")


def confirmed(release: Release, event: RouteConfirmed, now: datetime) -> Decision:
    """One object carries the wanted split; the last one completes the write."""
    if event.revision < release.split_revision or event.object not in release.objects:
        return ignored(release)
    done = release.confirmed | {event.object}
    if done == release.confirmed:
        return ignored(release)
    if event.is_gone:
        release = replace(release, gone=release.gone | {event.object})
    if not done >= set(release.objects):
        return Decision(
            replace(release, confirmed=done), why=f"{event.object} {'is gone' if event.is_gone else 'is written'}"
        )
    if release.is_going_back:
        return moves.rolled_back(release, now, done)
    written = replace(release, confirmed=done, written=release.stage, written_at=now, overwrites=False, replaced=())
    # The message of the stage before says "applying" until now.
    left = (PostStage(release.id, release.stage - 1, Urgency.STAGE),) if release.stage > 0 else ()
    if release.phase is Phase.SHIFTING:
        if release.is_leaving:
            over = moves.complete(written, now, "what was added for the shadow is gone")
            return replace(over, effects=(*left, *over.effects))
        if release.asks_first:
            first = moves.ask(written, now, f"nothing moves before approvers say yes to {release.target.candidate}")
            return replace(first, effects=(*left, *first.effects))
        # What the looks said until now, they said of the split before.
        note = f"{wanted(release)} is written, not seen in traffic yet"
        written = replace(written, note=note, verdicts=())
    asked = (AskSmoke(release.id, release.stage),) if smoke.decides(written) and release.smoke is None else ()
    shown = (*left, RefreshCard(release.id, Urgency.STAGE), *asked)
    return Decision(written, shown, why="the split is written and read back")


def smoked(release: Release, event: SmokeAnswered, now: datetime) -> Decision:
    """The smoke test's answer decides its stage: no is harm, yes is what the stage has waited for."""
    if event.stage != release.stage or event.revision < release.split_revision or release.smoke is not None:
        return ignored(release)
    told = replace(release, smoke=smoke.verdict(event), revision=release.revision + (not event.is_passed))
    seen = replace(told, verdicts=smoke.with_smoke(told, release.verdicts))
    harm = _harm(seen)
    if harm:
        return _on_harm(seen, now, harm, is_new=not _harm(release))
    return _progress(seen, now) or Decision(seen, (RefreshCard(release.id, Urgency.STAGE),), why=event.text)


def drifted(release: Release, event: DriftFound, now: datetime) -> Decision:
    """Somebody changed our fields: stop, show, ask."""
    is_old = event.revision is not None and event.revision < release.split_revision
    if release.drift is not None or release.stage < 0 or is_old:
        return ignored(release)
    why = f"{event.drift.by} changed {event.drift.object}"
    stopped = moves.pause(replace(release, drift=event.drift), now, why)
    line = Say(
        release.id,
        f"drift:{stopped.release.revision}",
        f"{why}:\n{event.drift.difference}",
        audience=Audience.REQUESTER_AND_ON_CALL,
        urgency=Urgency.DECISION,
    )
    return replace(stopped, effects=(*stopped.effects, line))


def looked(release: Release, event: LookTaken, now: datetime) -> Decision:
    """Take the verdicts of a look: harm goes back, a complete pass goes on, anything else waits."""
    if _is_old(release, event, now):
        return ignored(release)
    seen = _with_look(release, event)
    turned = bool(seen.failing()) != bool(release.failing())
    if turned:
        seen = replace(seen, revision=seen.revision + 1)
    harm = _harm(seen)
    if harm:
        return _on_harm(seen, now, harm, is_new=not _harm(release))
    decision = _progress(seen, now)
    if decision is not None:
        return decision
    changed = turned or _outcomes(seen.verdicts) != _outcomes(release.verdicts)
    effects: tuple[Effect, ...] = (RefreshCard(release.id, Urgency.STAGE),) if changed else ()
    if turned:
        # The buttons of the stage speak of a revision that has passed.
        effects = (*effects, PostStage(release.id, release.stage))
    why = "; ".join(f"{verdict.gate} {verdict.outcome}" for verdict in seen.verdicts) if changed else ""
    return Decision(seen, effects, why=why, is_notable=changed)


def woken(release: Release, event: WakeReached, now: datetime) -> Decision:
    """Do what is due in this phase; a twin of an earlier wake does nothing."""
    if release.wake_at is None or event.due != release.wake_at or now < event.due:
        return ignored(release)
    match release.phase:
        case Phase.SCHEDULED:
            return _begin_on_time(release, now)
        case Phase.PREPARING:
            return _prepare_again(release)
        case Phase.SOAKING:
            return moves.retire(release, now, "the soak is over")
        case Phase.SHIFTING if capacity.is_due(release, now):
            return capacity.again(release, now)
        case Phase.DECOMMISSIONING:
            return retirement.woken(release, now)
        case Phase.ROLLING_BACK | Phase.STUCK | Phase.PAUSED:
            return reminders.said(release, now)
        case Phase.SHIFTING | Phase.OBSERVING:
            return _progress(release, now) or _at_deadline(release, now)
        case Phase.AWAITING_APPROVAL:
            return _progress(release, now) or _unanswered(release, now)
        case _:  # pragma: no cover - the table lets no wake into another phase
            return ignored(release)


def cluster_changed(release: Release, now: datetime) -> Decision:
    """What the release waits for is looked for at once, unless it is being looked for already."""
    if release.retry_at is None:
        return ignored(release)
    return _prepare_again(release) if release.phase is Phase.PREPARING else capacity.again(release, now)


def failed(release: Release, event: EffectFailed, now: datetime) -> Decision:
    """An effect cannot be done: stop loudly. A rollback stays wanted and its write goes on."""
    text = f"{release.id} is stuck: {event.text}"
    stuck = replace(
        release,
        phase=Phase.STUCK,
        entered_at=now,
        resume_to=Phase.ROLLING_BACK if release.is_going_back else release.resume_to or release.phase,
        revision=release.revision + 1,
        called_at=now,
        note=event.text,
        standing=None,
    )
    call = CallOnCall(release.id, f"stuck:{stuck.revision}", text)
    stage = (PostStage(release.id, release.stage, Urgency.ROLLBACK),) if release.stage >= 0 else ()
    return Decision(stuck, (call, *stage, RefreshCard(release.id, Urgency.ROLLBACK)), why=text)


def _prepare_again(release: Release) -> Decision:
    return Decision(replace(release, retry_at=None), (Prepare(release.id),), is_notable=False)


def _begin_on_time(release: Release, now: datetime) -> Decision:
    if release.starts_at is None or now - release.starts_at <= LATE_START:
        return moves.prepare(release, now, "its time has come")
    # Nobody may be awake any more who wanted it then: a missed start is asked about, never caught up.
    missed = moves.pause(replace(release, starts_at=None), now, "its start was missed while nobody was there to begin")
    line = Say(
        release.id,
        f"missed:{missed.release.revision}",
        f"{release.id} missed its start; resume it to begin now, or roll it back to call it off.",
        audience=Audience.REQUESTER_AND_ON_CALL,
    )
    return replace(missed, effects=(*missed.effects, line))


def _is_old(release: Release, event: LookTaken, now: datetime) -> bool:
    if release.current is None or event.stage != release.in_force or release.is_going_back:
        return True
    # What was noted later than now was noted by a clock that was set back since, and makes no look an old one.
    latest = now + SKEW
    if release.stage_began_at is not None and event.at < release.stage_began_at <= latest:
        return True
    return release.last_look_at is not None and event.at <= release.last_look_at <= latest


def _with_look(release: Release, event: LookTaken) -> Release:
    unready = release.unready_looks
    if event.candidate_ready is not None:
        unready = unready + 1 if event.candidate_ready == 0 else 0
    return replace(
        release,
        verdicts=smoke.with_smoke(release, event.verdicts),
        memory=event.memory,
        last_look_at=event.at,
        unready_looks=unready,
        baseline_ready=event.baseline_ready,
    )


def _harm(release: Release) -> str:
    if release.failing():
        return "; ".join(verdict.reason for verdict in release.failing())
    split = release.wanted(release.target.service)
    # Copies hurt nobody: a shadow without a pod only has nothing to say.
    if split is not None and split.serves(release.target.candidate) and release.unready_looks >= 2:
        gets = "has a share of the traffic" if split.share(release.target.candidate) else "gets requests"
        return f"{release.target.candidate} {gets} and has no ready pod in 2 looks running."
    return ""


def _on_harm(release: Release, now: datetime, harm: str, *, is_new: bool) -> Decision:
    safe = replace(release, standing=None)
    if release.rules.on_harm is OnHarm.ROLL_BACK:
        return moves.roll_back(safe, now, harm, Audience.REQUESTER_AND_ON_CALL)
    if release.phase is Phase.PAUSED and not is_new:
        return Decision(safe, is_notable=False)
    stopped = moves.pause(safe, now, harm)
    line = Say(
        release.id,
        f"harm:{stopped.release.revision}",
        f"{release.id} is paused: {harm}",
        audience=Audience.REQUESTER_AND_ON_CALL,
        is_broadcast=True,
        urgency=Urgency.DECISION,
    )
    return replace(stopped, effects=(*stopped.effects, line))


def _progress(release: Release, now: datetime) -> Decision | None:
    """The move that the evidence allows now, None when there is none."""
    due = release.not_before is None or now >= release.not_before
    match release.phase:
        case Phase.SHIFTING if release.is_confirmed and (
            smoke.decides(release) or _has_passed(release.verdicts, SPLIT)
        ):
            return moves.observe(release, now)
        case Phase.OBSERVING if due and moves.passes(release, now):
            return _standing(release, now) or moves.advance(release, now, "every gate passes")
        case Phase.AWAITING_APPROVAL if due:
            return _standing(release, now)
        case _:
            return None


def _standing(release: Release, now: datetime) -> Decision | None:
    standing = release.standing
    if standing is None or now < standing.opens or not approvals.standing_is_complete(release):
        return None
    if now >= standing.closes:
        decision = moves.ask(
            replace(release, standing=None, not_before=None),
            now,
            "the window was missed; nothing was caught up",
        )
        line = Say(
            release.id,
            f"missed:{decision.release.revision}",
            f"{release.id}: the window of the standing approval closed before every gate passed.",
            audience=Audience.APPROVERS,
        )
        return replace(decision, effects=(*decision.effects, line))
    if not moves.passes(release, now):
        return None
    why = f"approved in advance by {standing.actor.name}"
    if release.following is None:
        return moves.soak(release, now, why)
    return moves.shift(release, release.stage + 1, now, why)


def _at_deadline(release: Release, now: datetime) -> Decision:
    due = timers.deadline(release)
    if due is None or now < due:
        return Decision(release, is_notable=False)
    lacking = moves.missing(release, now) or "not every gate passes"
    match release.rules.at_deadline:
        case AtDeadline.ROLL_BACK:
            return moves.roll_back(release, now, f"the deadline has passed: {lacking}", Audience.REQUESTER_AND_ON_CALL)
        case AtDeadline.HOLD:
            held = replace(release, note=f"held at the deadline: {lacking}")
            return Decision(held, (RefreshCard(release.id, Urgency.STAGE),), why=held.note)
        case AtDeadline.ASK:
            return moves.ask(release, now, f"the deadline has passed: {lacking}")
        case _:  # pragma: no cover
            assert_never(release.rules.at_deadline)


def _unanswered(release: Release, now: datetime) -> Decision:
    if release.standing is not None and now >= release.standing.closes:
        # Its quorum was never complete, so nobody was promised anything: the question itself goes on waiting.
        release = replace(release, standing=None)
    end = timers.no_answer(release)
    if end is not None and now >= end:
        if release.rules.no_answer_then is NoAnswer.ROLL_BACK:
            return moves.roll_back(release, now, "nobody answered in time", Audience.REQUESTER_AND_ON_CALL)
        held = replace(release, note="nobody has answered; holding")
        return Decision(held, (RefreshCard(release.id, Urgency.STAGE),), why=held.note)
    half = timers.reminder(release)
    if half is not None and now >= half:
        line = Say(
            release.id,
            f"reminder:{release.revision}",
            f"{release.id} still waits for approval: {release.note}.",
            audience=Audience.ON_CALL,
        )
        return Decision(replace(release, reminded=True), (line,), why="reminded")
    return Decision(release, is_notable=False)


def _outcomes(verdicts: tuple[Verdict, ...]) -> Mapping[str, Outcome]:
    return {verdict.gate: verdict.outcome for verdict in verdicts}


def _has_passed(verdicts: tuple[Verdict, ...], gate: str) -> bool:
    return any(verdict.gate == gate and verdict.outcome is Outcome.PASS for verdict in verdicts)
