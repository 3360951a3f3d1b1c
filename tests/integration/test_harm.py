"""A version that hurts is taken back without anybody, whatever becomes of the bot meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strategies.release import Phase
from tests.integration.world import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from tests.integration.conftest import Worlds
    from tests.integration.world import World


def test_a_failing_version_is_rolled_back_without_anybody(worlds: Worlds, postgres_url: str) -> None:
    world = worlds(database=postgres_url)
    original = canonical(world.route()["spec"])
    start(world)
    world.knob(error_rate=0.5)
    world.until_asked(0, 30)
    world.until_headline("rolled back", 10)
    assert canonical(world.route()["spec"]) == original
    assert [m for m in world.slack.messages("bob") if m["user"] != world.slack.settings.bot_user] == []


def test_a_dead_version_is_rolled_back_within_three_looks(worlds: Worlds) -> None:
    world = worlds(profile={"look": "2s", "hold": "30s"})
    original = canonical(world.route()["spec"])
    start(world)
    world.knob(dead=True)
    world.until(lambda: not ready_pods(world), 10, "no pod of v2 is ready")
    dead_since = world.clock()
    world.until_asked(0, 20)
    world.until_headline("rolled back", 10)
    assert len(looks_after(world, dead_since)) <= 3
    assert canonical(world.route()["spec"]) == original


def test_a_rollback_that_a_kill_interrupts_is_finished_by_the_next_start(worlds: Worlds) -> None:
    world = worlds(profile={"hold": "60s"})
    original = canonical(world.route()["spec"])
    start(world)
    world.loop.run(world.gate.shut())
    world.click("bob", "release_roll_back")
    world.until(lambda: world.release().phase is Phase.ROLLING_BACK, 5, "the decision is stored")
    world.bot.kill()
    world.bot.start()
    assert (world.asked, world.release().phase) == (50, Phase.ROLLING_BACK)
    world.loop.run(world.gate.open())
    world.until_asked(0, 20)
    world.until_headline("rolled back", 15)
    assert canonical(world.route()["spec"]) == original


def start(world: World) -> None:
    """Half of the traffic is on v2, and Prometheus has heard of it."""
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_asked(50, 20)


def ready_pods(world: World) -> list[object]:
    pods = world.loop.read(lambda: world.mesh.snapshot(1)["pods"])
    return [pod for pod in pods if pod["version"] == "v2" and pod["ready"]]


def looks_after(world: World, moment: datetime) -> list[datetime]:
    with world.remembered() as database, database.reading() as tx:
        return [look.at for look in tx.evidence.looks(world.release().id, 50) if look.at > moment]
