"""Runs the sandbox until somebody ends it: signals, the ready file, what is said on the way."""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import aiohttp

from bot.sandbox import ready_file
from bot.sandbox.bot_process import BotEndedError
from bot.sandbox.mesh.envoy_proxy import EnvoyStartError
from bot.sandbox.page.server import page_application
from bot.sandbox.prometheus.real import PrometheusFailedError
from bot.sandbox.supervisor import Options, Supervisor

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TROUBLES = (BotEndedError, EnvoyStartError, PrometheusFailedError, aiohttp.ClientError, OSError, TimeoutError)


class StartError(Exception):
    """A part did not come up; the message says which and shows its last words."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A signal ended it before it was done."""

    signal: signal.Signals


async def run(
    options: Options,
    bound: socket.socket,
    ready: Path | None,
    play: Callable[[Supervisor], Awaitable[T]],
) -> T | Interrupted:
    """Start everything, hand it to `play`, and end everything whatever happens; StartError names a part that failed."""
    supervisor = Supervisor(options)
    _log_into(supervisor.folder)
    failed = True
    try:
        result = await _until_signal(_played(supervisor, bound, ready, play))
        failed = False
        return result
    except TROUBLES as trouble:
        kept = f"The logs are kept in {supervisor.folder}"
        raise StartError(f"{str(trouble) or type(trouble).__name__}\n{kept}") from trouble
    finally:
        if ready is not None:
            ready_file.remove(ready)
        await supervisor.stop(keep_folder=failed)


async def _played(
    supervisor: Supervisor, bound: socket.socket, ready: Path | None, play: Callable[[Supervisor], Awaitable[T]]
) -> T:
    await supervisor.show(page_application(supervisor), bound)
    await supervisor.start()
    if ready is not None:
        ready_file.write(ready, supervisor.addresses())
    return await play(supervisor)


async def _until_signal(work: Coroutine[None, None, T]) -> T | Interrupted:
    """The work's result, or the signal that cut it short; a second signal ends the process and its children."""
    loop = asyncio.get_running_loop()
    task = asyncio.create_task(work, name="sandbox")
    heard: list[signal.Signals] = []

    def hear(received: signal.Signals) -> None:
        heard.append(received)
        task.cancel()
        for one in SIGNALS:
            loop.remove_signal_handler(one)
            signal.signal(one, signal.SIG_DFL)

    for one in SIGNALS:
        loop.add_signal_handler(one, hear, one)
    try:
        return await task
    except asyncio.CancelledError:
        if not heard:
            raise
        return Interrupted(heard[0])
    finally:
        if not heard:
            for one in SIGNALS:
                loop.remove_signal_handler(one)


def _log_into(folder: Path) -> None:
    """The stand-ins' own log goes beside the bot's, not between the lines of the terminal."""
    handler = logging.FileHandler(folder / "sandbox.log", encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger("bot.sandbox")
    for old in list(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False
