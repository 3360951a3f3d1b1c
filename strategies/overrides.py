"""Who may begin a release against a guard, and how everybody hears of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from strategies import moves
from strategies.decision import Decision
from strategies.effects import Effect, RefreshCard, Say, Urgency
from strategies.events import GuardOverridden
from strategies.guards import OVERRIDABLE
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Phase, Release, Role, Waiver


def waivers(rules: Sequence[ReasonCode], actor: Actor, reason: str, now: datetime) -> tuple[Waiver, ...] | Refused:
    """One waiver per rule; refused without the override role, without a reason, and for what nobody may override."""
    if not rules:
        return ()
    named = ", ".join(rules)
    if Role.OVERRIDE not in actor.roles:
        return Refused(ReasonCode.NOT_ALLOWED, f"Only people with the override role may override {named}.")
    fixed = [rule for rule in rules if rule not in OVERRIDABLE]
    if fixed:
        text = f"{fixed[0]} cannot be overridden; {', '.join(OVERRIDABLE)} can."
        return Refused(ReasonCode.BAD_INPUT, text)
    if not reason.strip():
        return Refused(ReasonCode.BAD_INPUT, f"Overriding {named} needs a reason, which everybody will read.")
    return tuple(Waiver(rule, actor, reason.strip(), now) for rule in dict.fromkeys(rules))


def told(release: Release, given: Sequence[Waiver]) -> tuple[Effect, ...]:
    """A loud line for each waiver."""
    return tuple(
        Say(
            release.id,
            f"waived:{waiver.rule}",
            f"⚠ {release.id}: {waiver.rule} overridden by {waiver.actor.name}: {waiver.reason}",
            is_broadcast=True,
            urgency=Urgency.DECISION,
        )
        for waiver in given
    )


def override(release: Release, event: GuardOverridden, now: datetime) -> Decision | Refused:
    """The guard is overridden: loudly, and the cluster is checked anew at once."""
    given = waivers((event.rule,), event.actor, event.reason, now)
    if isinstance(given, Refused):
        return given
    if event.rule in release.waived:
        return Refused(ReasonCode.ALREADY_DECIDED, f"{event.rule} of {release.id} is overridden already.")
    waived = replace(release, waivers=(*release.waivers, *given), revision=release.revision + 1)
    why = f"{event.rule} overridden by {event.actor.name}: {given[0].reason}"
    lines = told(release, given)
    if release.phase is Phase.SCHEDULED:
        shown = RefreshCard(release.id, Urgency.DECISION)
        return Decision(waived, (*lines, shown), reply=f"{release.id} will begin at its time.", why=why)
    again = moves.prepare(waived, now, why)
    kept = replace(again.release, entered_at=release.entered_at)
    return replace(again, release=kept, effects=(*lines, *again.effects), reply=f"{release.id} goes on without it.")
