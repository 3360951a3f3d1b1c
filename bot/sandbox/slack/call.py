"""One call of the Web API: its arguments, who calls, and what it needs to be allowed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from bot.sandbox.slack.rates import Tier
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import ApiError, Json, refused
from bot.sandbox.slack.workspace import Channel


class Token(Enum):
    """Which token a method asks for."""

    BOT = "bot"
    APP = "app"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of one call, whatever body they came in."""

    state: State
    arguments: Json

    def text(self, name: str) -> str | None:
        """An argument as text, None when absent or empty."""
        value = self.arguments.get(name)
        return None if value is None or value == "" else str(value)

    def need(self, name: str) -> str:
        """An argument as text; refused when missing."""
        value = self.text(name)
        if value is None:
            raise refused("invalid_arguments", [f"missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """An argument as a yes or no, in any of the ways Slack takes one."""
        return self.arguments.get(name) in (True, 1, "1", "true", "True")

    def number(self, name: str, default: int) -> int:
        """An argument as a whole number; refused when it is none."""
        value = self.text(name) or str(default)
        if not value.isdecimal():
            raise refused("invalid_arguments", [f"must be an integer [json-pointer:/{name}]"])
        return int(value)

    def document(self, name: str, error: str) -> object:
        """An argument as JSON, given as such or as text; `error` refuses what does not parse."""
        value = self.arguments.get(name)
        if not isinstance(value, str) or value == "":
            return value or None
        try:
            return json.loads(value)
        except ValueError as why:
            raise ApiError(error) from why

    def channel(self, name: str = "channel") -> Channel:
        """The conversation meant; refused when there is none the app may know of."""
        found = self.state.channel(self.need(name))
        if found is None or (found.is_private and not found.bot_is_member):
            raise ApiError("channel_not_found")
        return found

    def page(self, items: list[Json], name: str) -> Json:
        """One page of a list, with the cursor to the next."""
        start, size = self.number("cursor", 0), self.number("limit", 1000) or 1000
        following = str(start + size) if start + size < len(items) else ""
        return {name: items[start : start + size], "response_metadata": {"next_cursor": following}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """What runs for a method name, and what must hold first."""

    run: Callable[[Call], Json]
    tier: Tier
    scope: str | None = None
    token: Token = Token.BOT


Methods: TypeAlias = Mapping[str, Method]
