"""A canary from a slash command to 100 %, told by Envoy's counters and by the API server."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from scipy import stats

from bot.sandbox.slack import Delivery
from tests.integration.parts import SCALED
from tests.integration.world import untargeted
from tests.parts import loopback
from tests.parts.service_account import SLUICE, WORKLOADS

if TYPE_CHECKING:
    from bot.sandbox.tour.report import StageReport
    from tests.integration.conftest import Worlds
    from tests.integration.world import World

STEPS = (5, 25, 50, 100)


def test_a_canary_approved_by_buttons_reaches_everybody_without_a_failed_request(worlds: Worlds) -> None:
    world = worlds(roles=(SLUICE, WORKLOADS), profile=SCALED)
    before = untargeted(world.route())
    world.command("alice", "/release start reviews v2")
    for share in STEPS:
        world.until_asked(share, approver="bob")
        assert untargeted(world.route()) == before
    world.until_headline("complete", approver="bob")
    assert world.counters()["failed"] == 0
    assert served(world) == STEPS
    assert {subset(one): one.get("weight", 100) for one in world.route()["spec"]["http"][1]["route"]}["v2"] == 100
    for stage in settled(world)[:-1]:
        assert is_plausible(stage), stage
    done = world.counters()
    world.until(lambda: world.counters()["v2"] >= done["v2"] + 200, "v2 serves on")
    assert world.counters()["v1"] == done["v1"]


def test_a_canary_over_signed_http_reaches_everybody_and_an_unsigned_payload_is_refused(worlds: Worlds) -> None:
    world = worlds(delivery=Delivery.HTTP, is_everywhere=True, profile={"steps": [50, 100], "hold": "2s"})
    forged = f"command=%2Frelease&text=start+reviews+v2&user_id=U0ALICE&team_id={world.slack.settings.team_id}"
    assert post(world, forged, "v0=0000") == 401
    assert "reviews v2" not in world.texts()
    world.command("alice", "/release start reviews v2")
    world.until_headline("complete", approver="bob")
    assert served(world) == (50, 100)
    assert world.counters()["failed"] == 0


def test_a_canary_on_postgresql_leaves_a_picture_and_a_decision_at_each_stage(
    worlds: Worlds, postgres_url: str
) -> None:
    world = worlds(database=postgres_url, is_in_pod=True, profile={"steps": [50, 100], "hold": "2s"})
    world.command("alice", "/release start reviews v2")
    world.until_headline("complete", approver="bob")
    world.until(lambda: len(world.loop.read(world.thread("bob").pictures)) >= 2, "each stage has a picture")
    assert world.loop.read(world.thread("bob").verdicts) == {1: "pass", 2: "pass"}
    decided = [reply for reply in world.loop.read(world.thread("bob").replies) if "pproved by" in json.dumps(reply)]
    assert decided and all("bob" in json.dumps(reply) for reply in decided)


def served(world: World) -> tuple[int, ...]:
    return tuple(one.asked["v2"] for one in world.loop.read(lambda: list(world.splits.accounts)) if one.asked["v2"])


def settled(world: World) -> list[StageReport]:
    world.loop.run(world.splits.close())
    return [one for one in world.splits.accounts if one.asked["v2"]]


def subset(destination: dict[str, dict[str, str]]) -> str:
    return destination["destination"]["subset"]


def is_plausible(stage: StageReport) -> bool:
    """Whether the counted share can come from the split that was asked for, but for once in ten million."""
    asked, whole = stage.asked["v2"] / 100, sum(stage.requests.values())
    return float(stats.binomtest(stage.requests["v2"], whole, asked).pvalue) > 1e-7


def post(world: World, body: str, signature: str) -> int:
    headers = {
        "X-Slack-Request-Timestamp": str(int(time.time())),
        "X-Slack-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return loopback.post(f"{world.bot.url}/slack/events", content=body, headers=headers, timeout=5).status_code
