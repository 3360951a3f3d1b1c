"""Everything the stand-in remembers, and how people and channels are looked up."""

import asyncio
from collections.abc import Callable, Sequence

from bot.sandbox.slack.changes import Changes
from bot.sandbox.slack.clock import Clock, Timestamps
from bot.sandbox.slack.faults import Faults
from bot.sandbox.slack.files import Files
from bot.sandbox.slack.hooks import Hooks
from bot.sandbox.slack.messages import Message, Messages
from bot.sandbox.slack.rates import Rates
from bot.sandbox.slack.views import View, Views, document
from bot.sandbox.slack.wire import Json
from bot.sandbox.slack.workspace import Channel, Settings, User, UserGroup

SLACKBOT = "USLACKBOT"


class State:
    """One workspace at one moment."""

    def __init__(
        self,
        settings: Settings,
        *,
        users: Sequence[User],
        groups: Sequence[UserGroup],
        channels: Sequence[Channel],
        clock: Clock,
    ) -> None:
        self.settings = settings
        bot = User(settings.bot_user, settings.bot_name, settings.bot_name, is_bot=True)
        self.users = {user.id: user for user in (*users, bot)}
        self.groups = {group.id: group for group in groups}
        self.channels = {channel.id: channel for channel in channels}
        self.clock = clock
        self.timestamps = Timestamps(clock)
        self.messages = Messages()
        self.files = Files(clock, settings.files_ready_after)
        self.views = Views(clock, settings.trigger_lives)
        self.hooks = Hooks(clock, uses=settings.hook_uses, lives=settings.hook_lives)
        self.changes = Changes()
        self.faults = Faults()
        self.rates = Rates(
            clock,
            enabled=settings.rate_limits,
            posts_per_second=settings.posts_per_second,
            post_burst=settings.post_burst,
        )
        self.base_url = ""
        self._timers: set[asyncio.TimerHandle] = set()

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Do something after a while, unless the stand-in stops before."""

        def due() -> None:
            self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(seconds, due)
        self._timers.add(timer)

    def cancel_timers(self) -> None:
        """Forget what was to be done later."""
        while self._timers:
            self._timers.pop().cancel()

    def user(self, reference: str) -> User | None:
        """A member by id or by name, with or without the at sign."""
        name = reference.removeprefix("@")
        return self.users.get(reference) or next((u for u in self.users.values() if u.name == name), None)

    def channel(self, reference: str) -> Channel | None:
        """A channel by id or name; a user's id means the conversation of that user with the app."""
        found = self.channels.get(reference)
        if found is None and reference in self.users:
            found = self.direct(reference)
        name = reference.removeprefix("#")
        return found or next((c for c in self.channels.values() if c.name == name and not c.is_im), None)

    def direct(self, user: str) -> Channel:
        """The conversation between this person and the app, opened if need be."""
        name = f"D{user[1:]}"
        fresh = Channel(name, name.lower(), members=frozenset({user}), is_im=True)
        return self.channels.setdefault(name, fresh)

    def say(self, message: Message) -> Message:
        """Add a message and tell everybody who follows."""
        self.messages.add(message)
        self.changes.tell(
            "message_posted",
            channel=message.channel,
            ts=message.ts,
            thread_ts=message.thread_ts,
            user=message.ephemeral_to,
        )
        return message

    def whisper(self, user: str, channel: str, text: str, error: str) -> None:
        """Slack itself tells one person, privately, what went wrong."""
        self.say(
            Message(
                channel=channel,
                ts=self.timestamps.next(),
                user=SLACKBOT,
                text=text,
                ephemeral_to=user,
                metadata={"event_type": "slack_error", "event_payload": {"error": error}},
            )
        )

    def view(self, view: View) -> Json:
        """A view as payloads and answers show it."""
        settings = self.settings
        ids = {
            "team_id": settings.team_id,
            "app_id": settings.app_id,
            "app_installed_team_id": settings.team_id,
            "bot_id": settings.bot_id,
        }
        return document(view, ids=ids, untouched_is_none=settings.untouched_is_none)

    def response_url(self, secret: str) -> str:
        """The whole response_url for a hook."""
        return f"{self.base_url}/hooks/{self.settings.team_id}/{secret}"
