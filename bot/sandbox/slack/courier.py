"""Brings payloads to the app: once for what people do, again and again for events."""

import asyncio
import time
from dataclasses import dataclass

from bot.sandbox.slack.delivery import Payload, PayloadKind, Retry, Transport, UndeliveredError
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import Json, new_id


@dataclass(frozen=True, slots=True)
class Answer:
    """How the app took a payload: its body, or the error shown to the person."""

    seconds: float
    body: Json
    error: str | None = None


class Courier:
    """Delivers over the transport in use."""

    def __init__(self, state: State, transport: Transport) -> None:
        self.transport = transport
        self._state = state
        self._repeating: set[asyncio.Task[None]] = set()

    async def deliver(self, kind: PayloadKind, document: Json) -> Answer:
        """Deliver once: Slack does not repeat commands, clicks and submissions."""
        started = time.monotonic()
        try:
            body = await self.transport.send(Payload(kind, document), None)
        except UndeliveredError as failure:
            return Answer(time.monotonic() - started, {}, failure.shown)
        return Answer(time.monotonic() - started, body)

    async def announce(self, event: Json) -> Answer:
        """Deliver an event; what is not acknowledged is repeated in the background."""
        payload = Payload(PayloadKind.EVENT, self._wrapped(event))
        started = time.monotonic()
        try:
            body = await self.transport.send(payload, None)
        except UndeliveredError as failure:
            if failure.may_retry:
                task = asyncio.get_running_loop().create_task(self._repeat(payload, failure.reason))
                self._repeating.add(task)
                task.add_done_callback(self._repeating.discard)
            return Answer(time.monotonic() - started, {}, failure.shown)
        return Answer(time.monotonic() - started, body)

    async def close(self) -> None:
        """Stop repeating."""
        tasks = list(self._repeating)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _repeat(self, payload: Payload, reason: str) -> None:
        for number, delay in enumerate(self._state.settings.retry_events_after, start=1):
            await asyncio.sleep(delay)
            try:
                await self.transport.send(payload, Retry(number, reason))
            except UndeliveredError as failure:
                if not failure.may_retry:
                    return
                reason = failure.reason
            else:
                return

    def _wrapped(self, event: Json) -> Json:
        settings = self._state.settings
        authorization = {
            "enterprise_id": None,
            "team_id": settings.team_id,
            "user_id": settings.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
        return {
            "token": "unused",
            "team_id": settings.team_id,
            "api_app_id": settings.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": new_id("Ev"),
            "event_time": int(self._state.clock()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
        }
