"""An event loop on a thread of its own, for tests that wait while stand-ins serve."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class LoopThread:
    """Runs coroutines for callers without a loop; children it starts end with its thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="stand-ins", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = PATIENCE) -> T:
        """What a coroutine gives."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def read(self, function: Callable[[], T]) -> T:
        """What a plain function gives, called where the state lives."""

        async def call() -> T:
            return function()

        return self.run(call())

    def spawn(self, work: Coroutine[Any, Any, None]) -> Callable[[], None]:
        """Start a coroutine; the returned function ends it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)

        def end() -> None:
            future.cancel()
            # One turn of the loop, so that the cancelled task has ended when we return.
            self.run(asyncio.sleep(0.01))

        return end

    def close(self) -> None:
        """Stop the loop and wait for its thread."""
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
