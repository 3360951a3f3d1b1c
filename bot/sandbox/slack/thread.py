"""The stand-in on a thread of its own, for callers without an event loop."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self, TypeVar

from bot.sandbox.slack.stand_in import SlackStandIn

T = TypeVar("T")
_PATIENCE = 60.0


class SlackThread:
    """Serves a stand-in while the block lasts.

    with SlackThread(SlackStandIn()) as slack:
        slack.run(slack.stand_in.command("alice", "/release help"))
    """

    def __init__(self, stand_in: SlackStandIn, *, port: int = 0) -> None:
        self.stand_in = stand_in
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slack-stand-in", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.run(self.stand_in.start(port=self._port))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.run(self.stand_in.stop())
            self.run(self._loop.shutdown_asyncgens())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_PATIENCE)
            self._loop.close()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine of the stand-in gives."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(_PATIENCE)

    def read(self, function: Callable[[], T]) -> T:
        """What a plain function gives, called where the state lives."""

        async def call() -> T:
            return function()

        return self.run(call())
