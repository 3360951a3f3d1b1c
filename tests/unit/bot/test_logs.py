"""What the log may hold: our own lines, warnings of libraries, and no address that carries a token."""

import logging
from collections.abc import Iterator

import pytest

from bot.logs import configure
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
