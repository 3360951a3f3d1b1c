"""A chat that remembers instead of posting, held to the same contract as Slack's adapter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.errors import SluiceError, Transient
from bot.ports import Card, Line, Picture, Posted
from bot.slack import cards, stage_cards
from bot.slack.blocks import Message
from strategies.effects import Audience


@dataclass(frozen=True, slots=True)
class Kept:
    """One message as it stands now."""

    channel: str
    ts: str
    message: Message
    thread_ts: str = ""
    is_broadcast: bool = False
    picture: bytes | None = None
    line: Line | None = None
    edits: int = 0


class FakeChat:
    """Messages in memory, oldest first; `next_error` is raised by the next call and `trouble` told by `troubles`."""

    def __init__(self, command: str = "/release") -> None:
        self.kept: dict[str, Kept] = {}
        self.calls: list[str] = []
        self.next_error: SluiceError | None = None
        self.trouble = ""
        self.told: list[tuple[Audience, str]] = []
        self._command = command
        self._count = 0

    def show_root(self, card: Card, posted: Posted | None) -> Posted:
        self._called("show_root")
        message = cards.root(card, self._command)
        shown = self._update(posted, message)
        if shown is None:
            return replace(self._post(card.release.channel, message), permalink="")
        return replace(shown, permalink=_link(shown.channel, shown.ts))

    def show_stage(self, card: Card, stage: int, picture: Picture | None, posted: Posted | None) -> Posted:
        self._called("show_stage")
        root = _root(card)
        message = stage_cards.stage(card, stage, self._command)
        shown = self._update(posted, message) or self._post(root.channel, message, thread_ts=root.ts)
        if picture is not None:
            self._post(root.channel, Message(picture.alt_text), thread_ts=root.ts, picture=picture.png)
        return shown

    def say(self, card: Card, line: Line) -> Posted:
        self._called("say")
        root = _root(card)
        return self._post(
            root.channel, Message(line.text), thread_ts=root.ts, is_broadcast=line.is_broadcast, line=line
        )

    def call(self, card: Card, text: str) -> Posted:
        self._called("call")
        return self._post(card.release.channel, Message(text))

    def tell(self, card: Card, text: str, audience: Audience) -> None:
        self._called("tell")
        self.told.append((audience, text))

    def troubles(self) -> Sequence[str]:
        return (self.trouble,) if self.trouble else ()

    def texts(self) -> list[str]:
        """The words of every message, oldest first."""
        return [kept.message.text for kept in self.kept.values()]

    def forget(self, ts: str) -> None:
        """Delete a message, as a person may."""
        del self.kept[ts]

    def _called(self, name: str) -> None:
        error, self.next_error = self.next_error, None
        if error is not None:
            raise error
        self.calls.append(name)

    def _post(self, channel: str, message: Message, **more: object) -> Posted:
        self._count += 1
        ts = f"{1_700_000_000 + self._count}.000000"
        self.kept[ts] = replace(Kept(channel, ts, message), **more)  # type: ignore[arg-type]
        return Posted(channel, ts, _link(channel, ts))

    def _update(self, posted: Posted | None, message: Message) -> Posted | None:
        kept = self.kept.get(posted.ts) if posted else None
        if posted is None or kept is None:
            return None
        if kept.message.digest != message.digest:
            self.kept[posted.ts] = replace(kept, message=message, edits=kept.edits + 1)
        return posted


def _link(channel: str, ts: str) -> str:
    return f"https://chat.example/{channel}/{ts}"


def _root(card: Card) -> Posted:
    if card.root is None:
        raise Transient(f"{card.release.id} has no root message yet")
    return card.root
