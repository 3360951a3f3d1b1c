"""The page fits wide and narrow screens, light and dark, and everybody can use it."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.axe import axe_source
from tests.acceptance.conftest import Visit
from tests.acceptance.sandbox import Sandbox, artifacts
from tests.acceptance.visitor import Visitor

WIDE, NARROW = (1440, 900), (390, 844)
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def asking(sandbox: Sandbox) -> Sandbox:
    """A release that waits for an approval, and a private answer to Alice."""
    sandbox.post("/api/command", user="alice", text="/release start reviews v2")
    sandbox.until(lambda: "25 % needs approval" in sandbox.headline(), "the question")
    sandbox.post("/api/command", user="alice", text="/release approve reviews-1")
    return sandbox


def settled(visitor: Visitor) -> Visitor:
    """With its picture loaded."""
    expect(visitor.thread.locator("figure img").last).to_be_visible()
    return visitor


def flowing(visitor: Visitor) -> Visitor:
    """With its picture loaded and the streams full of drops."""
    settled(visitor).watch_the_streams(1_800)
    return visitor


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_cut_on_a_wide_screen(asking: Sandbox, visit: Visit, scheme: str) -> None:
    alice = flowing(visit(*WIDE, scheme))
    alice.page.screenshot(path=artifacts() / f"sandbox-1440-{scheme}.png")
    assert alice.cut() == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_is_cut_on_a_narrow_screen_whichever_tab_is_shown(asking: Sandbox, visit: Visit, scheme: str) -> None:
    alice = flowing(visit(*NARROW, scheme))
    for tab in ("Mesh", "Channel"):
        alice.page.get_by_role("tab", name=tab).click()
        alice.page.screenshot(path=artifacts() / f"sandbox-390-{scheme}-{tab.lower()}.png")
        assert alice.cut() == []
        if tab == "Mesh":
            knobs = alice.page.locator("section.knobs")
            assert knobs.evaluate("one => one.scrollHeight <= one.clientHeight"), "every knob is seen"


def test_the_page_asks_no_other_host_for_anything(asking: Sandbox, visit: Visit) -> None:
    alice = visit()
    asked: list[str] = []
    alice.page.on("request", lambda request: asked.append(request.url))
    alice.page.reload()
    settled(alice)
    assert len(asked) > 10
    assert [url for url in asked if not url.startswith(asking.page)] == []


# What the page does with a message that has changed.
REDRAWN = "for (const one of document.querySelectorAll('.message')) one.replaceWith(one.cloneNode(true))"


def test_a_keyboard_alone_approves(asking: Sandbox, visit: Visit) -> None:
    bob = visit()
    bob.become("bob")
    button = bob.root.get_by_role("button", name="Approve 25 %")
    button.focus()
    bob.page.keyboard.press("Enter")
    dialog = bob.page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Approve 25 %")).to_be_focused()
    bob.page.evaluate(REDRAWN)
    bob.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_has_no_serious_complaint(asking: Sandbox, visit: Visit, size: tuple[int, int], scheme: str) -> None:
    alice = settled(visit(*size, scheme))
    alice.page.evaluate(axe_source())
    for tab in ("Mesh", "Channel") if size == NARROW else ("",):
        if tab:
            alice.page.get_by_role("tab", name=tab).click()
        assert serious(alice) == []


def serious(visitor: Visitor) -> list[str]:
    """Rule and place of every serious or critical violation."""
    found: dict[str, Any] = visitor.page.evaluate("() => axe.run()")
    bad = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['html'][:120]} {node['failureSummary'][:200]}" for one in bad for node in one["nodes"]]


def test_the_readmes_screenshots_are_taken_in_the_middle_of_a_canary(asking: Sandbox, visit: Visit) -> None:
    asking.post("/api/click", user="bob", ts=_root(asking), action_id="release_approve")
    asking.until(lambda: "50 % needs approval" in asking.headline(), "the second question")
    for size in (WIDE, NARROW):
        bob = visit(*size)
        bob.become("bob")
        flowing(bob)
        bob.thread.locator("h4").filter(has_text="stage 2/4").scroll_into_view_if_needed()
        bob.page.locator("#scroll").evaluate("one => { one.scrollTop += 140; }")
        path = artifacts() / f"sandbox-{size[0]}.png"
        bob.page.screenshot(path=path)
        assert path.stat().st_size <= 300_000


def _root(sandbox: Sandbox) -> str:
    roots = [one["ts"] for one in sandbox.messages() if one["thread_ts"] in (None, one["ts"]) and one["blocks"]]
    return str(roots[0])
