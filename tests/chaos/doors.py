"""Doors before the API server and Prometheus, one per replica: each answers amiss, late or not at all when told to."""

from __future__ import annotations

import asyncio
import json
import random
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox.web_server import WebServer
from tests.integration.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler

WRITES = frozenset({"PUT", "POST", "PATCH", "DELETE"})
Document = dict[str, Any]


class Trouble(StrEnum):
    """What a neighbour does instead of answering well."""

    REFUSED = "refused"  # nobody listens
    HANGING = "hanging"  # bytes are swallowed, both ways
    ERRORS = "errors"  # 500
    LIMITED = "limited"  # 429 with Retry-After
    CONFLICTS = "conflicts"  # 409 to writes
    LOST = "lost"  # done, and the answer never arrives
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Call:
    """One write that came to a door, and what it was answered; `is_lost` when the caller never heard of it."""

    at: float
    door: str
    method: str
    path: str
    sent: Document
    status: int
    answered: Document
    is_lost: bool


class Door:
    """An application behind a gate, with trouble in between; `heard` is told of every write that was carried out."""

    def __init__(self, name: str, application: web.Application, heard: Callable[[Call], None]) -> None:
        self.name = name
        self._heard = heard
        self._application = application
        self._chance = random.Random(name)
        self._server: WebServer | None = None
        self._gate: Gate | None = None
        self._trouble: Trouble | None = None
        application.middlewares.insert(0, self._through)

    @property
    def url(self) -> str:
        """Where the replica knocks."""
        assert self._gate is not None
        return self._gate.url

    @property
    def trouble(self) -> Trouble | None:
        """What is wrong now."""
        return self._trouble

    async def open(self) -> None:
        """Begin to answer."""
        self._server = WebServer(self._application)
        self._gate = Gate(await self._server.start())
        await self._gate.open()

    async def close(self) -> None:
        """End."""
        assert self._gate is not None
        assert self._server is not None
        await self._gate.shut()
        await self._server.stop()

    async def suffer(self, trouble: Trouble) -> None:
        """Be in trouble until healed."""
        assert self._gate is not None
        await self.heal()
        self._trouble = trouble
        if trouble is Trouble.REFUSED:
            await self._gate.shut()
        elif trouble is Trouble.HANGING:
            await self._gate.stall()

    async def heal(self) -> None:
        """Answer well again."""
        assert self._gate is not None
        was, self._trouble = self._trouble, None
        if was is Trouble.REFUSED:
            await self._gate.open()
        elif was is Trouble.HANGING:
            await self._gate.flow()

    @web.middleware
    async def _through(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        is_write = request.method in WRITES and "/api/v1/query" not in request.path
        is_hit = self._chance.random() < 0.7
        instead = self._instead(is_write=is_write) if is_hit else None
        if instead is not None:
            return instead
        if self._trouble is Trouble.SLOW and is_hit:
            await asyncio.sleep(self._chance.uniform(0.2, 2.5))
        if not is_write:
            return await handler(request)
        body = await request.read()
        answer = await handler(request)
        is_lost = self._trouble is Trouble.LOST and is_hit
        self._note(request, body, answer, is_lost)
        if is_lost and request.transport is not None:
            request.transport.abort()
        return answer

    def _instead(self, *, is_write: bool) -> web.Response | None:
        match self._trouble:
            case Trouble.ERRORS:
                return web.json_response(_status(500, "InternalError", "etcdserver: request timed out"), status=500)
            case Trouble.LIMITED:
                told = _status(429, "TooManyRequests", "too many requests, please try again later")
                return web.json_response(told, status=429, headers={"Retry-After": "1"})
            case Trouble.CONFLICTS if is_write:
                return web.json_response(_status(409, "Conflict", "the object has been modified"), status=409)
            case _:
                return None

    def _note(self, request: web.Request, body: bytes, answer: web.StreamResponse, is_lost: bool) -> None:
        told = answer.body if isinstance(answer, web.Response) else b""
        self._heard(
            Call(
                time.time(),
                self.name,
                request.method,
                request.path,
                json.loads(body) if body else {},
                answer.status,
                json.loads(bytes(told)) if isinstance(told, bytes) and told else {},
                is_lost,
            )
        )


def _status(code: int, reason: str, message: str) -> Document:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message,
    }
