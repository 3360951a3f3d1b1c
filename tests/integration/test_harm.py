"""A version that hurts is taken back without anybody, whatever becomes of the bot meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strategies.release import Phase
from tests.integration.world import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from tests.integration.conftest import Worlds
    from tests.integration.world import World

ORDERS = {
    "query": 'shop_orders_total{namespace="{{namespace}}",version="{{version}}"}',
    "kind": "counts",
    "better": "higher",
    "allowed": "-5pp",
}


def test_a_failing_version_is_rolled_back_without_anybody(worlds: Worlds, postgres_url: str) -> None:
    world = worlds(database=postgres_url)
    original = canonical(world.route()["spec"])
    start(world)
    world.knob(error_rate=0.5)
    world.until_asked(0, 30)
    world.until_headline("rolled back", 10)
    assert canonical(world.route()["spec"]) == original
    assert [m for m in world.slack.messages("bob") if m["user"] != world.slack.settings.bot_user] == []


def test_a_version_that_loses_orders_is_rolled_back_though_its_requests_go_well(worlds: Worlds) -> None:
    world = worlds(profile={"hold": "60s", "metrics": {"errors": {"limit": "50%"}, "orders": ORDERS}})
    start(world)
    world.knob(orders=0.2)
    world.until_asked(0, 30)
    world.until_headline("rolled back", 10)
    assert "looks running" in reasons(world, "orders")
    assert "5xx 0 %" in reasons(world, "errors")


def test_a_level_beyond_its_bound_holds_and_rolls_nothing_back(worlds: Worlds) -> None:
    levels = {"cpu": {"limit": "0.01m"}, "memory": {"limit": "1GiB", "allowed": "+100%"}}
    world = worlds(profile={"hold": "2s", "look": "1s", "metrics": levels})
    start(world)
    world.until(lambda: "does not roll it back" in reasons(world, "cpu"), 30, "cpu holds")
    world.until(lambda: "MiB per pod vs" in reasons(world, "memory"), 10, "memory is compared")
    assert world.asked == 50
    assert not world.release().failing()


def test_a_slip_in_a_query_ends_the_release_before_it_wrote_anything(worlds: Worlds) -> None:
    slip = {**ORDERS, "query": ORDERS["query"].replace("orders", "order")}
    world = worlds(profile={"metrics": {"orders": slip}})
    original = canonical(world.route()["spec"])
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_headline("called off", 20)
    assert "metrics.orders.query: Prometheus has no metric shop_order_total" in world.texts()
    assert "did you mean shop_orders_total?" in world.texts()
    assert canonical(world.route()["spec"]) == original


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


def reasons(world: World, gate: str) -> str:
    """What a gate said last."""
    return " ".join(verdict.reason for verdict in world.release().verdicts if verdict.gate == gate)


def start(world: World) -> None:
    """Half of the traffic is on v2, and Prometheus has heard of it."""
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_asked(50, 20)


def ready_pods(world: World) -> list[object]:
    pods = world.loop.read(lambda: world.mesh.snapshot(1)["pods"])
    return [pod for pod in pods if pod["version"] == "v2" and pod["ready"]]


def looks_after(world: World, moment: datetime) -> list[datetime]:
    with world.remembered().reading() as tx:
        return [look.at for look in tx.evidence.looks(world.release().id, 50) if look.at > moment]
