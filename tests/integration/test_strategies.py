"""Each strategy on real parts: taken back from every stage, then to its end; nothing else in the route is touched."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.route_memory import everything_asked
from strategies.release import Phase
from tests.integration.world import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.conftest import Worlds
    from tests.integration.world import Document, World

# Stages pass within two or three looks here, so that a whole strategy takes seconds.
FAST: Mapping[str, Any] = {"hold": "500ms", "look": "500ms", "min_requests": 5, "side_effects": "none"}
PIPELINE: Mapping[str, Any] = {
    "pipeline": [
        {"strategy": "shadow", "mirror": 50},
        {"strategy": "ab", "match": "header:x-user-group=internal"},
        {"strategy": "canary", "steps": [50, 100]},
    ],
}
STRATEGIES = {
    "phased": ("phased from 50 by 50 to 100", {}),
    "sticky": ("canary steps=50,100 sticky=cookie", {}),
    "blue-green": ("blue-green match=header:x-beta=1", {}),
    "shadow": ("shadow mirror=50,100", {}),
    "ab": ("ab match=header:x-beta=1 steps=50,100", {}),
    "pipeline": ("", PIPELINE),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_goes_back_from_every_stage_and_then_reaches_its_end(worlds: Worlds, name: str) -> None:
    words, profile = STRATEGIES[name]
    # Shares of a half and more: half of the usual callers show them as surely.
    world = worlds(profile={**FAST, **profile}, rate=50.0)
    original = world.route()
    stage = 0
    while begun(world, words, stage):
        assert others(world.route()) == others(original)
        world.command("bob", "/release rollback reviews")
        world.until(lambda: world.release().phase is Phase.ROLLED_BACK, f"stage {stage} is taken back")
        assert canonical(world.route()["spec"]) == canonical(original["spec"])
        assert "annotations" not in world.route()["metadata"] or "annotations" in original["metadata"]
        stage += 1
    assert stage == steered_stages(world)
    world.until(lambda: world.release().phase is Phase.COMPLETED, "the release is complete", "bob")
    assert_ended(world, name, original)
    assert world.counters()["failed"] == 0


def begun(world: World, words: str, stage: int) -> bool:
    """Start a release and bring it to the stage; False when the stage is its last, which is left to end by itself."""
    before = world.release().id if stage else ""
    # Messages of the release before are not this one's.
    world.began = f"{time.time():.6f}"
    world.command("alice", f"/release start reviews v2 {words}".rstrip())
    world.until(lambda: has_begun(world, before), "the release has begun")
    if stage == steered_stages(world):
        return False
    world.until(lambda: world.release().written == stage, f"stage {stage} is written", "bob")
    world.until(lambda: asked(world).reaches, "the proxy has it")
    return True


def has_begun(world: World, before: str) -> bool:
    with world.remembered().reading() as tx:
        found = [each.release for each in tx.releases.recent(1)]
    return bool(found) and found[0].id != before and found[0].stage >= 0


def steered_stages(world: World) -> int:
    """The stages that send anything to the candidate and are not the whole of it."""
    splits = [stage.splits["reviews"] for stage in world.release().plan.stages]
    return sum(1 for split in splits if split.reaches("v2") and split.share("v2") < 100)


def asked(world: World) -> Any:
    return everything_asked(world.route())


def others(route: Document) -> str:
    """The spec without the fields that a release writes, as canonical JSON."""
    spec = copy.deepcopy(route["spec"])
    spec["http"] = [each for each in spec["http"] if not each.get("name", "").startswith("sluice-")]
    for field in ("route", "mirror", "mirrorPercentage"):
        spec["http"][1].pop(field, None)
    return canonical(spec)


def assert_ended(world: World, name: str, original: Document) -> None:
    """The candidate has everything by its weight alone; a shadow leaves the route as it was."""
    if name == "shadow":
        assert canonical(world.route()["spec"]) == canonical(original["spec"])
        return
    assert others(world.route()) == others(original)
    present = asked(world)
    assert (present.weights, present.matches, present.mirror) == ({"v1": 0, "v2": 100}, (), None)
    assert all("headers" not in each for each in world.route()["spec"]["http"][1]["route"])
