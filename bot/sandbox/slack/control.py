"""The people's hands and the faults, over HTTP for other processes."""

import json
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeAlias

from aiohttp import web

from bot.sandbox.slack.faults import Fault, FaultKind
from bot.sandbox.slack.outcome import DriverError, Outcome
from bot.sandbox.slack.wire import Json

if TYPE_CHECKING:
    from bot.sandbox.slack.stand_in import SlackStandIn

_Run: TypeAlias = Callable[[Json], Awaitable[object]]
_FAULT_FIELDS = ("methods", "times", "seconds", "status", "error")


class Control:
    """Serves `/sandbox/...`; every POST takes JSON, which no foreign web page can send unasked."""

    def __init__(self, slack: "SlackStandIn") -> None:
        self._slack = slack
        hands = (
            slack.command,
            slack.click,
            slack.stale_click,
            slack.mention,
            slack.say,
            slack.shortcut,
            slack.open_home,
            slack.click_view,
            slack.submit_view,
            slack.close_view,
        )
        self._hands: dict[str, Callable[..., Awaitable[Outcome]]] = {hand.__name__: hand for hand in hands}
        self._faults: dict[str, _Run] = {
            "faults": self._fault,
            "clear_faults": self._clear,
            "refuse": self._refuse,
            "rates": self._rates,
            "delivery": self._deliver,
            "refresh_sockets": self._refresh,
            "drop_sockets": self._drop,
        }

    def routes(self) -> list[web.RouteDef]:
        """Where it all stands."""
        return [
            web.post("/sandbox/{action}", self._act),
            web.get("/sandbox/messages", self._messages),
            web.get("/sandbox/views", self._views),
            web.get("/sandbox/state", self._state),
            web.get("/sandbox/changes", self._changes),
            web.get("/sandbox/files/{file_id}", self._file),
        ]

    async def _act(self, request: web.Request) -> web.Response:
        action = request.match_info["action"]
        if request.content_type != "application/json":
            return _refusal(415, "not_json", "send application/json")
        try:
            arguments = json.loads(await request.read() or b"{}")
            if action in self._hands:
                outcome = await self._hands[action](**arguments)
                return web.json_response({"ok": True, **outcome.document()})
            if action not in self._faults:
                return _refusal(404, "unknown_action", f"there is no {action}")
            await self._faults[action](arguments)
        except DriverError as refusal:
            return _refusal(409, refusal.code, refusal.text)
        except (TypeError, ValueError, KeyError) as why:
            return _refusal(400, "bad_input", str(why))
        return web.json_response({"ok": True})

    async def _messages(self, request: web.Request) -> web.Response:
        query = request.query
        try:
            seen = self._slack.messages(
                query.get("user", "alice"), query.get("channel", "releases"), query.get("thread_ts")
            )
        except DriverError as refusal:
            return _refusal(409, refusal.code, refusal.text)
        return web.json_response({"ok": True, "messages": seen})

    async def _views(self, request: web.Request) -> web.Response:
        user = request.query.get("user", "alice")
        try:
            shown = {"views": self._slack.views(user), "home": self._slack.home(user)}
        except DriverError as refusal:
            return _refusal(409, refusal.code, refusal.text)
        return web.json_response({"ok": True, **shown})

    async def _state(self, request: web.Request) -> web.Response:
        del request
        state = self._slack.state
        return web.json_response(
            {
                "ok": True,
                "api_url": self._slack.api_url,
                "connections": self._slack.sockets.connections,
                "users": {user.name: user.id for user in state.users.values()},
                "channels": {channel.name: channel.id for channel in state.channels.values()},
                "groups": {group.handle: group.id for group in state.groups.values()},
            }
        )

    async def _changes(self, request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        async with aclosing(self._slack.subscribe()) as changes:
            try:
                await stream.prepare(request)
                await stream.write(b": following\n\n")
                async for change in changes:
                    await stream.write(f"data: {json.dumps(change)}\n\n".encode())
            except ConnectionError:
                return stream
        return stream

    async def _file(self, request: web.Request) -> web.Response:
        file = self._slack.state.files.find(request.match_info["file_id"])
        if file is None or file.content is None:
            return web.Response(status=404)
        mimetype = self._slack.state.files.document(file, "")["mimetype"] or "application/octet-stream"
        return web.Response(body=file.content, content_type=mimetype)

    async def _fault(self, arguments: Json) -> None:
        known = {name: arguments[name] for name in _FAULT_FIELDS if name in arguments}
        known["methods"] = frozenset(known.get("methods", ()))
        self._slack.faults.add(Fault(kind=FaultKind(arguments["kind"]), **known))

    async def _clear(self, arguments: Json) -> None:
        del arguments
        self._slack.faults.clear()

    async def _refuse(self, arguments: Json) -> None:
        self._slack.refuse_connections_for(float(arguments["seconds"]))

    async def _rates(self, arguments: Json) -> None:
        self._slack.rates.enabled = bool(arguments["enabled"])

    async def _deliver(self, arguments: Json) -> None:
        if arguments.get("request_url"):
            self._slack.deliver_by_http(str(arguments["request_url"]))
        else:
            self._slack.deliver_by_socket()

    async def _refresh(self, arguments: Json) -> None:
        await self._slack.sockets.refresh(str(arguments.get("reason", "refresh_requested")))

    async def _drop(self, arguments: Json) -> None:
        del arguments
        self._slack.sockets.drop()


def _refusal(status: int, code: str, text: str) -> web.Response:
    return web.json_response({"ok": False, "error": code, "text": text}, status=status)
