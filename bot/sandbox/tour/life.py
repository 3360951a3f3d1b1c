"""The whole life of a version: deployed, tried, switched to; and the old one drained, proven idle, gone and back."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp

from bot.sandbox.cluster.client import DEPLOYMENTS, VIRTUAL_SERVICES, Document
from bot.sandbox.cluster.shop import PORT, SERVICE
from bot.sandbox.tour.channel import ROLL_BACK
from bot.sandbox.tour.scene import BrokenError, Scene
from bot.sandbox.tour.shop import CREATED_BY
from bot.sandbox.tour.strategies import BACK, BEGIN, PICTURE, SAID, STAGE

SUMMARY = (
    "v2 is deployed by its image and switched to; v1 goes once a slow request has ended and nobody calls it, and comes "
    "back by one click."
)
COMMAND = "/release start reviews v2 blue-green match=header:x-beta=1 hold=3s image=shop/reviews:v2"
PROFILE: Mapping[str, Any] = {
    "soak": "2s",
    "decommission": "scale_to_zero",
    "decommission_approval": True,
    "idle_for": "3s",
    "drain": "2s",
    "min_requests": 10,
}
REPORT_MS = 12_000  # a request that is under way while everybody is switched, and well beyond
GONE = 10.0


async def life(scene: Scene) -> None:
    """From no Deployment of v2 to no pod of v1, and all the way back."""
    await _prepared(scene)
    await scene.start("alice", COMMAND)
    await scene.until(lambda: scene.reaches, STAGE, "testers reach v2")
    made = await scene.shop.get(DEPLOYMENTS, f"{SERVICE}-v2")
    if made is None or made["metadata"]["labels"].get(CREATED_BY) is None:
        raise BrokenError("v2 was not deployed by its image")
    scene.seen(f"Deployment {SERVICE}-v2 was made from {SERVICE}-v1's, {scene.shop.ready('v2')} pods are ready")
    await scene.until(lambda: scene.headline_says("needs approval"), STAGE, "the switch is asked about")
    report = asyncio.create_task(_slow_request(scene.mesh.envoy_url), name="a request that takes its time")
    try:
        await _retired(scene, report)
    finally:
        report.cancel()
        await asyncio.gather(report, return_exceptions=True)
    await _back(scene)


async def _prepared(scene: Scene) -> None:
    """No v2 yet, and a route that lets a request take its time."""

    def patient(route: Document) -> None:
        for http in route["spec"]["http"]:
            http.pop("timeout", None)
            http.pop("retries", None)

    await scene.shop.edit(VIRTUAL_SERVICES, SERVICE, patient)
    await scene.shop.delete(DEPLOYMENTS, f"{SERVICE}-v2")
    await scene.until(lambda: scene.shop.pods("v2") == 0, GONE, "there is no pod of v2")


async def _slow_request(url: str) -> tuple[int, str]:
    """Status and version of one request that takes longer than the switch and the soak."""
    async with aiohttp.ClientSession() as session:
        where, host = f"{url}/reviews/report?take_ms={REPORT_MS}", f"{SERVICE}:{PORT}"
        async with session.get(where, headers={"Host": host}) as answer:
            await answer.read()
            return answer.status, answer.headers.get("x-version", "")


async def _retired(scene: Scene, report: "asyncio.Task[tuple[int, str]]") -> None:
    """The switch, the soak, the slow request's end, the proof, a yes, and no pod of v1."""
    await scene.until(lambda: scene.asked.get("v2") == 100, STAGE, "everybody is switched to v2", "bob")
    await scene.until(lambda: "still draining: 1 request under way" in scene.card(), STAGE, "the card tells who drains")
    if report.done() or await scene.shop.replicas("v1") == 0:
        raise BrokenError("v1 was let go before its last request had ended")
    scene.seen("v1 has no traffic any more, and is kept while one request to it is under way")
    await scene.until(report.done, STAGE, "the slow request ends")
    if report.result() != (200, "v1"):
        raise BrokenError(f"the slow request ended with {report.result()}, not with v1's 200")
    scene.seen("the request ended well, at v1")
    await scene.until(lambda: bool(scene.said("asks whether v1 is scaled to 0")), STAGE, "people are asked about v1")
    proof = scene.said("asks whether v1 is scaled to 0")
    for words in ("unchanged over", "No request was under way", "Last in the access log of"):
        if words not in proof:
            raise BrokenError(f"the proof of idleness lacks {words!r}: {proof}")
    scene.seen(proof.partition(" is scaled to 0. ")[2] or proof)
    await scene.until(lambda: scene.headline_says("complete"), STAGE, "v1 is let go", "bob")
    await scene.until(lambda: scene.shop.pods("v1") == 0, GONE, "there is no pod of v1")
    scene.seen(f"Deployment {SERVICE}-v1 asks for {await scene.shop.replicas('v1')} pods")
    await scene.pictured(PICTURE)


async def _back(scene: Scene) -> None:
    """One click brings the pods back first and the traffic then."""
    asked = await scene.warned("carol", ROLL_BACK)
    if "scaled up" not in asked:
        raise BrokenError(f"the click's confirm does not say that v1 has to be scaled up: {asked}")
    scene.seen(f"the confirm says: {asked}")
    await scene.roll_back("carol")
    await scene.restored(STAGE + BACK)
    await scene.until(lambda: scene.headline_says("rolled back"), SAID, "the channel says so")
    await scene.until(lambda: scene.shop.ready("v1") == 3, BEGIN, "v1 has its three pods")
    scene.seen("v1 has its three pods and all traffic again")
