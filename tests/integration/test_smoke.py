"""A smoke test over real HTTP decides a preview: silence waits, a no takes it back, a yes puts the switch to people."""

from __future__ import annotations

import http.server
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from strategies.release import Phase
from tests.integration.world import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Worlds


class Hook(http.server.ThreadingHTTPServer):
    """Answers with one status until it is given another; remembers what it was told."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = status
        self.told: list[dict[str, Any]] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        self.server.told.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@contextmanager
def hook(status: int) -> Iterator[Hook]:
    with Hook(status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_no_answer_waits_a_no_goes_back_and_a_yes_asks_for_the_switch(worlds: Worlds) -> None:
    with hook(503) as smoke:
        # Nobody but the test itself would send the preview's header: the stage must not wait for callers.
        profile = {"smoke": f"http://127.0.0.1:{smoke.server_port}/run", "hold": "500ms", "look": "500ms"}
        world = worlds(profile=profile)
        original = canonical(world.route()["spec"])
        world.command("alice", "/release start reviews v2 blue-green")
        world.until(lambda: len(smoke.told) >= 2, "the test is asked, and asked again")
        assert not world.release().is_going_back
        smoke.status = 422
        world.until(lambda: world.release().phase is Phase.ROLLED_BACK, "a no takes the preview back")
        assert canonical(world.route()["spec"]) == original
        told = len(smoke.told)
        assert [smoke.told[0]] * told == smoke.told
        assert (smoke.told[0]["candidate"], smoke.told[0]["matches"]) == ("v2", ["header:x-sluice-preview=v2"])
        smoke.status = 200
        world.command("alice", "/release start reviews v2 blue-green")
        world.until(lambda: world.release().phase is Phase.AWAITING_APPROVAL, "a yes asks for the switch")
        assert len(smoke.told) == told + 1
        assert world.counters().get("v2", 0) == 0
