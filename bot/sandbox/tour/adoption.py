"""The story of a service that no release can move yet: pinned to its present version, and let go again."""

import asyncio

from bot.sandbox.cluster.client import DESTINATION_RULES, VIRTUAL_SERVICES
from bot.sandbox.cluster.shop import SERVICE
from bot.sandbox.tour.scene import BrokenError, Scene
from bot.sandbox.tour.strategies import STAGE

SUMMARY = (
    "reviews has neither subsets nor a route, so every pod gets requests; adopt pins it to v1, undo takes that away."
)
ADOPT = "release_adopt"
HEARD, COUNTED = 10.0, 1.0
WAYS = ("any", "v1", "v2")  # the proxy's counts of requests to the service whole, and to each subset


async def adoption(scene: Scene) -> None:
    """Without objects, with those that adopt makes, and without them again."""
    for resource in (VIRTUAL_SERVICES, DESTINATION_RULES):
        await scene.shop.delete(resource, SERVICE)
    await _until(scene, ("any",), "every pod gets requests")
    scene.seen("without a route and subsets the proxy sends to every pod, v2's too")
    refused = await scene.ask("alice", "/release start reviews v2")
    if not scene.was_refused("alice", "NO_ROUTE", "NO_SUBSET"):
        raise BrokenError(f"a start without a route was not refused for that: {refused}")
    scene.seen(f"a release is refused: {refused}")
    await scene.ask("alice", "/release adopt reviews v1")
    await scene.press_in_private("alice", ADOPT)
    await _until(scene, ("v1",), "v1 alone gets requests")
    scene.seen("the DestinationRule and the VirtualService are there, and v1 alone gets requests")
    await scene.ask("alice", "/release adopt reviews undo")
    await scene.press_in_private("alice", ADOPT)
    await _until(scene, ("any",), "every pod gets requests again")
    left = [one.plural for one in (VIRTUAL_SERVICES, DESTINATION_RULES) if await scene.shop.get(one, SERVICE)]
    if left:
        raise BrokenError(f"after the undo there are still {' and '.join(left)}")
    scene.seen("exactly what adopt had made is gone again")


async def _until(scene: Scene, expected: tuple[str, ...], what: str) -> None:
    """Wait until for a second requests go these ways alone, by the proxy's counters."""
    for _ in range(round(STAGE / COUNTED)):
        before = await scene.mesh.counters()
        await asyncio.sleep(COUNTED)
        after = await scene.mesh.counters()
        if tuple(way for way in WAYS if after.get(way, 0) > before.get(way, 0)) == expected:
            return
    raise BrokenError(f"within {STAGE:g} s {what}; alice was told: {scene.told('alice')}")
