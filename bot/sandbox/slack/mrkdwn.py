"""Slack's text: what is stored when `&`, `<` and `>` arrive raw, and what people type."""

import re
from collections.abc import Mapping

_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_CONTROL = re.compile(r"<(?:[@#!][^<>\s|]+(?:\|[^<>]*)?|!date\^[^<>]*|(?:https?://|mailto:)[^<>\s|]+(?:\|[^<>]*)?)>")
_MENTION = re.compile(r"(?<![\w<])([@#][a-z0-9][a-z0-9_-]*)")


def stored(text: str) -> str:
    """The text as Slack keeps it: only real control sequences keep their angle brackets."""
    parts, at = [], 0
    for control in _CONTROL.finditer(text):
        parts += [_escaped(text[at : control.start()]), _AMPERSAND.sub("&amp;", control.group())]
        at = control.end()
    return "".join([*parts, _escaped(text[at:])])


def typed(text: str, names: Mapping[str, str]) -> str:
    """What a person typed, as the app receives it: `names` maps `@bob` to its control sequence."""
    return _MENTION.sub(lambda found: names.get(found[1], found[1]), stored(text))


def _escaped(text: str) -> str:
    return _AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def stored_blocks(node: object) -> object:
    """The same JSON with every mrkdwn text as Slack keeps it."""
    if isinstance(node, list):
        return [stored_blocks(item) for item in node]
    if not isinstance(node, dict):
        return node
    kept = {name: stored_blocks(item) for name, item in node.items()}
    text = kept.get("text")
    if kept.get("type") == "mrkdwn" and isinstance(text, str):
        kept["text"] = stored(text)
    return kept
