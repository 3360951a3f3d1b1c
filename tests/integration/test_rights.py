"""A right that is lost in the middle of a release: everybody reads which, and the rollback is done once it is back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from strategies.release import Phase
from tests.integration.world import canonical
from tests.parts.service_account import SLUICE, WORKLOADS

if TYPE_CHECKING:
    from tests.integration.conftest import Worlds
    from tests.integration.parts import Parts
    from tests.integration.world import World


def test_a_rollback_that_is_forbidden_calls_for_help_by_name_and_is_done_once_it_is_allowed(
    parts: Parts, worlds: Worlds
) -> None:
    world = worlds(profile={"hold": "60s"})
    original = canonical(world.route()["spec"])
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_asked(50)
    parts.account.unbind(parts.account.binding(SLUICE, world.namespace))
    world.click("alice", "release_roll_back")
    lacking = f"Sluice may not update virtualservices.networking.istio.io in namespace {world.namespace}; bind the role"
    world.until(lambda: is_called(world, lacking), "on-call is called and reads which right lacks")
    assert any(lacking in each for each in lacks(world))
    assert lacking in world.bot.log
    assert (world.asked, world.release().is_going_back) == (50, True)
    parts.account.bind(SLUICE, world.namespace)
    world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "the route is taken back")
    assert canonical(world.route()["spec"]) == original
    world.until(lambda: lacks(world) == [], "nothing is missing any more")


def test_a_deployment_that_is_forbidden_stops_the_release_by_name_and_is_made_after_a_resume(
    parts: Parts, worlds: Worlds
) -> None:
    world = worlds(rate=5.0)
    made = f"/apis/apps/v1/namespaces/{world.namespace}/deployments"
    before = world.read(made)["items"]
    world.command("alice", "/release start reviews v3 image=shop/reviews:missing")
    lacking = f"Sluice may not get deployments.apps in namespace {world.namespace}; bind the role sluice-workloads"
    world.until(lambda: is_called(world, lacking) and "workloads.bound: true" in world.texts(), "it says what lacks")
    assert world.release().phase is Phase.STUCK
    assert [each["spec"] for each in world.read(made)["items"]] == [each["spec"] for each in before]
    parts.account.bind(WORKLOADS, world.namespace)
    world.command("alice", "/release resume reviews-1")
    world.until(lambda: "its image cannot be pulled" in world.texts(), "the Deployment is made")
    world.command("alice", "/release rollback reviews-1")
    world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "it is called off")


def lacks(world: World) -> list[str]:
    """What the bot says that it lacks."""
    answer = world.bot.readiness()
    return ["it does not answer"] if answer is None else list(answer["reasons"])


def is_called(world: World, words: str) -> bool:
    """Whether a message that mentions who is on call has these words."""
    texts = [json.dumps(one) for one in world.loop.read(lambda: world.slack.messages("carol"))]
    return any("<@U0CAROL>" in text and words in text for text in texts)
