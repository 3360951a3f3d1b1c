"""Slack's blocks as typed calls that keep within the limits."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack import limits
from bot.slack.text import shorten

Block = dict[str, object]


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered message: the words for push notices and screen readers, and the blocks."""

    text: str
    blocks: tuple[Block, ...] = ()

    @property
    def digest(self) -> str:
        """Equal for two messages that look the same."""
        content = json.dumps([self.text, self.blocks], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    def payload(self) -> dict[str, object]:
        """As the Web API and acknowledgements take it."""
        return {"text": self.text, "blocks": list(self.blocks)}


@dataclass(frozen=True, slots=True)
class Confirm:
    """The question between a tap and its effect, in the words of the person who taps."""

    title: str
    text: str
    yes: str
    no: str = "Not now"
    is_danger: bool = False


def header(text: str) -> Block:
    """The line that is read on a phone at night."""
    return {"type": "header", "text": _plain(text, limits.HEADER)}


def section(text: str, block_id: str = "") -> Block:
    """A paragraph; the text is escaped already."""
    block: Block = {"type": "section", "text": _mrkdwn(text, limits.SECTION)}
    return block | ({"block_id": block_id} if block_id else {})


def fields(pairs: Sequence[tuple[str, str]]) -> Block:
    """Names and values in two columns; the values are escaped already."""
    shown = [_mrkdwn(f"*{name}*\n{value}", limits.FIELD) for name, value in pairs[: limits.FIELDS]]
    return {"type": "section", "fields": shown}


def context(texts: Sequence[str], block_id: str = "") -> Block:
    """Small print, one element per text; the texts are escaped already."""
    elements = [_mrkdwn(text, limits.SECTION) for text in texts if text][: limits.CONTEXT_ELEMENTS]
    block: Block = {"type": "context", "elements": elements}
    return block | ({"block_id": block_id} if block_id else {})


def divider() -> Block:
    """A thin line."""
    return {"type": "divider"}


def actions(block_id: str, buttons: Sequence[Block]) -> Block:
    """Buttons in one row."""
    return {"type": "actions", "block_id": block_id, "elements": list(buttons)}


def button(label: str, action_id: str, value: str, confirm: Confirm | None = None, style: str = "") -> Block:
    """One button; `style` is primary, danger or nothing."""
    block: Block = {
        "type": "button",
        "text": _plain(label, limits.BUTTON_TEXT),
        "action_id": action_id,
        "value": value,
    }
    if confirm is not None:
        block["confirm"] = _confirm(confirm)
    return block | ({"style": style} if style else {})


def _confirm(confirm: Confirm) -> Block:
    block: Block = {
        "title": _plain(confirm.title, limits.CONFIRM_TITLE),
        "text": _plain(confirm.text, limits.CONFIRM_TEXT),
        "confirm": _plain(confirm.yes, limits.CONFIRM_BUTTON),
        "deny": _plain(confirm.no, limits.CONFIRM_BUTTON),
    }
    return block | ({"style": "danger"} if confirm.is_danger else {})


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": shorten(text, most), "emoji": True}


def _mrkdwn(text: str, most: int) -> Block:
    return {"type": "mrkdwn", "text": shorten(text, most)}
