"""Each strategy from the typed command to a stage that tells it apart; the README's pictures are taken here."""

from collections.abc import Mapping
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.conftest import Visit
from tests.acceptance.sandbox import Sandbox, artifacts

SIZE = (1280, 860)
PICTURE = {"x": 0, "y": 50, "width": 1280, "height": 560}
# The command, the words of the first line, of the mesh's card of v2, and of the approval's confirm.
TOLD = {
    "canary": ("sticky=cookie steps=20,100", "20 % of people", "20 % kept", "Send 100 % of production traffic"),
    "phased": ("phased from 20 by 40 every 3s to 100", "60 % needs approval", "asked 20 %", "Send 60 % of production"),
    "blue-green": (
        "blue-green match=header:x-beta=1",
        "100 % needs approval",
        "a match",
        "Switch 100 % of production traffic of reviews to v2 at once.",
    ),
    "shadow": ("shadow mirror=20,100", "copies of 20 %", "copies 20 %", "Mirror 100 % of the requests of reviews"),
    "pipeline": (
        "",
        "shadow (1/3) copies of 50 %",
        "copies 50 %",
        "Send requests of reviews to v2: header:x-user-group",
    ),
    "ab": ("ab match=header:x-beta=1 steps=50,100", "50 % of header:x-beta=1", "a match", "Send requests of reviews"),
}


BRISK = {"look": "1s", "hold": "3s"}
PROFILES: Mapping[str, Any] = {
    "pipeline": {
        "pipeline": [
            {"strategy": "shadow", "mirror": 50},
            {"strategy": "ab", "match": "header:x-user-group=internal"},
            "canary",
        ]
    }
}


@pytest.mark.parametrize("name", TOLD)
def test_a_strategy_is_started_shown_and_undone_by_the_page(sandbox: Sandbox, visit: Visit, name: str) -> None:
    words, headline, beside, effect = TOLD[name]
    sandbox.profile(**BRISK, **PROFILES.get(name, {}))
    sandbox.until_scraped()
    alice = visit(*SIZE)
    alice.type(f"/release start reviews v2 {words}".rstrip())
    sandbox.until(lambda: "needs approval" in sandbox.headline(), "the question")
    expect(alice.root).to_contain_text(headline)
    expect(alice.page.locator("#card-v2")).to_contain_text(beside)
    alice.become("bob")
    expect(alice.thread.locator("figure img").last).to_be_visible()
    alice.root.evaluate("root => root.scrollIntoView({block: 'start'})")
    alice.watch_the_streams(1_500)
    alice.page.screenshot(path=artifacts() / f"strategy-{name}.png", clip=PICTURE)  # type: ignore[arg-type]
    assert alice.cut() == []
    dialog = alice.press("Approve")
    expect(dialog).to_contain_text(effect)
    alice.page.keyboard.press("Escape")
    alice.press("Roll back").get_by_role("button", name="Roll back").click()
    sandbox.until(lambda: "rolled back" in sandbox.headline(), "the way back")
    expect(alice.page.locator("#yaml-note")).to_contain_text("as it was at the start")
