"""The page's server: static files, the JSON interface, and news as they happen."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.sandbox.bad_input import BadInputError, one_of
from bot.sandbox.page.hands import Hands
from bot.sandbox.page.state import PageState
from bot.sandbox.slack import DriverError
from bot.sandbox.supervisor import Supervisor

STATIC = Path(__file__).parent / "static"
LARGEST_BODY = 64 * 1024
TICK_SECONDS, GATHER_SECONDS = 0.5, 0.05
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def page_application(supervisor: Supervisor) -> web.Application:
    """The page of a sandbox, which may still be starting."""
    return Page(supervisor).application()


class Page:
    """Answers the browser."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._state = PageState(supervisor)
        self._hands = Hands(supervisor)

    def application(self) -> web.Application:
        """All routes."""
        application = web.Application(middlewares=[_guard], client_max_size=LARGEST_BODY)
        application.add_routes(
            [
                web.get("/", _index),
                web.get("/api/state", self._get_state),
                web.get("/api/messages", self._get_messages),
                web.get("/api/events", self._events),
                web.get("/api/files/{file_id}", self._file),
                web.post("/api/knobs", self._knobs),
                web.post("/api/shop", self._shop),
                web.post("/api/command", self._command),
                web.post("/api/click", self._click),
                web.static("/static", STATIC),
            ]
        )
        return application

    async def _get_state(self, _: web.Request) -> web.Response:
        return web.json_response(self._state.document())

    async def _get_messages(self, request: web.Request) -> web.Response:
        user = self._hands.user(request.query.get("user", "alice"))
        return web.json_response({"user": user, "messages": self._hands.messages(user)})

    async def _knobs(self, request: web.Request) -> web.Response:
        document = await _body(request)
        self._needs_mesh()
        return web.json_response({"ok": True, "knobs": await self._hands.turn(document)})

    async def _shop(self, request: web.Request) -> web.Response:
        document = await _body(request)
        self._needs_mesh()
        return web.json_response({"ok": True, "shop": await self._hands.turn_shop(document)})

    async def _command(self, request: web.Request) -> web.Response:
        outcome = await self._hands.command(await _body(request))
        return web.json_response({"ok": True, **outcome.document()})

    async def _click(self, request: web.Request) -> web.Response:
        outcome = await self._hands.click(await _body(request))
        return web.json_response({"ok": True, **outcome.document()})

    async def _file(self, request: web.Request) -> web.Response:
        files = self._supervisor.slack.state.files
        file = files.find(request.match_info["file_id"])
        if file is None or file.content is None:
            raise web.HTTPNotFound(text="no such file")
        kind = files.document(file, "")["mimetype"]
        # Only pictures are shown; whatever else was uploaded is never run by the browser.
        shown = kind if kind in ("image/png", "image/jpeg", "image/gif") else "application/octet-stream"
        return web.Response(body=file.content, content_type=shown)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        user = self._hands.user(request.query.get("user", "alice"))
        watchers = self._supervisor.watchers
        event = watchers.join()
        try:
            await stream.prepare(request)
            last = ""
            while not watchers.closed:
                event.clear()
                messages = json.dumps(self._hands.messages(user))
                if messages != last:
                    last = messages
                    await stream.write(f"event: messages\ndata: {messages}\n\n".encode())
                await stream.write(f"event: state\ndata: {json.dumps(self._state.document())}\n\n".encode())
                await _woken(event)
        except ConnectionError:
            return stream  # the browser has left; there is nobody to tell
        finally:
            watchers.leave(event)
        return stream

    def _needs_mesh(self) -> None:
        if not self._supervisor.is_up:
            text = json.dumps({"ok": False, "error": "starting", "text": "the sandbox is still starting"})
            raise web.HTTPServiceUnavailable(text=text, content_type="application/json")


async def _woken(event: asyncio.Event) -> None:
    """Wait for news, but no longer than a tick; what happens at once is told at once."""
    try:
        await asyncio.wait_for(event.wait(), TICK_SECONDS)
    except TimeoutError:
        return
    await asyncio.sleep(GATHER_SECONDS)


async def _index(_: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


async def _body(request: web.Request) -> Mapping[str, Any]:
    if request.content_type != "application/json":
        raise BadInputError("Content-Type", request.content_type, one_of(["application/json"]))
    content = await request.read()
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise BadInputError("body", content[:200].decode("utf-8", "replace"), "a JSON object")
    return document


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Only this machine's own page may ask: other sites reach loopback too, through a person's browser."""
    try:
        host = request.host.rpartition(":")[0] if ":" in request.host else request.host
        origin = request.headers.get("Origin")
        if host not in LOOPBACK or (origin is not None and origin != f"http://{request.host}"):
            raise web.HTTPForbidden(text="the sandbox answers its own page only")
        answer = await handler(request)
    except BadInputError as refusal:
        answer = web.json_response(refusal.document(), status=400)
    except DriverError as refusal:
        answer = web.json_response({"ok": False, "error": refusal.code, "text": refusal.text}, status=409)
    if not answer.prepared:
        answer.headers.update(HEADERS)
    return answer
