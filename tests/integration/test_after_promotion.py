"""The life around a canary: deployed by its image, grown for its share, and the old version gone and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strategies.release import Phase
from tests.integration.parts import SCALED
from tests.parts.service_account import SLUICE, WORKLOADS

if TYPE_CHECKING:
    from tests.integration.conftest import Worlds
    from tests.integration.world import World

QUICK = {"steps": [50, 100], "hold": "2s", **SCALED}
BOTH = (SLUICE, WORKLOADS)


def deployment(world: World, version: str) -> dict[str, Any]:
    return world.read(f"/apis/apps/v1/namespaces/{world.namespace}/deployments/reviews-{version}")


def test_an_idle_version_goes_and_comes_back_by_one_command_without_a_failed_request(worlds: Worlds) -> None:
    world = worlds(roles=BOTH, profile={**QUICK, "decommission": "scale_to_zero", "idle_for": "4s", "drain": "2s"})
    before = deployment(world, "v1")["spec"]
    world.command("alice", "/release start reviews v2")
    world.until_headline("complete", approver="bob")
    assert deployment(world, "v1")["spec"] == before | {"replicas": 0}
    assert "was scaled to 0." in world.texts()
    world.command("carol", "/release rollback reviews checkout is slow")
    world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "v1 serves again")
    assert deployment(world, "v1")["spec"] == before
    world.until_asked(0)
    assert world.counters()["failed"] == 0


def test_a_candidate_with_fewer_pods_grows_before_its_share_does(worlds: Worlds) -> None:
    world = worlds(roles=BOTH, profile=QUICK)
    assert (deployment(world, "v1")["spec"]["replicas"], deployment(world, "v2")["spec"]["replicas"]) == (3, 2)
    world.command("alice", "/release start reviews v2")
    world.until_asked(100, approver="bob")
    assert deployment(world, "v2")["status"]["readyReplicas"] == 3
    world.until_headline("complete", approver="bob")
    world.until(lambda: "annotations" not in deployment(world, "v2")["metadata"], "no trace is left")
    assert world.counters()["failed"] == 0


def test_a_version_is_deployed_by_its_image_and_released(worlds: Worlds) -> None:
    world = worlds(roles=BOTH, profile=QUICK)
    world.command("alice", "/release start reviews v3 image=shop/reviews:v3")
    world.until_headline("complete", approver="bob")
    made = deployment(world, "v3")
    assert made["metadata"]["labels"]["sluice/created-by"] == "reviews-1"
    assert made["spec"]["template"]["spec"]["containers"][0]["image"] == "shop/reviews:v3"
    assert world.counters()["failed"] == 0


def test_an_image_that_cannot_be_pulled_is_named_on_the_card_and_called_off(worlds: Worlds) -> None:
    world = worlds(roles=BOTH, profile=QUICK)
    before = world.route()["spec"]
    world.command("alice", "/release start reviews v3 image=shop/reviews:missing")
    world.until(lambda: "its image cannot be pulled" in world.texts(), "the card says why it waits")
    world.command("alice", "/release rollback reviews")
    world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "it is called off")
    assert world.route()["spec"] == before
