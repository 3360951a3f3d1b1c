"""Response URLs: five uses in half an hour, aimed at one channel and one person."""

from dataclasses import dataclass

from bot.sandbox.slack.clock import Clock
from bot.sandbox.slack.wire import ApiError, new_id


@dataclass(slots=True, kw_only=True)
class Hook:
    """Where answers through one response_url go; `ts` is the message that was clicked."""

    channel: str
    user: str
    until: float
    uses_left: int
    ts: str | None = None
    thread_ts: str | None = None


class Hooks:
    """All response URLs given out."""

    def __init__(self, clock: Clock, *, uses: int, lives: float) -> None:
        self._clock = clock
        self._uses = uses
        self._lives = lives
        self._hooks: dict[str, Hook] = {}

    def new(self, channel: str, user: str, *, ts: str | None = None, thread_ts: str | None = None) -> str:
        """The secret part of a new response_url."""
        name = new_id("") + new_id("")
        self._hooks[name] = Hook(
            channel=channel,
            user=user,
            ts=ts,
            thread_ts=thread_ts,
            uses_left=self._uses,
            until=self._clock() + self._lives,
        )
        return name

    def use(self, name: str) -> Hook:
        """The hook, one use poorer; refused when unknown, used up or too old."""
        hook = self._hooks.get(name)
        if hook is None:
            raise ApiError("invalid_url")
        if self._clock() > hook.until:
            raise ApiError("expired_url")
        if hook.uses_left <= 0:
            raise ApiError("used_url")
        hook.uses_left -= 1
        return hook
