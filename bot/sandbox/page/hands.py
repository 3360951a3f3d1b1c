"""What a person on the page does: commands, clicks and knobs, each field checked by name."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from bot.sandbox import knobs
from bot.sandbox.bad_input import BadInputError, one_of
from bot.sandbox.route_memory import VERSIONS
from bot.sandbox.slack import DriverError, Outcome, SlackStandIn
from bot.sandbox.slack.elements import find, interactive
from bot.sandbox.supervisor import Supervisor

CHANNEL = "releases"
LONGEST = 4_000


class Hands:
    """Acts on the sandbox for the people named in requests."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    @property
    def _slack(self) -> SlackStandIn:
        return self._supervisor.slack

    def user(self, value: object) -> str:
        """A person's id, from a name or an id."""
        users = self._supervisor.users()
        if isinstance(value, str):
            found = users.get(value, value)
            if found in users.values():
                return found
        raise BadInputError("user", value, one_of([*users, *users.values()]))

    async def command(self, document: Mapping[str, Any]) -> Outcome:
        """Type a line: a slash command, or something said in the channel or below a message."""
        user, text = self.user(document.get("user")), document.get("text")
        if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
            raise BadInputError("text", text, f"a line of 1 to {LONGEST} characters, such as /release help")
        thread = document.get("thread_ts")
        if thread is not None:
            self._message(user, "thread_ts", thread)
        text = text.strip()
        try:
            if text.startswith("/"):
                return await self._slack.command(user, text, CHANNEL)
            if text.startswith("@sluice"):
                return await self._slack.mention(user, text.removeprefix("@sluice").strip(), CHANNEL, thread)
            return await self._slack.say(user, text, CHANNEL, thread)
        except DriverError as refusal:
            if refusal.code == "unknown_command":
                allowed = one_of(self._slack.settings.commands)
                raise BadInputError("text", text, allowed) from refusal
            raise

    async def click(self, document: Mapping[str, Any]) -> Outcome:
        """Press a button, as it stands now or, like a slow phone, as it stood a moment ago."""
        user, action = self.user(document.get("user")), document.get("action_id")
        message = self._message(user, "ts", document.get("ts"))
        confirmed = document.get("confirmed", True)
        if not isinstance(confirmed, bool):
            raise BadInputError("confirmed", confirmed, "true or false")
        ts, value = message["ts"], document.get("value")
        if isinstance(action, str):
            if find(message["blocks"], action, value) is not None:
                return await self._slack.click(user, CHANNEL, ts, action, confirmed=confirmed, value=value)
            with suppress(DriverError):
                return await self._slack.stale_click(user, CHANNEL, ts, action, value)
        offered = {str(element["action_id"]) for _, element in interactive(message["blocks"])}
        raise BadInputError("action_id", action, one_of(offered) if offered else "none: this message has no buttons")

    async def turn(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the knobs of a version."""
        order = knobs.read(document, VERSIONS)
        turned = await self._supervisor.live_mesh.set_knob(
            order.version,
            error_rate=order.error_rate,
            delay_ms=order.delay_ms,
            orders=order.orders,
            dead=order.dead,
        )
        self._supervisor.watchers.tell()
        return {"version": order.version, **vars(turned)}

    async def turn_shop(self, document: Mapping[str, Any]) -> dict[str, Any]:
        """Turn what both versions feel."""
        order = knobs.read_shop(document)
        await self._supervisor.live_mesh.set_shop(rate=order.rate, dependency=order.dependency)
        self._supervisor.watchers.tell()
        return {key: value for key, value in asdict(order).items() if value is not None}

    def messages(self, user: str) -> list[dict[str, Any]]:
        """What the person sees in the channel, threads included."""
        return self._slack.messages(user, CHANNEL)

    def _message(self, user: str, field: str, ts: object) -> dict[str, Any]:
        for message in self.messages(user):
            if message["ts"] == ts:
                return message
        raise BadInputError(field, ts, "the ts of a message this person sees, see GET /api/messages")
