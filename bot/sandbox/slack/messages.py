"""What was said: messages, threads, ephemerals, and what each person sees of them."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.sandbox.slack.wire import Json


@dataclass(eq=False, slots=True, kw_only=True)
class Message:
    """One message; `past` holds the blocks of its earlier versions, oldest first."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    ephemeral_to: str | None = None
    by_app: bool = False
    edited: Json | None = None
    metadata: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    past: list[list[Json]] = field(default_factory=list)

    def is_visible_to(self, user: str) -> bool:
        """Whether this person sees it, ephemerals being theirs alone."""
        return self.ephemeral_to is None or self.ephemeral_to == user

    @property
    def is_reply(self) -> bool:
        """Whether it stands in a thread below another message."""
        return self.thread_ts is not None and self.thread_ts != self.ts


class Messages:
    """All messages of the workspace, in the order they were said."""

    def __init__(self) -> None:
        # Timestamps only grow, so the order of saying is the order of showing.
        self._channels: dict[str, dict[str, Message]] = {}
        self._threads: dict[tuple[str, str], list[Message]] = {}
        self._gone: dict[tuple[str, str], Message] = {}

    def add(self, message: Message) -> None:
        """Say it."""
        self._channels.setdefault(message.channel, {})[message.ts] = message
        thread = self._thread_of(message)
        if thread is not None:
            thread.append(message)

    def find(self, channel: str, ts: str) -> Message | None:
        """The message, if it is still there."""
        return self._channels.get(channel, {}).get(ts)

    def recall(self, channel: str, ts: str) -> Message | None:
        """The message, even if it was deleted."""
        return self.find(channel, ts) or self._gone.get((channel, ts))

    def change(self, message: Message, *, text: str, blocks: list[Json], edited: Json | None) -> None:
        """Put another content in the same place."""
        message.past.append(message.blocks)
        message.text, message.blocks = text, blocks
        message.edited = edited or message.edited

    def remove(self, message: Message) -> None:
        """Delete it; a stale click may still recall it."""
        self._gone[message.channel, message.ts] = self._channels[message.channel].pop(message.ts)
        thread = self._thread_of(message)
        if thread is not None:
            thread.remove(message)

    def seen_by(self, user: str, channel: str) -> Iterator[Message]:
        """What this person sees in the channel, threads included, oldest first."""
        return (m for m in list(self._channels.get(channel, {}).values()) if m.is_visible_to(user))

    def public(self, channel: str) -> list[Message]:
        """What everybody in the channel sees, oldest first."""
        return [m for m in self._channels.get(channel, {}).values() if m.ephemeral_to is None]

    def replies(self, channel: str, ts: str) -> list[Message]:
        """The public replies below a message, oldest first."""
        return list(self._threads.get((channel, ts), ()))

    def thread_summary(self, message: Message) -> Json:
        """The fields a thread's first message carries."""
        replies = self.replies(message.channel, message.ts)
        if not replies:
            return {}
        return {
            "thread_ts": message.ts,
            "reply_count": len(replies),
            "reply_users": sorted({reply.user for reply in replies}),
            "latest_reply": replies[-1].ts,
        }

    def _thread_of(self, message: Message) -> list[Message] | None:
        if not message.is_reply or message.thread_ts is None or message.ephemeral_to is not None:
            return None
        return self._threads.setdefault((message.channel, message.thread_ts), [])


def without_interaction(blocks: list[Json]) -> list[Json]:
    """The blocks of a broadcast reply: Slack takes its buttons away."""
    kept = [copy.deepcopy(block) for block in blocks if block.get("type") not in ("actions", "input")]
    for block in kept:
        accessory = block.get("accessory")
        if accessory is not None and accessory.get("type") != "image":
            del block["accessory"]
    return kept
