"""An API server that answers lists and watches from a script: for the faults a real one seldom has."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

Document = dict[str, Any]


def pod(name: str, version: int) -> Document:
    return {"metadata": {"name": name, "resourceVersion": str(version)}}


def event(kind: str, name: str, version: int) -> Document:
    return {"type": kind, "object": pod(name, version)}


GONE = {"type": "ERROR", "object": {"code": 410, "reason": "Expired", "message": "too old"}}


class ScriptedApi:
    """`lists` and `watches` are consumed in order; when the watches are used up, the last one stays open."""

    def __init__(self, lists: list[list[Document]], watches: list[list[Document] | int]) -> None:
        self._lists = deque(lists)
        self._watches = deque(watches)
        self.listed = 0
        self.watched_from: list[str] = []
        self.url = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["ScriptedApi"]:
        app = web.Application()
        app.router.add_get("/api/v1/namespaces/shop/pods", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.query.get("watch") != "true":
            self.listed += 1
            return web.json_response({"metadata": {"resourceVersion": "10"}, "items": self._lists.popleft()})
        self.watched_from.append(request.query["resourceVersion"])
        if not self._watches:
            await asyncio.Event().wait()
        script = self._watches.popleft()
        if isinstance(script, int):
            return web.json_response({"code": script, "reason": "Scripted", "message": ""}, status=script)
        answer = web.StreamResponse()
        await answer.prepare(request)
        for one in script:
            await answer.write(json.dumps(one).encode() + b"\n")
        return answer
