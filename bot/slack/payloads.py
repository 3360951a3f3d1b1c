"""Slack's payloads read into what the listeners need; a missing part is empty, never a traceback."""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from bot.slack.buttons import place_of
from bot.slack.replies import Address

Body = Mapping[str, Any]
_LEADING_MENTION = re.compile(r"^\s*<@[UW][A-Z0-9]+(?:\|[^>]*)?>[\s,:]*", re.ASCII)


def key(body: Body) -> str:
    """The same for every delivery of one payload, and for no other."""
    found = body.get("event_id") or body.get("trigger_id")
    if isinstance(found, str) and found:
        return f"slack:{found}"
    return f"slack:{hashlib.sha256(json.dumps(body, sort_keys=True, default=str).encode()).hexdigest()[:32]}"


def person(body: Body) -> tuple[str, str]:
    """Id and name of whoever did it."""
    user = part(body, "user")
    event = part(body, "event")
    id = body.get("user_id") or user.get("id") or event.get("user") or ""
    name = body.get("user_name") or user.get("username") or user.get("name") or ""
    return str(id), str(name)


def address(body: Body) -> Address:
    """Where a private answer to this payload belongs."""
    container, message, event = part(body, "container"), part(body, "message"), part(body, "event")
    channel = body.get("channel_id") or part(body, "channel").get("id") or event.get("channel") or ""
    thread = container.get("thread_ts") or message.get("thread_ts") or event.get("thread_ts") or ""
    return Address(
        user=person(body)[0],
        channel=str(channel),
        thread_ts=str(thread),
        response_url=str(body.get("response_url") or ""),
        replaces=container.get("is_ephemeral") is True,
    )


def action(body: Body) -> Mapping[str, object]:
    """The one action of a click."""
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else {}
    return first if isinstance(first, dict) else {}


def said(event: Mapping[str, Any]) -> str:
    """The words behind the mention of the app."""
    return _LEADING_MENTION.sub("", str(event.get("text") or ""))


def release_of(message: Mapping[str, Any]) -> str:
    """The release that one of our messages is about, empty when its blocks do not say."""
    blocks = message.get("blocks")
    for block in blocks if isinstance(blocks, list) else ():
        place = place_of(str(block.get("block_id", ""))) if isinstance(block, dict) else None
        if place is not None:
            return place.release
    return ""


def part(body: Body, name: str) -> Mapping[str, Any]:
    """The object under `name`, empty when there is none or something else stands there."""
    found = body.get(name)
    return found if isinstance(found, dict) else {}
