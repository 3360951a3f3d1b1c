"""News of every visible change, for pages that follow along."""

import asyncio
from collections.abc import AsyncGenerator

from bot.sandbox.slack.wire import Json

_BACKLOG = 1000


class Changes:
    """Hands each change to every subscriber."""

    def __init__(self) -> None:
        self._subscribers: set[asyncio.Queue[Json | None]] = set()

    def tell(self, kind: str, **what: object) -> None:
        """Tell everybody; a subscriber who reads nothing loses the oldest news."""
        self._put({"kind": kind, **what})

    def close(self) -> None:
        """Tell every subscriber that nothing more comes."""
        self._put(None)

    def subscribe(self) -> AsyncGenerator[Json, None]:
        """Every change from this call on, until the caller closes it."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue(_BACKLOG)
        self._subscribers.add(queue)
        return self._follow(queue)

    async def _follow(self, queue: asyncio.Queue[Json | None]) -> AsyncGenerator[Json, None]:
        try:
            while (change := await queue.get()) is not None:
                yield change
        finally:
            self._subscribers.discard(queue)

    def _put(self, news: Json | None) -> None:
        for queue in self._subscribers:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(news)
