"""The moves a release can make; who may ask for one, and when, is decided elsewhere."""

from dataclasses import replace
from datetime import datetime, timedelta

from strategies.amount import wanted
from strategies.decision import Decision
from strategies.effects import (
    Audience,
    CallOnCall,
    Effect,
    PostStage,
    Prepare,
    ReadHistory,
    RefreshCard,
    RetireBaseline,
    Say,
    SetCapacity,
    SetRoute,
    Urgency,
)
from strategies.release import Decommission, Phase, Release
from strategies.verdicts import Outcome

FRESH_LOOKS = 3  # looks that may be missed before the last one is too old to promote on
SHORTEST_PATIENCE = timedelta(seconds=30)


def prepare(release: Release, now: datetime, why: str) -> Decision:
    """Check the cluster before the first split."""
    moved = replace(
        release,
        phase=Phase.PREPARING,
        entered_at=now,
        starts_at=None,
        resume_to=None,
        retry_at=None,
        reminded=False,
        note="checking the cluster",
    )
    # Read beside the preparation, which does not wait for it.
    read = () if release.history else (ReadHistory(release.id),)
    return Decision(moved, (Prepare(release.id), *read, RefreshCard(release.id, Urgency.STAGE)), why=why)


def shift(release: Release, stage: int, now: datetime, why: str) -> Decision:
    """Ask the mesh for the split of `stage`."""
    moved = replace(
        release,
        phase=Phase.SHIFTING,
        entered_at=now,
        stage=stage,
        stage_began_at=now,
        revision=release.revision + 1,
        split_revision=release.revision + 1,
        confirmed=frozenset(),
        verdicts=(),
        smoke=None,
        unready_looks=0,
        hold_until=None,
        hold_left=None,
        retry_at=None,
        not_before=None,
        asked_at=None,
        reminded=False,
        resume_to=None,
    )
    moved = replace(moved, note=_sending(moved))
    left = (PostStage(release.id, release.stage, Urgency.DECISION),) if release.stage >= 0 else ()
    return Decision(moved, (*writes(moved), *left, RefreshCard(release.id, Urgency.STAGE)), why=why)


def observe(release: Release, now: datetime) -> Decision:
    """The split is seen in traffic: the hold begins, or goes on with what was left of it."""
    stage = release.current
    hold = release.hold_left if release.hold_left is not None else stage.hold if stage else timedelta(0)
    moved = replace(
        release,
        phase=Phase.OBSERVING,
        entered_at=now,
        hold_until=now + hold,
        hold_left=None,
        resume_to=None,
        note=_seen(release),
    )
    return Decision(moved, (RefreshCard(release.id, Urgency.STAGE),), why=moved.note)


def advance(release: Release, now: datetime, why: str) -> Decision:
    """Every gate of the stage passed: the next stage, the question before it, or the soak after the last."""
    stage = release.current
    if release.following is None or stage is None:
        return soak(release, now, why)
    if stage.approval is not None:
        return ask(release, now, f"{why}; waiting for approval")
    decision = shift(release, release.stage + 1, now, why)
    snapshot = PostStage(release.id, release.stage, Urgency.STAGE)
    return replace(decision, effects=(*decision.effects, snapshot))


def ask(release: Release, now: datetime, note: str) -> Decision:
    """Put the question to the approvers."""
    moved = replace(
        release,
        phase=Phase.AWAITING_APPROVAL,
        entered_at=now,
        asked_at=now,
        reminded=False,
        revision=release.revision + 1,
        resume_to=None,
        note=note,
    )
    effects: tuple[Effect, ...] = (
        PostStage(release.id, release.stage, Urgency.DECISION),
        RefreshCard(release.id, Urgency.DECISION),
    )
    return Decision(moved, effects, why=note)


def soak(release: Release, now: datetime, why: str) -> Decision:
    """The candidate has everything; the baseline stays warm for the profile's time."""
    if release.rules.soak <= timedelta(0):
        return retire(release, now, why)
    moved = replace(
        release,
        phase=Phase.SOAKING,
        entered_at=now,
        soak_until=now + release.rules.soak,
        revision=release.revision + 1,
        resume_to=None,
        hold_until=None,
        hold_left=None,
        note=f"{release.target.candidate} serves everything, {release.target.baseline} is kept warm",
    )
    return Decision(
        moved,
        (PostStage(release.id, release.stage), RefreshCard(release.id, Urgency.STAGE)),
        why=why,
    )


def retire(release: Release, now: datetime, why: str) -> Decision:
    """The soak is over: the baseline stays, or is proven idle and removed as the profile says."""
    if release.rules.decommission is Decommission.KEEP:
        return complete(release, now, why)
    moved = replace(
        release,
        phase=Phase.DECOMMISSIONING,
        entered_at=now,
        revision=release.revision + 1,
        resume_to=None,
        soak_until=None,
        asked_at=None,
        retry_at=None,
        reminded=False,
        may_retire=False,
        is_retiring=False,
        note=f"proving that nothing calls {release.target.baseline}",
    )
    return Decision(moved, (RetireBaseline(release.id), RefreshCard(release.id, Urgency.STAGE)), why=why)


def complete(release: Release, now: datetime, why: str) -> Decision:
    """Nothing is left to do: the candidate has everything, or (a shadow) the baseline never lost anything."""
    target = release.target
    serving = f"{target.candidate} serves all requests" + (" of the routes that moved" if target.elsewhere else "")
    if release.is_leaving:
        serving = f"the shadow of {target.candidate} is over, {target.baseline} serves all requests as before"
        if release.gone:
            serving = f"the shadow of {target.candidate} is over. {_lost(release, 'Its end')}".removesuffix(".")
    moved = replace(
        release,
        phase=Phase.COMPLETED,
        entered_at=now,
        revision=release.revision + 1,
        soak_until=None,
        hold_until=None,
        asked_at=None,
        retry_at=None,
        resume_to=None,
        note=serving,
    )
    text = f"{release.id} is complete: {moved.note}."
    line: Effect = Say(release.id, f"completed:{moved.revision}", text)
    if release.is_leaving and release.gone:
        line = CallOnCall(release.id, f"gone:{moved.revision}", text)
    stage = (PostStage(release.id, release.stage),) if release.stage >= 0 else ()
    return Decision(moved, (*stage, line, RefreshCard(release.id, Urgency.STAGE), *_freed(moved)), why=why)


def pause(release: Release, now: datetime, why: str) -> Decision:
    """Wait for a person; the split stays, looks go on, the clocks of hold and soak stop."""
    clock = release.soak_until if release.phase is Phase.SOAKING else release.hold_until
    left = max(clock - now, timedelta(0)) if clock else release.hold_left
    moved = replace(
        release,
        phase=Phase.PAUSED,
        entered_at=now,
        resume_to=release.resume_to if release.phase in {Phase.PAUSED, Phase.STUCK} else release.phase,
        hold_until=None,
        hold_left=left,
        revision=release.revision + 1,
        standing=None,
        reminded=False,
        note=why,
    )
    return Decision(moved, _decided(moved), why=why)


def roll_back(release: Release, now: datetime, why: str, audience: Audience = Audience.NOBODY) -> Decision:
    """All traffic to the baseline's original fields, before anything else that is queued."""
    if Phase.SCHEDULED in {release.phase, release.resume_to}:
        return call_off(release, now, why)
    moved = replace(
        release,
        phase=Phase.ROLLING_BACK,
        entered_at=now,
        revision=release.revision + 1,
        split_revision=release.revision + 1,
        confirmed=frozenset(),
        standing=None,
        drift=None,
        resume_to=None,
        hold_until=None,
        hold_left=None,
        soak_until=None,
        asked_at=None,
        not_before=None,
        retry_at=None,
        called_at=None,
        is_retiring=False,
        overwrites=True,
        note=why,
    )
    line = Say(
        release.id,
        f"rolling_back:{moved.revision}",
        f"Rolling back {release.target.service} to {release.target.baseline}: {why}",
        audience=audience,
        is_broadcast=True,
        urgency=Urgency.ROLLBACK,
    )
    effects: tuple[Effect, ...] = (*writes(moved), line, *_decided(moved))
    return Decision(moved, effects, why=why)


def rolled_back(release: Release, now: datetime, confirmed: frozenset[str]) -> Decision:
    """The original fields were read back everywhere."""
    moved = replace(
        release,
        phase=Phase.ROLLED_BACK,
        entered_at=now,
        revision=release.revision + 1,
        confirmed=confirmed,
        written=-1,
        overwrites=False,
        replaced=(),
        is_cold=False,
        waits_for="",
        kept={},
        resume_to=None,
    )
    if release.gone:
        return _back_without(moved)
    target, stage = release.target, release.current
    text = f"{target.baseline} serves all requests of {target.service} again."
    if stage is not None and not stage.splits[target.service].reaches(target.candidate):
        text = f"{target.candidate} got nothing; {target.baseline} served everybody throughout."
    elif stage is not None and not stage.splits[target.service].serves(target.candidate):
        text = f"{target.candidate} gets no copies any more; {target.baseline} served everybody throughout."
    line = Say(release.id, f"rolled_back:{moved.revision}", text, urgency=Urgency.ROLLBACK)
    return Decision(moved, (line, *_decided(moved), *_freed(moved)), why=text)


def _back_without(release: Release) -> Decision:
    """Nothing of ours is left in what was deleted, and nobody can say that the baseline serves again."""
    text = _lost(release, f"The rollback of {release.target.service}")
    moved = replace(release, note=text)
    call = CallOnCall(release.id, f"gone:{release.revision}", text)
    return Decision(moved, (call, *_decided(moved), *_freed(moved)), why=text)


def _lost(release: Release, what: str) -> str:
    target, names = release.target, ", ".join(sorted(release.gone))
    return (
        f"{what} found no VirtualService {names}: somebody deleted it. Nothing of the split is left, but without it "
        f"Istio sends requests to every ready pod of {target.service}, those of {target.candidate} among them. Bring "
        f"it back from where it is kept, or scale {target.candidate} down."
    )


def writes(release: Release) -> tuple[SetRoute, ...]:
    """One write per VirtualService; a rollback overtakes."""
    urgency = Urgency.ROLLBACK if release.is_going_back else Urgency.STAGE
    return tuple(SetRoute(release.id, name, urgency) for name in release.objects)


def passes(release: Release, now: datetime) -> bool:
    """True when the split is written, the hold is over, the candidate is ready and every fresh verdict passes."""
    if not release.is_confirmed or release.unready_looks or is_stale(release, now):
        return False
    if release.asks_first:
        return True
    if release.hold_until and now < release.hold_until:
        return False
    return bool(release.verdicts) and all(verdict.outcome is Outcome.PASS for verdict in release.verdicts)


def is_stale(release: Release, now: datetime) -> bool:
    """True when the last look is too old to say anything of now, as after a standstill of the bot."""
    patience = max(FRESH_LOOKS * release.rules.look, SHORTEST_PATIENCE)
    return release.last_look_at is not None and now - release.last_look_at > patience


def missing(release: Release, now: datetime) -> str:
    """What an approval now would go without, as one sentence part; empty when nothing is missing."""
    if release.asks_first:
        return ""
    parts = [f"{verdict.gate}: {verdict.missing or verdict.reason}" for verdict in release.waiting()]
    if not release.verdicts:
        parts.append("no look has been taken at this stage")
    elif is_stale(release, now) and release.last_look_at:
        parts.append(f"the last look is {int((now - release.last_look_at).total_seconds())} s old")
    if release.unready_looks:
        parts.append(f"{release.target.candidate} has no ready pod")
    if release.phase is Phase.SHIFTING:
        parts.append("the split has not been seen in traffic")
    if release.hold_until and now < release.hold_until:
        left = int((release.hold_until - now).total_seconds())
        parts.append(f"the hold has {left // 60} min {left % 60} s left")
    return "; ".join(parts)


def _seen(release: Release) -> str:
    if release.current is not None and release.current.smoke is not None and release.smoke is None:
        return f"waiting for the smoke test of {release.target.candidate}"
    return f"{wanted(release)} seen in traffic at {release.target.candidate}"


def _sending(release: Release) -> str:
    if release.is_leaving:
        return f"taking away what mirrors requests to {release.target.candidate}"
    if release.asks_first:
        return f"nothing moves yet; approvers are asked before {release.target.candidate} gets anything"
    return f"sending {wanted(release)} to {release.target.candidate}"


def _freed(release: Release) -> tuple[Effect, ...]:
    return (SetCapacity(release.id),) if release.rules.scale else ()


def _decided(release: Release) -> tuple[Effect, ...]:
    urgency = Urgency.ROLLBACK if release.is_going_back else Urgency.DECISION
    stage = (PostStage(release.id, release.stage, urgency),) if release.stage >= 0 else ()
    return (RefreshCard(release.id, urgency), *stage)


def call_off(release: Release, now: datetime, why: str) -> Decision:
    """End a release before its first split: no route was written, what was added beside the routes goes after it."""
    moved = replace(
        release,
        phase=Phase.ROLLED_BACK,
        entered_at=now,
        revision=release.revision + 1,
        starts_at=None,
        retry_at=None,
        resume_to=None,
        note=why,
    )
    text = f"{release.id} was called off before any traffic moved: {why}"
    line = Say(release.id, f"called_off:{moved.revision}", text)
    # While it only waited for its time, nothing was added; a preparation may have added the candidate's subset.
    added = () if Phase.SCHEDULED in {release.phase, release.resume_to} else writes(moved)
    return Decision(moved, (*added, line, RefreshCard(release.id, Urgency.DECISION)), why=why)
