"""What may differ between a story with kills in it and the same one undisturbed, and what may not."""

from collections.abc import Iterator
from dataclasses import replace

from strategies.events import BaselineAwaited, CapacityLacked, LookTaken, WakeReached
from strategies.reasons import ReasonCode
from strategies.release import SLUICE, Phase, Release
from tests.crash.lives import Ending
from tests.crash.slack import plain
from tests.crash.world import START

EVIDENCE = "evidence and time"
# A person who saw no answer asked again, and the first request had been taken.
ASKED_AGAIN = frozenset(
    {ReasonCode.STALE_REVISION, ReasonCode.ALREADY_DECIDED, ReasonCode.ALREADY_RELEASING, ReasonCode.WRONG_PHASE}
)


def differences(calm: Ending, shaken: Ending, repeats: int) -> Iterator[str]:
    """One sentence per difference that must not be; `repeats` messages may stand there twice."""
    if settled(shaken.release) != settled(calm.release):
        yield f"the release ended as {settled(shaken.release)}, not as {settled(calm.release)}"
    if decisions(shaken) != decisions(calm):
        yield f"the journal tells {decisions(shaken)}, not {decisions(calm)}"
    strange = [entry for entry in shaken.journal if entry.reason_code and entry.reason_code not in ASKED_AGAIN]
    if strange:
        yield f"refused: {strange}"
    if shaken.pending or shaken.failed or shaken.others:
        yield f"left over: {shaken.pending}, given up: {shaken.failed}, releases too many: {shaken.others}"
    if shaken.world.shares != calm.world.shares:
        yield f"the mesh was moved {shaken.world.shares}, not {calm.world.shares}"
    if shaken.world.objects() != calm.world.objects():
        yield f"the mesh ended as {shaken.world.objects()}, not as {calm.world.objects()}"
    yield from _messages(calm, shaken, repeats)


def settled(release: Release) -> Release:
    """A release without the times at which things happened, and what looks and history happened to see."""
    return replace(
        release,
        created_at=START,
        entered_at=START,
        stage_began_at=START,
        written_at=START if release.written_at else None,
        proven_at=START if release.proven_at else None,
        last_look_at=START,
        hold_until=None,
        soak_until=None,
        asked_at=None,
        memory="",
        history="",
        preflight="",
        verdicts=(),
        note=plain(release.note),
        approvals=tuple(replace(approval, at=START) for approval in release.approvals),
    )


def decisions(ending: Ending) -> list[tuple[object, ...]]:
    """What was decided, in order, by whom; looks and wakes only where they moved the release."""
    return _harm_at_once(
        [
            (
                _cause(entry.event),
                entry.actor_id,
                entry.phase_before,
                entry.phase_after,
                entry.revision,
                plain(entry.text),
            )
            for entry in ending.journal
            if entry.reason_code is None
            and (
                entry.event not in _QUIET or entry.phase_before is not entry.phase_after or entry.actor_id != SLUICE.id
            )
        ]
    )


def _harm_at_once(told: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Harm may be seen before the split is: the step between, which only says that it was seen, is left out."""
    steps: list[tuple[object, ...]] = []
    for step in told:
        seen = steps[-1] if steps else ()
        if step[0] == EVIDENCE and step[2:4] == (Phase.OBSERVING, Phase.ROLLING_BACK) and seen[0] == EVIDENCE:
            steps[-1] = (*step[:2], seen[2], *step[3:])
        else:
            steps.append(step)
    return steps


def _cause(event: str) -> str:
    # Whether a passed gate or a hold that ended came last depends on when the bot was there to see it.
    return EVIDENCE if event in _QUIET else event


def _messages(calm: Ending, shaken: Ending, repeats: int) -> Iterator[str]:
    before, after = calm.world.slack.counts(), shaken.world.slack.counts()
    lost = before - after
    if 0 < lost["picture"] < shaken.deaths:
        # A job that died in two hands is late: the release went on, and its message is pictured as it stands then.
        del lost["picture"]
    if lost:
        yield f"lost: {dict(lost)}"
    extra = after - before
    if extra.total() > repeats or extra.keys() - before.keys():
        yield f"posted too often: {dict(extra)}, allowed {repeats}"
    for kind, message in calm.messages.items():
        mine = shaken.messages.get(kind)
        if mine is None:
            yield f"{kind} is not remembered"
        elif shaken.world.slack.shown(mine.ts) != calm.world.slack.shown(message.ts):
            yield f"{kind} shows {shaken.world.slack.shown(mine.ts)}, not {calm.world.slack.shown(message.ts)}"


_QUIET = frozenset({each.__name__ for each in (LookTaken, WakeReached, CapacityLacked, BaselineAwaited)})
