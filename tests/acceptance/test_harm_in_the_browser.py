"""A version that hurts is taken back while one watches."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.acceptance.conftest import Visit
from tests.acceptance.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.acceptance.visitor import Visitor


@pytest.fixture
def live(sandbox: Sandbox) -> Iterator[Sandbox]:
    """A healthy release at its first stage, and a healthy shop afterwards."""
    sandbox.post("/api/command", user="alice", text="/release start reviews v2")
    sandbox.until(lambda: "canary 5 %" in sandbox.headline() and sandbox.asked() == 5, "the first stage")
    yield sandbox
    sandbox.post("/api/knobs", version="v2", error_rate=0, delay_ms=0, dead=False)


def test_a_failing_version_is_rolled_back_and_a_picture_shows_why(live: Sandbox, visit: Visit) -> None:
    carol = visit()
    carol.become("carol")
    carol.page.get_by_test_id("knob-v2-errors").fill("40")
    expect(carol.root).to_contain_text("rolled back")
    expect(carol.thread.get_by_role("img", name=re.compile("FAIL", re.IGNORECASE)).last).to_be_visible()
    expect(carol.page.get_by_test_id("share-v1")).to_have_text("100 %")
    expect(carol.page.get_by_test_id("failed")).not_to_have_text("0 failed")
    expect(carol.root.get_by_role("button")).to_have_count(0)


def test_a_dead_version_is_rolled_back_by_the_second_look_that_sees_it(live: Sandbox, visit: Visit) -> None:
    bob = visit()
    bob.become("bob")
    bob.page.get_by_test_id("knob-v2-dead").check()
    live.until(lambda: live.asked() == 0, "the rollback")
    expect(bob.root).to_contain_text("rolled back")
    dead = [look for look in live.looks() if look["ready"] and look["ready"]["v2"] == 0]
    assert 1 <= len(dead) <= 2


def test_a_persons_rollback_is_one_button_and_one_confirm(live: Sandbox, visit: Visit) -> None:
    carol = visit()
    carol.become("carol")
    carol.press("Roll back").get_by_role("button", name="Roll back").click()
    expect(carol.root).to_contain_text("rolled back")
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
    sandbox.until(lambda: knobs()["orders"] == 0.75, "a quarter of the orders lost")
    bob.page.get_by_role("button", name="Make it well again").click()
    sandbox.until(lambda: (knobs()["error_rate"], knobs()["orders"]) == (0.0, 1.0), "a healthy v2")
