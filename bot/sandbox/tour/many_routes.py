"""The story of a service that is reached in three ways: inside the mesh, by the ingress gateway, by connections."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bot.sandbox.cluster.client import SERVICES, VIRTUAL_SERVICES, Document
from bot.sandbox.cluster.shop import PORT, SERVICE
from bot.sandbox.mesh.connections import Connections
from bot.sandbox.mesh.load import Load
from bot.sandbox.tour.scene import BrokenError, Scene
from bot.sandbox.tour.strategies import BACK, BEGIN, PICTURE, SAID, STAGE

SUMMARY = (
    "reviews is reached inside the mesh, by a gateway and by connections: all move together, and go back together."
)
GATEWAY, OUTSIDE, TCP_PORT = "reviews-gateway", "reviews.example.com", 9000
PROFILE: Mapping[str, Any] = {
    "routes": [
        {"virtual_service": SERVICE, "http": ["main"], "tcp": ["#0"]},
        {"virtual_service": GATEWAY, "http": ["main"]},
    ],
    "steps": [50, 100],
    "hold": "4s",
    "soak": "2m",
}
OUTSIDERS, CONNECTIONS = 60.0, 40.0  # a second
KNOWN_SECONDS, AFTER_SECONDS = 10.0, 1.0
DOORS = ("", "gateway:", "tcp:")  # how the proxies' counts name the three ways in


async def many_routes(scene: Scene) -> None:
    """Half, then all of three routes in two VirtualServices, and one click back."""
    await _planted(scene)
    before = await _specs(scene)
    async with _callers(scene) as (outside, connections):
        await scene.start("alice", "/release start reviews v2")
        await scene.until(lambda: scene.asked.get("v2") == 50, BEGIN, "v2 gets half")
        await scene.until(lambda: scene.asked.get("v2") == 100, STAGE, "v2 gets all", "bob")
        await scene.until(lambda: scene.headline_says("soaking"), STAGE, "v1 is kept warm")
        await scene.pictured(PICTURE)
        await scene.roll_back("bob")
        await scene.restored(BACK)
        await scene.until(lambda: scene.headline_says("rolled back"), SAID, "the channel says so")
        await _all_at_v1(scene)
    if await _specs(scene) != before:
        raise BrokenError("the VirtualServices are not what they were")
    if outside.total.failed or connections.failed:
        raise BrokenError(f"{outside.total.failed} requests and {connections.failed} connections from outside failed")
    if any(len(stage.doors) != len(DOORS) - 1 for stage in scene.accounts if stage.reaches):
        raise BrokenError("a stage was not served by the gateway and to connections")
    scene.seen(f"{outside.total.sent} requests by the gateway and {connections.opened} connections, none failed")


async def _planted(scene: Scene) -> None:
    """A port for connections with its tcp route, and a VirtualService of the same service at a gateway."""

    def with_port(service: Document) -> None:
        service["spec"]["ports"].append({"name": "tcp", "protocol": "TCP", "port": TCP_PORT, "targetPort": PORT})

    def with_tcp(route: Document) -> None:
        route["spec"]["tcp"] = [{"match": [{"port": TCP_PORT}], "route": [_to_v1(TCP_PORT)]}]

    await scene.shop.edit(SERVICES, SERVICE, with_port)
    await scene.shop.edit(VIRTUAL_SERVICES, SERVICE, with_tcp)
    spec = {"hosts": [OUTSIDE], "gateways": ["shop"], "http": [{"name": "main", "route": [_to_v1(PORT)]}]}
    head = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": GATEWAY}}
    await scene.shop.create(VIRTUAL_SERVICES, head | {"spec": spec})
    await scene.mesh.open_gateway()


def _to_v1(port: int) -> Document:
    return {"destination": {"host": SERVICE, "subset": "v1", "port": {"number": port}}}


@asynccontextmanager
async def _callers(scene: Scene) -> AsyncIterator[tuple[Load, Connections]]:
    """People outside and those who open connections, from when both ways in are open."""
    await scene.until(lambda: scene.mesh.tcp_address(TCP_PORT) is not None, KNOWN_SECONDS, "the tcp route is served")
    await scene.until(lambda: scene.mesh.gateway_serves(OUTSIDE), KNOWN_SECONDS, "the gateway serves")
    address = scene.mesh.tcp_address(TCP_PORT)
    if address is None:
        raise BrokenError("the tcp route is not served any more")
    outside = Load(scene.mesh.gateway_url, OUTSIDE, rate=OUTSIDERS)
    connections = Connections(*address, rate=CONNECTIONS)
    await outside.start()
    await connections.start()
    try:
        yield outside, connections
    finally:
        await connections.stop()
        await outside.stop()


async def _all_at_v1(scene: Scene) -> None:
    """By each way in only v1 is reached any more."""
    # Requests that began before the way back may be counted a moment later.
    await asyncio.sleep(AFTER_SECONDS / 2)
    first = await scene.mesh.counters()
    await asyncio.sleep(AFTER_SECONDS)
    then = await scene.mesh.counters()
    for door in DOORS:
        v1, v2 = (then.get(door + one, 0) - first.get(door + one, 0) for one in ("v1", "v2"))
        if v2 or not v1:
            raise BrokenError(f"after the way back {door or 'mesh:'} served v1 {v1} and v2 {v2} times")
    scene.seen("after one click v1 alone serves inside the mesh, at the gateway and to connections")


async def _specs(scene: Scene) -> list[Document | None]:
    return [(await scene.shop.get(VIRTUAL_SERVICES, name) or {}).get("spec") for name in (SERVICE, GATEWAY)]
