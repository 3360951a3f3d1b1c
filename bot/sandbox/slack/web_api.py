"""The Web API's door: tokens, scopes, rate limits, faults, and the methods behind them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import assert_never

from aiohttp import web

from bot.sandbox.slack.answers import answer
from bot.sandbox.slack.call import Call, Method, Methods, Token
from bot.sandbox.slack.chat_methods import CHAT_METHODS
from bot.sandbox.slack.faults import Fault, FaultKind
from bot.sandbox.slack.file_methods import FILE_METHODS
from bot.sandbox.slack.rates import RateLimitedError, Tier
from bot.sandbox.slack.reading_methods import READING_METHODS
from bot.sandbox.slack.socket_mode import SocketMode
from bot.sandbox.slack.state import State
from bot.sandbox.slack.view_methods import VIEW_METHODS
from bot.sandbox.slack.wire import ApiError, Json


class WebApi:
    """Serves `/api/<method>`, response URLs, uploads and downloads."""

    def __init__(self, state: State, sockets: SocketMode, *, opens_sockets: Callable[[], bool]) -> None:
        self._state = state
        self._sockets = sockets
        self._opens_sockets = opens_sockets
        self._methods: Methods = {
            **READING_METHODS,
            **CHAT_METHODS,
            **VIEW_METHODS,
            **FILE_METHODS,
            "apps.connections.open": Method(run=self._open_connection, tier=Tier.ONE, token=Token.APP),
        }

    def routes(self) -> list[web.RouteDef]:
        """Where it all stands."""
        return [
            web.route("*", "/api/{method}", self._serve_method),
            web.post("/hooks/{team}/{secret}", self._serve_hook),
            web.post("/upload/v1/{ticket}", self._serve_upload),
            web.get("/files-pri/{file_id}/{name}", self._serve_file),
            web.get("/link/", self._sockets.connect),
        ]

    async def _serve_method(self, request: web.Request) -> web.Response:
        # An application mounted by somebody else learns its own address from its first caller.
        self._state.base_url = self._state.base_url or str(request.url.origin())
        name = request.match_info["method"]
        return await self._with_faults(request, name, lambda: self._run(request, name))

    async def _run(self, request: web.Request, name: str) -> web.Response:
        method = self._methods.get(name)
        try:
            arguments = await _arguments(request)
            if method is None:
                raise ApiError("unknown_method", req_method=name)
            self._admit(request, arguments, method)
            self._state.rates.draw(method.tier, name)
            body = {"ok": True, **method.run(Call(self._state, arguments))}
        except RateLimitedError as limit:
            return _rate_limited(limit.retry_after)
        except ApiError as refusal:
            body = refusal.body()
        scopes = ",".join(sorted(self._state.settings.scopes))
        headers = {
            "x-oauth-scopes": scopes,
            "x-accepted-oauth-scopes": (method.scope or "") if method else "",
        }
        return web.json_response(body, headers=headers)

    def _admit(self, request: web.Request, arguments: Json, method: Method) -> None:
        settings = self._state.settings
        given = request.headers.get("Authorization", "").removeprefix("Bearer ") or arguments.pop("token", "")
        match method.token:
            case Token.NONE:
                return
            case Token.BOT:
                expected, other = settings.bot_token, settings.app_token
            case Token.APP:
                expected, other = settings.app_token, settings.bot_token
            case _:
                assert_never(method.token)
        if not given:
            raise ApiError("not_authed")
        if given == other:
            raise ApiError("not_allowed_token_type")
        if given != expected:
            raise ApiError("invalid_auth")
        if method.scope is not None and method.scope not in settings.scopes:
            provided = ",".join(sorted(settings.scopes))
            raise ApiError("missing_scope", needed=method.scope, provided=provided)

    async def _with_faults(
        self, request: web.Request, name: str, run: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        faults = self._state.faults.take(name)
        for fault in faults:
            early = _instead(request, fault)
            if early is not None:
                return early
        done = await run()
        for fault in faults:
            if fault.kind is FaultKind.SLOW:
                await asyncio.sleep(fault.seconds)
            elif fault.kind is FaultKind.LOSE_REPLY:
                _abort(request)
        return done

    def _open_connection(self, call: Call) -> Json:
        if not self._opens_sockets():
            raise ApiError("not_allowed", reason="Socket Mode is not turned on")
        del call
        return {"url": self._sockets.new_url()}

    async def _serve_hook(self, request: web.Request) -> web.Response:
        return await self._with_faults(request, "response_url", lambda: self._hook(request))

    async def _hook(self, request: web.Request) -> web.Response:
        try:
            hook = self._state.hooks.use(request.match_info["secret"])
        except ApiError as refusal:
            return web.json_response(refusal.body(), status=404)
        try:
            answer(self._state, hook, await _arguments(request))
        except ApiError as refusal:
            return web.json_response(refusal.body(), status=400)
        return web.Response(text="ok")

    async def _serve_upload(self, request: web.Request) -> web.Response:
        return await self._with_faults(request, "upload", lambda: self._upload(request))

    async def _upload(self, request: web.Request) -> web.Response:
        content = await _uploaded(request)
        file = self._state.files.fill(request.match_info["ticket"], content)
        if file is None:
            return web.Response(status=404, text="unknown upload")
        return web.Response(text=f"OK - {len(content)}")

    async def _serve_file(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self._state.settings.bot_token}":
            return web.Response(status=403, text="invalid_auth")
        file = self._state.files.find(request.match_info["file_id"])
        if file is None or file.content is None:
            return web.Response(status=404, text="file_not_found")
        return web.Response(body=file.content, content_type="application/octet-stream")


async def _arguments(request: web.Request) -> Json:
    if request.content_type == "application/json":
        try:
            document = json.loads(await request.read() or b"{}")
        except ValueError as why:
            raise ApiError("invalid_json") from why
        if not isinstance(document, dict):
            raise ApiError("json_not_object")
        return document
    fields = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return {**request.query, **fields}


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for part in (await request.post()).values():
        if isinstance(part, web.FileField):
            return part.file.read()
    return b""


def _instead(request: web.Request, fault: Fault) -> web.Response | None:
    match fault.kind:
        case FaultKind.ABORT:
            _abort(request)
            return web.Response(status=503)
        case FaultKind.STATUS:
            return web.Response(status=fault.status, text="Slack is having a bad day")
        case FaultKind.RATE_LIMIT:
            return _rate_limited(int(fault.seconds))
        case FaultKind.API_ERROR:
            return web.json_response(ApiError(fault.error).body())
        case FaultKind.SLOW | FaultKind.LOSE_REPLY | FaultKind.DUPLICATE:
            return None
        case _:
            assert_never(fault.kind)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


def _rate_limited(seconds: int) -> web.Response:
    body = {"ok": False, "error": "ratelimited"}
    return web.json_response(body, status=429, headers={"Retry-After": str(seconds)})
