"""The bot's process: its death is told with its last words, and nothing of it stays."""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.sandbox import bot_process
from bot.sandbox.bot_process import BotEndedError, BotProcess, Standing
from bot.sandbox.ports import free_port
from tests.patience import PATIENCE, comes_true

READY = """
import http.server
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'{"ready": true, "reasons": ["slow today"]}')
http.server.HTTPServer(("127.0.0.1", PORT), Answer).serve_forever()
"""


def a_bot(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> BotProcess:
    port = free_port()
    program = (sys.executable, "-c", script.replace("PORT", str(port)))
    monkeypatch.setattr(bot_process, "PROGRAM", program)
    monkeypatch.setattr(bot_process, "AGAIN_SECONDS", 0.05)
    return BotProcess(folder, folder / "bot.log", port, lambda: None)


async def until(holds: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(comes_true, holds)


def test_a_bot_that_ends_before_it_is_ready_is_told_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        bot = a_bot(tmp_path, "import sys; sys.exit('no database')", monkeypatch)
        await bot.start(dict(os.environ))
        try:
            with pytest.raises(BotEndedError, match=r"ended with 1; its last words:\nno database"):
                await bot.ready(PATIENCE)
        finally:
            await bot.stop()

    asyncio.run(story())


def test_a_bot_that_never_answers_is_given_up_with_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        bot = a_bot(tmp_path, "import time; time.sleep(600)", monkeypatch)
        await bot.start(dict(os.environ))
        try:
            with pytest.raises(BotEndedError, match=r"not ready within 0\.2 s: it does not answer"):
                await bot.ready(0.2)
        finally:
            await bot.stop()
        assert bot.pid is None

    asyncio.run(story())


def test_a_ready_bot_that_dies_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        bot = a_bot(tmp_path, READY, monkeypatch)
        await bot.start(dict(os.environ))
        try:
            await bot.ready(PATIENCE)
            assert bot.condition.reasons == ("slow today",)
            first = bot.pid
            assert first is not None
            os.kill(first, 9)
            await until(lambda: bot.pid not in (first, None) and bot.condition.standing is Standing.READY)
            assert bot.restarts == 1
        finally:
            await bot.stop()

    asyncio.run(story())
