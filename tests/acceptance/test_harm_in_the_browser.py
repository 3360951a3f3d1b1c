"""A version that hurts is taken back while one watches."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.acceptance.conftest import Visit
from tests.acceptance.sandbox import Sandbox
from tests.acceptance.visitor import PATIENCE_MS, Visitor

LOOK_SECONDS = 2


@pytest.fixture
def live(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A healthy release at its first stage, and a healthy shop afterwards."""
    outcome = sandbox.post("/api/command", user="alice", text="/release start reviews v2").json()
    assert outcome["acknowledged"]
    sandbox.until(lambda: "canary 5 %" in sandbox.headline() and sandbox.asked() == 5, 20, "the first stage")
    yield sandbox
    sandbox.post("/api/knobs", version="v2", error_rate=0, delay_ms=0, dead=False)


def test_a_failing_version_is_rolled_back_and_a_picture_shows_why(live: Sandbox, visit: Visit) -> None:
    carol = visit()
    carol.become("carol")
    carol.page.get_by_test_id("knob-v2-errors").fill("40")
    expect(carol.root).to_contain_text("rolled back", timeout=60_000)
    expect(carol.thread.get_by_role("img", name=re.compile("FAIL", re.IGNORECASE)).last).to_be_visible(
        timeout=PATIENCE_MS
    )
    expect(carol.page.get_by_test_id("share-v1")).to_have_text("100 %", timeout=PATIENCE_MS)
    expect(carol.page.get_by_test_id("failed")).not_to_have_text("0 failed")
    expect(carol.root.get_by_role("button")).to_have_count(0)


def test_a_dead_version_is_rolled_back_within_three_looks(live: Sandbox, visit: Visit) -> None:
    bob = visit()
    bob.become("bob")
    began = time.monotonic()
    bob.page.get_by_test_id("knob-v2-dead").check()
    live.until(lambda: live.asked() == 0, 30, "the rollback")
    # The third look may be a whole look away when the pods die, and a write follows it.
    assert time.monotonic() - began < 4 * LOOK_SECONDS + 1
    expect(bob.root).to_contain_text("rolled back", timeout=PATIENCE_MS)


def test_a_persons_rollback_is_one_button_and_one_confirm(live: Sandbox, visit: Visit) -> None:
    carol = visit()
    carol.become("carol")
    carol.press("Roll back").get_by_role("button", name="Roll back").click()
    expect(carol.root).to_contain_text("rolled back", timeout=PATIENCE_MS)
    assert live.asked() == 0


def test_the_knobs_show_what_another_person_turned(sandbox: Sandbox, visit: Visit) -> None:
    def knobs() -> dict[str, float]:
        found: dict[str, float] = sandbox.get("/api/state")["mesh"]["knobs"]["v2"]
        return found

    bob: Visitor = visit()
    sandbox.post("/api/knobs", version="v2", error_rate=0.3, delay_ms=250, orders=0.4, dead=False)
    expect(bob.page.get_by_test_id("knob-v2-errors")).to_have_value("30")
    expect(bob.page.get_by_test_id("knob-v2-delay")).to_have_value("250")
    expect(bob.page.get_by_test_id("knob-v2-orders")).to_have_value("60")
    bob.page.get_by_test_id("knob-v2-orders").fill("25")
    sandbox.until(lambda: knobs()["orders"] == 0.75, 5, "a quarter of the orders lost")
    bob.page.get_by_role("button", name="Make it well again").click()
    sandbox.until(lambda: (knobs()["error_rate"], knobs()["orders"]) == (0.0, 1.0), 5, "a healthy v2")
