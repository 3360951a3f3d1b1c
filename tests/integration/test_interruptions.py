"""A bot that dies in the middle, and a hand in its route: the release goes on as planned or asks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from strategies.release import Phase
from tests.integration.world import untargeted

if TYPE_CHECKING:
    from tests.integration.conftest import Worlds
    from tests.integration.world import Document

PUNCTUAL = timedelta(seconds=1)  # and as much again as a start takes, on a slow machine


def test_a_killed_bot_comes_back_and_goes_on_at_the_second_the_hold_ends(worlds: Worlds) -> None:
    world = worlds(profile={"steps": [50, 100], "approve": "none", "capacity": 0})
    # The next start may take three times as long as this one, and still is over before the hold.
    world.change_profile(hold=f"{4 + 3 * world.bot.took.total_seconds():.0f}s")
    world.command("alice", "/release start reviews v2")
    world.until(world.is_holding, "the first stage holds")
    until = world.release().hold_until
    world.bot.kill()
    world.bot.start()
    world.bot.ready()
    assert until is not None and datetime.now(UTC) < until == world.release().hold_until
    world.until_asked(100)
    decided = world.release().stage_began_at
    assert decided is not None and until <= decided <= until + PUNCTUAL + world.bot.took
    world.until_headline("complete")


def test_a_hand_edit_pauses_shows_the_difference_and_is_restored_by_a_click(worlds: Worlds) -> None:
    world = worlds(profile={"hold": "60s"})
    world.command("alice", "/release start reviews v2 steps=25,100")
    world.until(world.is_holding, "the first stage holds")
    before = untargeted(world.route())
    world.edit_route(lambda route: shift(route, 60), "kubectl-edit")
    world.until_headline("route changed by hand")
    found = world.release()
    assert found.phase is Phase.PAUSED and found.drift is not None
    assert "kubectl-edit" in found.drift.by
    assert "60" in world.texts() and "release_drift_adopt" in world.texts()
    world.until_asked(60)
    assert weight(world.route()) == 60
    world.click("bob", "release_drift_restore")
    world.until_asked(25)
    assert weight(world.route()) == 25
    assert untargeted(world.route()) == before
    world.until(lambda: world.release().drift is None, "the question is answered")


def test_an_edit_elsewhere_in_the_route_is_nobodys_business_and_survives_the_rollback(worlds: Worlds) -> None:
    world = worlds(profile={"hold": "60s"})
    original = world.route()["spec"]["http"][1]
    world.command("alice", "/release start reviews v2 steps=25,100")
    world.until(world.is_holding, "the first stage holds")
    world.edit_route(lambda route: route["spec"]["http"][0].update(timeout="3s"), "kubectl-edit")
    world.click("alice", "release_roll_back")
    world.until_asked(0)
    world.until_headline("rolled back")
    assert world.release().drift is None
    assert world.route()["spec"]["http"][0]["timeout"] == "3s"
    assert world.route()["spec"]["http"][1] == original


def shift(route: Document, share: int) -> None:
    for destination in route["spec"]["http"][1]["route"]:
        destination["weight"] = share if destination["destination"]["subset"] == "v2" else 100 - share


def weight(route: Document) -> int:
    shares = {one["destination"]["subset"]: one["weight"] for one in route["spec"]["http"][1]["route"]}
    return int(shares["v2"])
