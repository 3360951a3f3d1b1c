"""A release from the typed command to the next stage, by the page alone."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.acceptance.conftest import PATIENCE_MS, Visit
from tests.acceptance.sandbox import Sandbox
from tests.acceptance.visitor import Visitor


@pytest.fixture(scope="module")
def started(sandbox: Sandbox, browser: Browser) -> Iterator[Sandbox]:
    """Alice has typed the command with its completion; the first stage waits for an approval."""
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(sandbox.page)
    page.get_by_test_id("composer").press_sequentially("/release sta")
    expect(page.get_by_role("option").first).to_contain_text("start")
    page.keyboard.press("Tab")
    page.get_by_test_id("composer").press_sequentially("rev")
    page.keyboard.press("Tab")
    page.get_by_test_id("composer").press_sequentially("v2")
    expect(page.get_by_test_id("composer")).to_have_value("/release start reviews v2")
    page.keyboard.press("Enter")
    page.close()
    sandbox.until(lambda: "25 % needs approval" in sandbox.headline(), "the question")
    yield sandbox


def test_the_root_message_and_the_stages_message_with_its_picture_are_shown(started: Sandbox, visit: Visit) -> None:
    alice = visit()
    expect(alice.root).to_contain_text("canary 5 %")
    expect(alice.thread).to_contain_text("stage 1/4")
    picture = alice.thread.get_by_role("img", name=re.compile("reviews", re.IGNORECASE)).last
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 400


def test_the_requester_is_refused_in_private(started: Sandbox, visit: Visit) -> None:
    alice = visit()
    alice.press("Approve 25 %").get_by_role("button", name="Approve 25 %").click()
    alice.told_privately("NOT_APPROVER")
    assert started.asked() == 5


def test_a_stranger_is_refused_and_nobody_else_sees_it(started: Sandbox, visit: Visit) -> None:
    mallory = visit()
    mallory.become("mallory")
    mallory.press("Roll back").get_by_role("button", name="Roll back").click()
    mallory.told_privately("NOT_ALLOWED")
    mallory.become("bob")
    expect(mallory.root).to_be_visible()
    expect(mallory.messages.filter(has_text="NOT_ALLOWED")).to_have_count(0)


def test_a_declined_dialog_changes_nothing(started: Sandbox, visit: Visit) -> None:
    bob = visit()
    bob.become("bob")
    dialog = bob.press("Approve 25 %")
    expect(dialog).to_contain_text("Send 25 % of production traffic of reviews to v2")
    dialog.get_by_role("button", name="Not now").click()
    expect(dialog).to_be_hidden()
    assert "25 % needs approval" in started.headline()


def test_an_approval_moves_the_share_and_a_button_pressed_late_answers_politely(started: Sandbox, visit: Visit) -> None:
    bob, late = visit(), visit()
    for visitor in (bob, late):
        visitor.become("bob")
    open_dialog = late.press("Approve 25 %")
    bob.press("Approve 25 %").get_by_role("button", name="Approve 25 %").click()
    expect(bob.thread).to_contain_text("Approved by @bob")
    started.until(lambda: _is_near(bob, "v2", 25), "the share of 25 %")
    expect(bob.page.get_by_test_id("yaml")).to_contain_text("weight: 25")
    open_dialog.get_by_role("button", name="Approve 25 %").click()
    late.told_privately("reviews-1")
    assert started.asked() == 25


def test_history_brings_the_last_command_back(started: Sandbox, visit: Visit) -> None:
    carol = visit()
    carol.become("carol")
    carol.type("/release status reviews-1")
    carol.told_privately("reviews-1")
    carol.page.keyboard.press("ArrowUp")
    expect(carol.page.get_by_test_id("composer")).to_have_value("/release status reviews-1")


def test_a_mistyped_command_is_answered_in_private_with_the_nearest_one(started: Sandbox, visit: Visit) -> None:
    alice = visit()
    alice.type("/release statr reviews v2")
    alice.told_privately("Did you mean")


def test_a_command_of_another_app_is_refused_on_the_spot(started: Sandbox, visit: Visit) -> None:
    alice = visit()
    alice.type("/poll lunch?")
    expect(alice.page.get_by_role("alert")).to_contain_text("/release")
    expect(alice.page.get_by_test_id("composer")).to_have_value("/poll lunch?")


def _is_near(visitor: Visitor, version: str, percent: int) -> bool:
    return abs(visitor.share(version) - percent) <= 6
