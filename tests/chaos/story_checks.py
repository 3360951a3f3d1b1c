"""What the database tells of each release, held to what people did, to Slack, and to the end that each must come to."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.elements import interactive
from strategies.release import Phase, Release
from tests.chaos.shop import APPROVER_IDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.journal import Entry
    from tests.chaos.ledger import Ledger
    from tests.chaos.world import World

Document = dict[str, Any]
WORDS = {
    Phase.COMPLETED: ("complete",),
    Phase.ROLLED_BACK: ("rolled back", "called off"),
    Phase.PAUSED: ("paused", "changed by hand"),
    Phase.STUCK: ("stuck",),
    Phase.AWAITING_APPROVAL: ("needs approval", "decide"),
    Phase.SCHEDULED: ("scheduled",),
    Phase.SOAKING: ("soaking",),
    Phase.OBSERVING: ("holding", "gathering", "checking"),
    Phase.SHIFTING: ("applying", "waiting to see"),
    Phase.PREPARING: ("preparing",),
    Phase.DECOMMISSIONING: ("retiring",),
    Phase.ROLLING_BACK: ("rolling back",),
}


def told(release: Release, entries: list[Entry], ledger: Ledger) -> Iterator[str]:
    """What the journal of one release must tell."""
    keys = Counter(each.key for each in entries)
    yield from (f"{release.id}: {key} was taken {count} times" for key, count in keys.items() if count > 1)
    taken = [each for each in entries if each.reason_code is None]
    for one, other in itertools.pairwise(taken):
        if other.phase_before is not one.phase_after:
            told = f"{other.event} began in {other.phase_before}, {one.event} had ended in {one.phase_after}"
            yield f"{release.id}: {told}"
    for entry in taken:
        if entry.event == "ApprovalGiven":
            yield from _permitted(release, entry)
    yes = Counter((each.actor.id, each.revision) for each in release.approvals)
    yield from (f"{release.id}: {who} said yes {count} times" for who, count in yes.items() if count > 1)
    for approval in release.approvals:
        if not _was_asked(release, approval.actor.id, approval.revision, ledger):
            yield f"{release.id}: a yes of {approval.actor.name} to revision {approval.revision} that nobody gave"


def _permitted(release: Release, entry: Entry) -> Iterator[str]:
    if entry.actor_id not in APPROVER_IDS:
        yield f"{release.id}: {entry.actor_name} approved and may not"
    if entry.actor_id == release.requester.id:
        yield f"{release.id}: {entry.actor_name} approved their own release"


def _was_asked(release: Release, who: str, revision: int, ledger: Ledger) -> bool:
    name = who.removeprefix("U0").lower()
    for act in ledger.acts:
        if act.user != name:
            continue
        if act.what == "command" and f" {release.id}" in act.value and act.value.split()[1] in {"approve", "override"}:
            return True
        if (
            act.what == "release_approve"
            and (value := json.loads(act.value))["r"] == release.id
            and value["v"] == revision
        ):
            return True
    return False


def unsettled(world: World, release: Release) -> str:
    """Why a release is not where it may rest; empty when it is."""
    match release.phase:
        case Phase.COMPLETED | Phase.ROLLED_BACK | Phase.PAUSED:
            return ""
        case Phase.STUCK if release.note:
            return ""
        case Phase.AWAITING_APPROVAL:
            return "" if _stands(world, release) else "its question does not stand in Slack"
        case Phase.DECOMMISSIONING if release.asked_at is not None and _stands(world, release):
            return ""
        case Phase.PREPARING if release.blocked_by is not None and release.note:
            # A guard that people were told of, and may override.
            return ""
        case Phase.OBSERVING if release.note.startswith("held at the deadline"):
            return ""
        case _:
            return f"it is {release.phase}: {release.note}"


def _stands(world: World, release: Release) -> bool:
    for message in messages(world, release):
        for block, element in interactive(message["blocks"]):
            if element.get("action_id") == "release_approve" and block.endswith(f":{release.revision}"):
                return True
    return False


def shown(world: World, release: Release) -> Iterator[str]:
    """What the root message of a release must say."""
    roots = [each for each in messages(world, release) if each["thread_ts"] in (None, each["ts"])]
    if not roots:
        yield f"{release.id} ({release.phase}) has no message in Slack"
        return
    head = next((str(each["text"]["text"]) for each in roots[-1]["blocks"] if each["type"] == "header"), "")
    if not any(word in head for word in WORDS[release.phase]):
        yield f"{release.id} is {release.phase}, and its message says {head!r}"


def messages(world: World, release: Release) -> list[Document]:
    """The messages that carry the release's id, oldest first."""
    channel = next(one.channel for one in world.services if one.name == release.target.service.partition(".")[0])
    everything = world.loop.read(lambda: world.slack.messages("bob", channel))
    return [each for each in everything if not each["ephemeral"] and _is_of(each, release.id)]


def _is_of(message: Document, id: str) -> bool:
    return any(str(each.get("block_id", "")).split(":")[1:2] == [id] for each in message["blocks"])
