"""What was ever written to the cluster, held to the plans, to the decisions, and to other people's fields."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from strategies.release import Decommission, Phase
from tests.chaos import routes
from tests.chaos.observer import NOTHING, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.journal import Entry
    from tests.chaos.cluster import Version
    from tests.chaos.doors import Call
    from tests.chaos.observer import Observer
    from tests.chaos.world import World

Document = dict[str, Any]
SUCCESS = range(200, 300)
VERSIONS = ("v1", "v2")
SOON = 5.0  # seconds from a rollback's decision to its write, when nothing was wrong
UNDER_WAY = 0.3  # seconds between the reading of a clock and the commit that makes the decision
Journal = dict[str, list["Entry"]]


def trouble(world: World, observer: Observer, journal: Journal) -> Iterator[str]:
    """Each sentence is a promise that was broken."""
    decided = {id: at for id, entries in journal.items() if (at := rolled_back_at(entries)) is not None}
    for call in world.calls:
        if _has_changed(call) and "/virtualservices/" in call.path:
            yield from _written(world, observer, call, decided)
        if _has_changed(call) and call.method in {"PUT", "PATCH"}:
            yield from _foreign(world, call)
    yield from _weights(world)
    for id, name, seconds in ways_back(world, observer, journal):
        if seconds > SOON:
            yield f"the rollback of {id} at {decided[id]:.2f} took {seconds:.1f} s in {name} though nothing was wrong"


def _has_changed(call: Call) -> bool:
    sent = (call.sent.get("metadata") or {}).get("resourceVersion")
    return call.status in SUCCESS and sent != call.answered["metadata"].get("resourceVersion")


def standing(world: World, observer: Observer) -> Iterator[str]:
    """What stands in the cluster at the end and does not agree with how its releases ended."""
    for (plural, name), versions in world.cluster.history.items():
        document = versions[-1].document
        if document is None or plural == "deployments":
            continue
        for id in marks(document).keys() | _added(document):
            if id in observer.releases and observer.releases[id].phase is Phase.ROLLED_BACK:
                yield f"{plural} {name} still carries what {id} added, which is rolled back"
        ours = {call.answered["metadata"]["resourceVersion"] for call in world.calls if _has_changed(call)}
        if plural == "virtualservices" and document["metadata"]["resourceVersion"] in ours:
            yield from _served(observer, name, document)


def _added(document: Document) -> set[str]:
    notes = document["metadata"].get("annotations") or {}
    return {each["release"] for each in json.loads(notes.get("sluice/added-subsets", "{}")).values()}


def _served(observer: Observer, name: str, document: Document) -> Iterator[str]:
    found = [each for each in observer.releases.values() if f"shop/{name}" in each.objects and each.stage >= 0]
    newest = max(found, key=lambda each: each.created_at, default=None)
    if newest is None or newest.phase not in {Phase.COMPLETED, Phase.ROLLED_BACK}:
        return
    reach = routes.reach(document, newest.target.candidate)
    wanted = NOTHING if newest.phase is Phase.ROLLED_BACK or newest.is_leaving else (100.0, 0.0, 0.0)
    if reach != wanted:
        yield f"{newest.id} is {newest.phase}, and {name} gives {newest.target.candidate} {reach}"


def rolled_back_at(entries: list[Entry]) -> float | None:
    """When the release was decided to go back, the last time if it was reopened."""
    moves = [
        each for each in entries if each.phase_after is Phase.ROLLING_BACK and each.phase_before is not each.phase_after
    ]
    return moves[-1].at.timestamp() if moves else None


def before(world: World, call: Call) -> Document | None:
    """The object as it was when this call changed it."""
    plural, name = call.path.split("/")[-2:]
    revision = int(call.answered["metadata"]["resourceVersion"])
    found = [each for each in world.cluster.history.get((plural, name), []) if each.revision < revision]
    return found[-1].document if found else None


def marks(document: Document) -> dict[str, int]:
    """Revision by release, as the annotations say."""
    notes = document["metadata"].get("annotations") or {}
    ids, revisions = notes.get("sluice/release", ""), notes.get("sluice/revision", "")
    return {id: int(n) for id, n in zip(ids.split(","), revisions.split(","), strict=True) if id}


def _written(world: World, observer: Observer, call: Call, decided: dict[str, float]) -> Iterator[str]:
    earlier, later = before(world, call), call.answered
    for id in marks(later):
        release = observer.releases.get(id)
        if release is None:
            yield f"{call.path} carries the mark of {id}, which is not in the database"
            continue
        candidate = release.target.candidate
        reach = _reach(later, candidate, is_sticky=id in observer.sticky)
        was = _reach(earlier, candidate, is_sticky=id in observer.sticky) if earlier else NOTHING
        if reach != was and reach not in observer.reaches[id] | _by_hand(world, call, candidate):
            known = observer.reaches[id]
            yield f"{call.path} at {call.at:.2f}: {id} gave {candidate} {reach}, which is in no stage: {known}"
        if (
            id in decided
            and call.at > decided[id] + UNDER_WAY
            and any(new > old for new, old in zip(reach, was, strict=True))
        ):
            when = f"{call.at - decided[id]:.2f} s after its rollback was decided"
            yield f"{when} {id} gave {candidate} {reach} after {was}, by {call.door} in {call.path}"


def _reach(document: Document, version: str, *, is_sticky: bool) -> Reach:
    found = routes.reach(document, version)
    return (found[0], 0.0, found[2]) if is_sticky else found


def _by_hand(world: World, call: Call, candidate: str) -> set[Reach]:
    """What somebody else wrote into this object at any time, and what it was at first."""
    name = call.path.rpartition("/")[2]
    found = [each for plural, each in world.ledger.edits if plural == "virtualservices"]
    return {routes.reach(each, candidate) for each in found if each["metadata"]["name"] == name}


def _foreign(world: World, call: Call) -> Iterator[str]:
    earlier = before(world, call)
    plural = call.path.split("/")[-2]
    if earlier is None or plural not in {"virtualservices", "destinationrules", "deployments"}:
        return
    one, other = (json.dumps(routes.foreign(plural, each), sort_keys=True) for each in (earlier, call.answered))
    if one != other:
        yield f"{call.door} changed what is not ours in {call.path}: {one} became {other}"


def _weights(world: World) -> Iterator[str]:
    for (plural, name), versions in world.cluster.history.items():
        for version in versions if plural == "virtualservices" else ():
            for route in (version.document or {"spec": {}})["spec"].get("http") or []:
                if len(route.get("route") or []) > 1 and sum(routes.weights(route).values()) != 100:
                    yield f"{name} at {version.at:.2f}: weights are {routes.weights(route)} in {route.get('name')}"


def ways_back(world: World, observer: Observer, journal: Journal) -> Iterator[tuple[str, str, float]]:
    """Release, object and seconds from the decision to the write of each rollback around which nothing was wrong."""
    for id, entries in journal.items():
        at, release = rolled_back_at(entries), observer.releases[id]
        is_cold = bool(release.gone) or release.rules.decommission is not Decommission.KEEP
        if at is None or is_cold:
            continue
        for name in release.objects:
            versions = world.cluster.history.get(("virtualservices", name.partition("/")[2]), [])
            since = _without(versions, release.target.candidate, at)
            if world.ledger.is_calm(at - 1, min(since, at + SOON), release.target.service.partition(".")[0]):
                yield id, name, since - at


def _without(versions: list[Version], candidate: str, at: float) -> float:
    """From when on, `at` or later, the candidate got nothing."""
    standing = [each for each in versions if each.at <= at][-1:]
    for each in [*standing, *(one for one in versions if one.at > at)]:
        if each.document is None or routes.reach(each.document, candidate) == NOTHING:
            return max(each.at, at)
    return math.inf
