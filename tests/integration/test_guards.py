"""A version that staging does not know: held before the first write, overridden aloud, and called off at any time."""

from __future__ import annotations

import http.server
from typing import TYPE_CHECKING

import pytest

from strategies.reasons import ReasonCode
from strategies.release import Phase
from tests.answering import answering
from tests.integration.parts import Wish
from tests.integration.parts import world as made

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.parts import Parts
    from tests.integration.world import World


class Staging(http.server.BaseHTTPRequestHandler):
    """Knows no version."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture(scope="module")
def staging() -> Iterator[str]:
    with answering(Staging) as url:
        yield f"{url}/done/{{{{service}}}}/{{{{version}}}}"


@pytest.fixture(scope="module")
def world(parts: Parts, staging: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("guards")
    with made(parts, folder, Wish(profile={"hold": "2s", "staging": staging})) as found:
        yield found


def test_the_plan_shows_what_does_not_hold(world: World) -> None:
    world.answer("bob", "/release plan reviews v2")
    assert "✗ reviews v2 was not completed in staging. `NOT_STAGED`" in world.texts()
    assert "✓ v1 serves 100 %." in world.texts()


def test_a_held_start_writes_nothing_and_is_called_off(world: World) -> None:
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until(lambda: "NOT_STAGED" in world.texts(), "the thread says what holds it")
    assert world.release().phase is Phase.PREPARING
    assert len(world.route()["spec"]["http"][1]["route"]) == 1
    world.command("alice", "/release rollback reviews")
    world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "it is called off")
    assert world.asked in {0, None}


def test_an_override_is_refused_without_the_role_and_begins_with_it(world: World) -> None:
    world.command("alice", "/release start reviews v2 steps=50,100")
    world.until(lambda: world.release().blocked_by is ReasonCode.NOT_STAGED, "it is held")
    id = world.release().id
    assert world.reason("alice", f"/release override {id} NOT_STAGED by hand")[0] == "NOT_ALLOWED"
    world.answer("bob", f"/release override {id} NOT_STAGED tested by hand")
    world.until_asked(50)
    world.until(lambda: "NOT_STAGED overridden by bob: tested by hand" in world.texts(), "everybody reads why")
    world.command("alice", "/release rollback reviews")
    world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "it goes back")
