"""What people may not do, or wrote wrongly, is answered privately in one sentence; nothing is half done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from strategies.release import Phase
from tests.integration.parts import Wish
from tests.integration.parts import world as made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.parts import Parts
    from tests.integration.world import World


@pytest.fixture(scope="module")
def world(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all refusals: what is refused leaves no trace."""
    folder: Path = tmp_path_factory.mktemp("refusals")
    with made(parts, folder, Wish(profile={"hold": "2s"})) as found:
        yield found


def test_an_unknown_service_is_refused_with_the_nearest_names(world: World) -> None:
    code, text = world.reason("alice", "/release start reveiws v2")
    assert code == "UNKNOWN_SERVICE"
    assert "reveiws" in text and "reviews" in text


def test_an_unknown_version_is_refused_with_the_versions_there_are(world: World) -> None:
    code, text = world.reason("alice", "/release start reviews v22")
    assert code == "UNKNOWN_VERSION"
    assert "v1" in text and "v2" in text


@pytest.mark.parametrize(("steps", "named"), [("5,25,abc", "abc"), ("50,25", "25"), ("5,150", "150"), ("5,25", "100")])
def test_steps_that_are_no_plan_are_refused_with_an_example(world: World, steps: str, named: str) -> None:
    code, text = world.reason("alice", f"/release start reviews v2 steps={steps}")
    assert code == "BAD_STEPS"
    assert named in text and "5,25,50,100" in text


def test_a_stranger_may_not_start(world: World) -> None:
    code, text = world.reason("mallory", "/release start reviews v2")
    assert code == "NOT_ALLOWED"
    assert "releaser" in text


def test_the_refused_starts_wrote_nothing(world: World) -> None:
    with world.remembered().reading() as tx:
        assert tx.releases.recent(10) == []
    assert len(world.route()["spec"]["http"][1]["route"]) == 1
    assert world.headline() == ""


def test_a_running_release_refuses_whoever_may_not_decide(world: World) -> None:
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until_headline("needs approval")
    name = world.release().id
    code, text = world.reason("alice", "/release start reviews v2")
    assert code == "ALREADY_RELEASING" and name in text
    for user, reason in (("alice", "SELF_APPROVAL"), ("mallory", "NOT_APPROVER")):
        before = len(world.told(user))
        world.click(user, "release_approve")
        assert world.refusal(user, before)[0] == reason
    assert (world.asked, world.release().phase) == (50, Phase.AWAITING_APPROVAL)


def test_a_stale_button_is_answered_with_what_happened_meanwhile(world: World) -> None:
    world.click("bob", "release_approve")
    world.until_asked(100)
    before = len(world.told("bob"))
    world.click("bob", "release_approve", is_stale=True)
    code, text = world.refusal("bob", before)
    # The release may have ended by itself before the button was pressed.
    assert code in {"ALREADY_DECIDED", "STALE_REVISION", "WRONG_PHASE"}
    assert world.release().id in text or "approved by bob" in text
    world.until_headline("complete", approver="bob")
