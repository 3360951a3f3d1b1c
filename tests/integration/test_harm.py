"""A version that hurts is taken back without anybody, whatever becomes of the bot meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strategies.release import Phase
from tests.integration.world import canonical

if TYPE_CHECKING:
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
    world.until_asked(0)
    world.until_headline("rolled back")
    assert canonical(world.route()["spec"]) == original
    assert [m for m in world.slack.messages("bob") if m["user"] != world.slack.settings.bot_user] == []


def test_a_version_that_loses_orders_is_rolled_back_though_its_requests_go_well(worlds: Worlds) -> None:
    world = worlds(profile={"hold": "60s", "metrics": {"errors": {"limit": "50%"}, "orders": ORDERS}})
    start(world)
    world.knob(orders=0.2)
    world.until_asked(0)
    world.until_headline("rolled back")
    assert "looks running" in reasons(world, "orders")
    assert "5xx 0 %" in reasons(world, "errors")


def test_a_level_beyond_its_bound_holds_and_rolls_nothing_back(worlds: Worlds) -> None:
    levels = {"cpu": {"limit": "0.01m"}, "memory": {"limit": "1GiB", "allowed": "+100%"}}
    world = worlds(profile={"hold": "2s", "look": "1s", "metrics": levels})
    start(world)
    world.until(lambda: "does not roll it back" in reasons(world, "cpu"), "cpu holds")
    world.until(lambda: "MiB per pod vs" in reasons(world, "memory"), "memory is compared")
    assert world.asked == 50
    assert not world.release().failing()


def test_a_slip_in_a_query_ends_the_release_before_it_wrote_anything(worlds: Worlds) -> None:
    slip = {**ORDERS, "query": ORDERS["query"].replace("orders", "order")}
    world = worlds(profile={"metrics": {"orders": slip}})
    original = canonical(world.route()["spec"])
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_headline("called off")
    assert "metrics.orders.query: Prometheus has no metric shop_order_total" in world.texts()
    assert "did you mean shop_orders_total?" in world.texts()
    assert canonical(world.route()["spec"]) == original


def test_a_dead_version_is_rolled_back_by_the_second_look_that_sees_it(worlds: Worlds) -> None:
    world = worlds(profile={"look": "2s", "hold": "30s"})
    original = canonical(world.route()["spec"])
    start(world)
    world.knob(dead=True)
    world.until_asked(0)
    world.until_headline("rolled back")
    assert 1 <= looks_at_the_dead(world) <= 2
    assert canonical(world.route()["spec"]) == original


def test_a_rollback_that_a_kill_interrupts_is_finished_by_the_next_start(worlds: Worlds) -> None:
    world = worlds(profile={"hold": "60s"})
    original = canonical(world.route()["spec"])
    start(world)
    world.loop.run(world.gate.shut())
    world.click("bob", "release_roll_back")
    world.until(lambda: world.release().phase is Phase.ROLLING_BACK, "the decision is stored")
    world.bot.kill()
    world.bot.start()
    assert (world.asked, world.release().phase) == (50, Phase.ROLLING_BACK)
    world.loop.run(world.gate.open())
    world.until_asked(0)
    world.until_headline("rolled back")
    assert canonical(world.route()["spec"]) == original


def reasons(world: World, gate: str) -> str:
    """What a gate said last."""
    return " ".join(verdict.reason for verdict in world.release().verdicts if verdict.gate == gate)


def start(world: World) -> None:
    """Half of the traffic is on v2, and Prometheus has heard of it."""
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_asked(50)


def looks_at_the_dead(world: World) -> int:
    """How many looks saw no ready pod of v2."""
    with world.remembered().reading() as tx:
        seen = [look.reading.ready for look in tx.evidence.looks(world.release().id, 50)]
    return sum(ready is not None and ready.get("v2") == 0 for ready in seen)
