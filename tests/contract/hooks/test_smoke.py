"""What a smoke test over real HTTP says, and what is no answer."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from bot.answerers import SmokeAnswer
from bot.errors import Transient
from bot.hooks.smoke import HttpSmoke, trouble
from tests.answering import answering
from tests.contract.patience import PATIENCE

ANSWERS: dict[str, tuple[int, str]] = {
    "ok": (200, "42 checks\nand more"),
    "silent": (204, ""),
    "json": (200, '{"passed": true, "text": "all fine"}'),
    "no": (200, '{"passed": false, "text": "login is broken"}'),
    "failed": (422, "login is broken"),
    "running": (202, ""),
    "broken": (500, "stack trace"),
    "gone": (404, ""),
}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers by the last part of the path."""

    asked: list[tuple[str, dict[str, object]]] = []  # noqa: RUF012 - of the one server of this module
    given_up = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append((self.headers["idempotency-key"], json.loads(body)))
        name = self.path.rpartition("/")[2]
        if name == "slow":
            self.given_up.wait(PATIENCE)
            return
        status, text = ANSWERS.get(name, (404, ""))
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Keep the test's output quiet."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with answering(Handler) as url:
        yield url


def ask(address: str) -> SmokeAnswer:
    return HttpSmoke().ask(address, {"candidate": "v2"}, "smoke:reviews-1:0:2")


@pytest.mark.parametrize(
    ("name", "passed", "text"),
    [
        ("ok", True, "passed: 42 checks"),
        ("silent", True, "passed."),
        ("json", True, "passed: all fine"),
        ("no", False, "failed: login is broken"),
        ("failed", False, "failed: login is broken"),
    ],
)
def test_a_yes_and_a_no_come_with_their_first_line(address: str, name: str, passed: bool, text: str) -> None:
    answer = ask(f"{address}/{name}")
    assert (answer.is_passed, answer.text) == (passed, f"The smoke test at 127.0.0.1 {text}")
    assert Handler.asked[-1] == ("smoke:reviews-1:0:2", {"candidate": "v2"})


@pytest.mark.parametrize("name", ["broken", "gone", "running"])
def test_anything_else_is_no_answer_and_no_failed_test(address: str, name: str) -> None:
    with pytest.raises(Transient) as told:
        ask(f"{address}/{name}")
    assert (told.value.retry_after is not None) == (name == "running")


def test_nobody_there_and_nobody_in_time_are_said_without_the_address(address: str) -> None:
    with pytest.raises(Transient, match=r"at 127\.0\.0\.1 cannot be asked: no connection") as told:
        ask("http://127.0.0.1:9/?token=secret")
    assert "secret" not in str(told.value)
    with pytest.raises(Transient, match=r"did not answer within 0\.1 s"):
        HttpSmoke(timeout=0.1).ask(f"{address}/slow", {}, "k")
    Handler.given_up.set()


def test_an_address_that_is_none_is_told() -> None:
    assert trouble("https://smoke.example/run") == ""
    assert all("http" in trouble(each) for each in ("smoke.example", "ftp://x", "https://"))
