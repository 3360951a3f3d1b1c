"""What the log may hold: our own lines, warnings of libraries, and no address that carries a token."""

import logging
from collections.abc import Iterator

import pytest

from bot.logs import Repeats, configure
from bot.settings import LogFormat


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def test_the_client_of_hooks_does_not_log_the_addresses_it_asks(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogFormat.TEXT)
    logging.getLogger("httpx").info("HTTP Request: POST https://smoke.example/run?token=hunter2")
    logging.getLogger("bot.worker").info("done")
    logged = capsys.readouterr().err
    assert "hunter2" not in logged
    assert "bot.worker done" in logged


def test_a_warning_is_said_once_a_minute_and_everything_else_each_time() -> None:
    seconds = [0.0]
    repeats = Repeats(lambda: seconds[0])

    def said(level: int, text: str, after: float) -> bool:
        seconds[0] += after
        return repeats.filter(logging.LogRecord("bot.schedule", level, "", 0, text, None, None))

    warned = [said(logging.WARNING, "put off", after) for after in (0, 30, 29.9, 0.1)]
    assert warned == [True, False, False, True]
    assert said(logging.WARNING, "another", 1)
    assert all(said(logging.INFO, "done", 0) for _ in range(2))
    said(logging.WARNING, "much later", 61)
    assert len(repeats._said) == 1
