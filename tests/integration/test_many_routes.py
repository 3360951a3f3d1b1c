"""One release of several VirtualServices and a route of connections: moved, paused and taken back as one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from tests.integration.world import canonical

if TYPE_CHECKING:
    from tests.integration.conftest import Worlds
    from tests.integration.world import Document, World

GATEWAY, OUTSIDE = "reviews-gateway", "reviews.example.com"
PROFILE = {
    "steps": [50, 100],
    "hold": "60s",
    "routes": [
        {"virtual_service": "reviews", "http": ["main"], "tcp": ["#0"]},
        {"virtual_service": GATEWAY, "http": ["main"]},
    ],
}


def test_all_objects_move_together_stop_at_an_edit_of_one_and_go_back_to_the_letter(worlds: Worlds) -> None:
    world = worlds(profile=PROFILE)
    plant(world)
    world.loop.run(world.mesh.open_gateway())
    before = [canonical(world.route(name)["spec"]) for name in ("reviews", GATEWAY)]
    world.until(lambda: is_started(world), "the bot has heard of the gateway and begins")
    world.until(lambda: shares(world) == [[50, 50]] * 3, "both objects ask for the half")
    world.until(lambda: at_the_gateway(world), "the gateway sends somebody to v2")
    assert 145 < at_the_gateway(world, 400) < 255  # five and a half standard deviations around the half
    world.edit_route(by_hand, "kubectl-edit", GATEWAY)
    world.until_headline("route changed by hand")
    assert "kubectl-edit (Update" in world.texts()
    world.click("alice", "release_drift_restore")
    world.until(lambda: shares(world) == [[50, 50]] * 3, "the split is restored")
    world.click("alice", "release_roll_back")
    world.until_headline("rolled back")
    assert [canonical(world.route(name)["spec"]) for name in ("reviews", GATEWAY)] == before
    world.until(lambda: at_the_gateway(world) == 0, "the gateway sends nobody to v2")
    assert world.counters()["failed"] == 0


def at_the_gateway(world: World, requests: int = 100) -> int:
    """How many of so many requests from outside v2 answers; none fails."""

    async def asked() -> int:
        async with aiohttp.ClientSession(headers={"Host": OUTSIDE}) as session:
            answers = [await session.get(world.mesh.gateway_url) for _ in range(requests)]
        assert {answer.status for answer in answers} == {200}
        return sum(answer.headers["x-version"] == "v2" for answer in answers)

    return world.loop.run(asked())


def is_started(world: World) -> bool:
    """Whether there is a card; asks again while the bot has not heard of the new objects."""
    told = len(world.told("alice"))
    world.command("alice", "/release start reviews v2")
    world.until(lambda: world.headline() or len(world.told("alice")) > told, "alice is answered")
    return bool(world.headline())


def plant(world: World) -> None:
    """A route of connections beside the shop's own, and the same service at a gateway."""
    tcp = [{"match": [{"port": 9000}], "route": [to_v1()]}]
    world.edit_route(lambda document: document["spec"].update(tcp=tcp), "team")
    spec = {"hosts": [OUTSIDE], "gateways": ["shop"], "http": [{"name": "main", "route": [to_v1()]}]}
    world.add_route(GATEWAY, spec)


def to_v1() -> Document:
    return {"destination": {"host": "reviews", "subset": "v1"}}


def by_hand(document: Document) -> None:
    for destination, weight in zip(document["spec"]["http"][0]["route"], (90, 10), strict=True):
        destination["weight"] = weight


def shares(world: World) -> list[list[int]]:
    """Weights of the three routes."""
    mesh, gateway = world.route()["spec"], world.route(GATEWAY)["spec"]
    entries = [mesh["http"][1], mesh["tcp"][0], gateway["http"][0]]
    return [[each.get("weight", 0) for each in entry["route"]] for entry in entries]
