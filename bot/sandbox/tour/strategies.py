"""The stories of the other strategies: each begins by a command, is proven by the proxy, and ends or goes back."""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.tour.scene import BrokenError, Scene

PHASED_SUMMARY = "v2 grows by a timetable, 20 % and 40 % more every 4 seconds, and bob is asked once, before the end."
BLUE_GREEN_SUMMARY = "testers see v2 first, bob switches everybody at once, and takes it back by one click."
SHADOW_SUMMARY = "v2 gets copies, 20 % and then all; nobody gets its answers, and nothing of it stays."
DARK_SUMMARY = "v2 fails half of its copies: they are taken away, and no caller has noticed anything."
AB_SUMMARY = "the testers among the callers get v2, half of them first; bob ends the test, and v2 takes over."
PIPELINE_SUMMARY = "copies first, then colleagues, then everybody: three strategies are one release with one thread."
# A user's own patience, and room for a slow machine.
BEGIN, STAGE, BACK, SAID, PICTURE = 15.0, 30.0, 15.0, 10.0, 10.0
SOAKING: Mapping[str, Any] = {"soak": "2m"}
FEW: Mapping[str, Any] = {"min_requests": 10}

PIPELINE: Mapping[str, Any] = {
    "pipeline": [
        {"strategy": "shadow", "mirror": 50},
        {"strategy": "ab", "match": "header:x-user-group=internal"},
        {"strategy": "canary", "steps": [50, 100]},
    ],
    "hold": "3s",
    "min_requests": 10,
}


async def phased(scene: Scene) -> None:
    """A timetable to 100 %; people are asked before the last increase alone."""
    await scene.start("alice", "/release start reviews v2 phased from 20 by 40 every 4s to 100 approve=final")
    await ends_well(scene, (20, 60, 100))


async def blue_green(scene: Scene) -> None:
    """A preview for testers, an instant switch, an instant switch back while the old version is warm."""
    await scene.start("alice", "/release start reviews v2 blue-green match=header:x-beta=1 hold=4s")
    await scene.until(lambda: scene.reaches, BEGIN, "testers reach v2")
    if scene.asked.get("v2"):
        raise BrokenError("the preview sent everybody's requests to v2")
    await scene.until(lambda: scene.asked.get("v2") == 100, STAGE, "everybody is switched to v2", "bob")
    await scene.until(lambda: scene.headline_says("soaking"), STAGE, "v1 is kept warm", "bob")
    await scene.pictured(PICTURE)
    await scene.roll_back("bob")
    await scene.restored(BACK)
    await scene.until(lambda: scene.headline_says("rolled back"), SAID, "the channel says so")
    await scene.untouched()


async def shadow(scene: Scene) -> None:
    """Copies rise, live traffic never moves, and the route ends as it began."""
    await scene.start("alice", "/release start reviews v2 shadow mirror=20,100 hold=4s")
    await scene.until(lambda: scene.headline_says("complete"), 2 * STAGE, "the shadow is over", "bob")
    copied = [one.mirror for one in scene.accounts if one.mirror]
    if copied != [20.0, 100.0]:
        raise BrokenError(f"the proxy copied {copied} %, not 20 and 100 %")
    await scene.pictured(PICTURE)
    await scene.untouched()


async def failing_shadow(scene: Scene) -> None:
    """A version that fails its copies is taken away before anybody met it."""
    await scene.start("alice", "/release start reviews v2 shadow mirror=50,100 hold=10s")
    await scene.until(lambda: scene.reaches, BEGIN, "v2 gets copies")
    await scene.fault("v2", error_rate=0.5)
    await scene.restored(STAGE)
    await scene.until(lambda: scene.headline_says("rolled back"), SAID, "the channel says so")
    await scene.pictured(PICTURE)
    await scene.untouched()


async def ab(scene: Scene) -> None:
    """Half of a group, the whole group, everybody."""
    await scene.start("alice", "/release start reviews v2 ab match=header:x-beta=1 steps=50,100 hold=4s")
    await scene.until(lambda: scene.reaches, BEGIN, "testers reach v2")
    await ends_well(scene, (0, 0, 100))


async def pipeline(scene: Scene) -> None:
    """Copies, a group, everybody: each part of one release."""
    await scene.start("alice", "/release start reviews v2")
    await ends_well(scene, (0, 0, 50, 100))
    copied, matched = scene.accounts[1], scene.accounts[2]
    if copied.mirror != 50 or not matched.matches or scene.accounts[-1].matches:
        raise BrokenError("the parts were not copies, a group, everybody")


async def ends_well(scene: Scene, weights: tuple[int, ...]) -> None:
    """The release completes by itself and approvals, with these weights on the way."""
    await scene.until(
        lambda: scene.headline_says("complete") or scene.headline_says("rolled back"),
        3 * STAGE,
        "the release is complete",
        "bob",
    )
    if not scene.headline_says("complete"):
        raise BrokenError("the good version was rolled back")
    served = tuple(one.asked["v2"] for one in scene.accounts if one.reaches)
    if served != weights:
        raise BrokenError(f"the proxy served v2 {served} %, not {weights} %")
    await scene.pictured(PICTURE)
