"""Socket Mode: hello, envelopes, acknowledgements, refresh, several connections."""

import asyncio
import json
import secrets
from collections import deque
from dataclasses import dataclass

from aiohttp import WSMessage, WSMsgType, web

from bot.sandbox.slack.delivery import Payload, Retry, UndeliveredError, new_envelope_id
from bot.sandbox.slack.faults import FaultKind
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import Json

MOST_CONNECTIONS = 10
_REMEMBERED = 1000
_CLOSING = 0.5
"""How long a client may take to answer a close; Slack's own does not answer at all."""


@dataclass(eq=False, slots=True)
class _Connection:
    socket: web.WebSocketResponse
    request: web.Request


class SocketMode:
    """The server's end of every open Socket Mode connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._tickets: set[str] = set()
        self._connections: list[_Connection] = []
        self._waiting: dict[str, tuple[_Connection, asyncio.Future[Json]]] = {}
        self.delivered: deque[Json] = deque(maxlen=_REMEMBERED)
        """The last envelopes sent, newest last: what tests of redelivery look at."""

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def new_url(self) -> str:
        """A WebSocket address good for one connection."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        base = self._state.base_url.replace("http", "ws", 1)
        return f"{base}/link/?ticket={ticket}&app_id={self._state.settings.app_id}"

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it ends."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return web.Response(status=401, text="invalid ticket")
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(timeout=_CLOSING)
        await socket.prepare(request)
        if len(self._connections) >= MOST_CONNECTIONS:
            await socket.send_json(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        connection = _Connection(socket, request)
        self._connections.append(connection)
        try:
            await socket.send_json(self._hello())
            async for message in socket:
                self._receive(message)
        finally:
            self._forget(connection)
        return socket

    async def send(self, payload: Payload, retry: Retry | None) -> Json:
        """Deliver to the connection whose turn it is and wait for its acknowledgement."""
        if not self._connections:
            raise UndeliveredError("dispatch_failed", "no_connection")
        twice = any(fault.kind is FaultKind.DUPLICATE for fault in self._state.faults.take("socket_mode"))
        connection = self._connections.pop(0)
        self._connections.append(connection)
        name = new_envelope_id()
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._waiting[name] = (connection, answer)
        envelope = _envelope(name, payload, retry)
        self.delivered.append(envelope)
        try:
            for receiver in list(self._connections) if twice else [connection]:
                await receiver.socket.send_json(envelope)
            async with asyncio.timeout(self._state.settings.acknowledge_within):
                return await answer
        except (TimeoutError, ConnectionError) as why:
            raise UndeliveredError("operation_timeout", "timeout") from why
        finally:
            del self._waiting[name]

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Ask every connection to come anew, as Slack does every few hours."""
        for connection in list(self._connections):
            await connection.socket.send_json(_disconnect(reason))
        await self.close()

    async def close(self) -> None:
        """End every connection politely."""
        await asyncio.gather(*(connection.socket.close() for connection in list(self._connections)))

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self._connections):
            if connection.request.transport is not None:
                connection.request.transport.abort()

    def _receive(self, message: WSMessage) -> None:
        if message.type is not WSMsgType.TEXT:
            return
        try:
            answer = json.loads(message.data)
        except ValueError:
            return
        name = answer.get("envelope_id") if isinstance(answer, dict) else None
        waiting = self._waiting.get(str(name))
        if waiting is not None and not waiting[1].done():
            body = answer.get("payload")
            waiting[1].set_result(body if isinstance(body, dict) else {})

    def _forget(self, connection: _Connection) -> None:
        self._connections.remove(connection)
        for receiver, answer in self._waiting.values():
            if receiver is connection and not answer.done():
                answer.set_exception(UndeliveredError("operation_timeout", "connection_lost"))

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": len(self._connections),
            "debug_info": {"host": "stand-in", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._state.settings.app_id},
        }


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "stand-in"}}


def _envelope(name: str, payload: Payload, retry: Retry | None) -> Json:
    repeated = {"retry_attempt": retry.number, "retry_reason": retry.reason} if retry else {}
    return {
        "envelope_id": name,
        "type": payload.kind.value,
        "payload": payload.document,
        "accepts_response_payload": payload.kind.value != "events_api",
        **repeated,
    }
