"""Notes every call at the API server stand-in: when it came, when it was answered, who made it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

# The mesh stand-in's own client, whose calls are no cost of the bot's.
OURS = "aiohttp"


@dataclass(frozen=True)
class Call:
    """One request; times are of the monotonic clock."""

    came_at: float
    answered_at: float
    method: str
    path: str
    status: int
    is_watch: bool


@dataclass
class Recorder:
    """The bot's calls, in the order in which they were answered; watches count when they begin."""

    calls: list[Call] = field(default_factory=list)

    def wrap(self, application: web.Application) -> web.Application:
        """The same application, noting."""
        application.middlewares.insert(0, self._note)
        return application

    def since(self, moment: float, method: str = "") -> list[Call]:
        """Calls that came after a moment."""
        return [call for call in list(self.calls) if call.came_at >= moment and method in ("", call.method)]

    @web.middleware
    async def _note(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        came_at, is_watch = time.monotonic(), "watch" in request.query
        if OURS in request.headers.get("User-Agent", ""):
            return await handler(request)
        if is_watch:
            self.calls.append(Call(came_at, came_at, request.method, request.path, 200, is_watch))
            return await handler(request)
        answer = await handler(request)
        self.calls.append(Call(came_at, time.monotonic(), request.method, request.path, answer.status, is_watch))
        return answer
