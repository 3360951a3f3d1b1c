"""The bot as a process of its own: started, asked whether it is ready, started again when it dies."""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import aiohttp

from bot.sandbox.cluster.background import Background
from bot.sandbox.mesh import leash
from bot.sandbox.ports import HOST

log = logging.getLogger(__name__)

PROGRAM = (sys.executable, "-m", "bot", "run")
ASK_SECONDS, ASK_TIMEOUT = 0.05, aiohttp.ClientTimeout(total=1)
# It survives being killed at any moment; the sandbox promises to be gone within three seconds.
STOP_SECONDS = 1.5
AGAIN_SECONDS = 1.0
TAIL_LINES = 15


class Standing(Enum):
    """How the bot is."""

    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Condition:
    """How the bot is and why, one sentence per reason."""

    standing: Standing
    reasons: tuple[str, ...] = ()


class BotEndedError(Exception):
    """The bot ended or stayed unready before it was ready once; the message has its last words."""


class BotProcess:
    """Runs the bot in a folder; `changed` is called whenever its condition changes."""

    def __init__(self, folder: Path, log_file: Path, port: int, changed: Callable[[], None]) -> None:
        self._folder = folder
        self._log_file = log_file
        self._changed = changed
        self._environment: Mapping[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._background = Background()
        self._decided = asyncio.Event()
        self._failure = ""
        self._condition = Condition(Standing.STARTING)
        self.url = f"http://{HOST}:{port}"
        self.restarts = 0

    @property
    def condition(self) -> Condition:
        """How it is now."""
        return self._condition

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process is not None and running else None

    def tail(self, lines: int = TAIL_LINES) -> str:
        """The last lines of its log."""
        if not self._log_file.exists():
            return ""
        with self._log_file.open("rb") as file:
            file.seek(max(0, self._log_file.stat().st_size - 20_000))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])

    async def start(self, environment: Mapping[str, str]) -> None:
        """Start it and look after it from now on; `ready` waits for it."""
        self._environment = environment
        await self._spawn()
        self._background.spawn(self._look_after(), "the bot")
        self._background.spawn(self._ask(), "the bot's readiness")

    async def ready(self, seconds: float) -> None:
        """Wait until it is ready for the first time; BotEndedError when it ends or the time is over."""
        try:
            await asyncio.wait_for(self._decided.wait(), seconds)
        except TimeoutError:
            reasons = "; ".join(self._condition.reasons) or "it does not answer"
            text = f"the bot was not ready within {seconds:g} s: {reasons}\n{self.tail()}"
            raise BotEndedError(text) from None
        if self._failure:
            raise BotEndedError(self._failure)

    async def stop(self) -> None:
        """SIGTERM, and SIGKILL to a bot that does not obey."""
        await self._background.stop()
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self._process.terminate()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        _close(self._process)

    async def _spawn(self) -> None:
        with self._log_file.open("ab") as output:
            # A session of its own: Ctrl-C is for the sandbox, which then ends the bot in its turn.
            self._process = await asyncio.create_subprocess_exec(
                *leash.command(list(PROGRAM)),
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=self._folder,
                env=dict(self._environment),
                start_new_session=True,
            )

    async def _look_after(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            _close(self._process)
            log.error("the bot has ended with %s; its last words:\n%s", code, self.tail())
            self._become(Condition(Standing.ENDED, (f"the bot has ended with {code}",)))
            if not self._decided.is_set():
                self._failure = f"the bot has ended with {code}; its last words:\n{self.tail()}"
                self._decided.set()
                return
            # As a cluster would: what it had promised is in its database.
            await asyncio.sleep(AGAIN_SECONDS)
            self.restarts += 1
            self._become(Condition(Standing.STARTING))
            await self._spawn()

    async def _ask(self) -> None:
        async with aiohttp.ClientSession(timeout=ASK_TIMEOUT) as session:
            while True:
                await self._ask_once(session)
                await asyncio.sleep(ASK_SECONDS if not self._decided.is_set() else 20 * ASK_SECONDS)

    async def _ask_once(self, session: aiohttp.ClientSession) -> None:
        if self.pid is None:
            return
        try:
            async with session.get(f"{self.url}/readyz") as answer:
                told = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            if self._condition.standing is Standing.READY:
                self._become(Condition(Standing.NOT_READY, ("it does not answer",)))
            return
        reasons = tuple(str(one) for one in told.get("reasons", ()))
        if answer.status == 200:
            self._decided.set()
            self._become(Condition(Standing.READY, reasons))
        else:
            standing = Standing.NOT_READY if self._decided.is_set() else Standing.STARTING
            self._become(Condition(standing, reasons))

    def _become(self, condition: Condition) -> None:
        if condition != self._condition:
            self._condition = condition
            self._changed()


def _close(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
