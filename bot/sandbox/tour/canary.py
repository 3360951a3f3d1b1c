"""The canary's two stories: a good version reaches everybody, a bad one is taken back by itself."""

from bot.sandbox.tour.scene import BrokenError, Scene

GOOD, BAD = "canary", "canary-failing"
GOOD_SUMMARY = "v2 is fine: alice starts it, bob approves each increase, and it reaches 100 %."
BAD_SUMMARY = "v2 fails half of its requests once the first stage is live, and is rolled back by itself."
COMMAND = "/release start reviews v2"
STEPS = (5, 25, 50, 100)
START_SECONDS, GOOD_SECONDS, BACK_SECONDS, PICTURE_SECONDS = 15.0, 60.0, 30.0, 10.0


async def good(scene: Scene) -> None:
    """A canary to 100 % with an approval by button at each stage."""
    await scene.start("alice", COMMAND)
    await scene.until(lambda: scene.asked.get("v2") == STEPS[0], START_SECONDS, f"v2 gets {STEPS[0]} %", "bob")
    await scene.until(
        lambda: scene.headline_says("complete") or scene.headline_says("rolled back"),
        GOOD_SECONDS,
        "the release is complete",
        "bob",
    )
    if not scene.headline_says("complete"):
        raise BrokenError("the good version was rolled back")
    served = tuple(one.asked["v2"] for one in scene.accounts if one.asked["v2"])
    if served != STEPS:
        raise BrokenError(f"the proxy served v2 {served} %, not {STEPS} %")
    await scene.pictured(PICTURE_SECONDS)


async def failing(scene: Scene) -> None:
    """A canary that hurts at its first stage and is back at the baseline without anybody."""
    await scene.start("alice", COMMAND)
    await scene.until(lambda: scene.asked.get("v2") == STEPS[0], START_SECONDS, f"v2 gets {STEPS[0]} %")
    # Five requests a second: a smaller fault is found too, but how soon would be a matter of luck.
    await scene.fault("v2", error_rate=0.5)
    await scene.restored(BACK_SECONDS)
    await scene.until(lambda: scene.headline_says("rolled back"), START_SECONDS, "the channel says so")
    await scene.pictured(PICTURE_SECONDS)
