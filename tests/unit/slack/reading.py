"""Taking rendered messages apart."""

from collections.abc import Iterator
from typing import Any

from bot.slack.blocks import Message


def texts(message: Message) -> str:
    """Every text of a message that a person reads, buttons and confirms included."""
    return "\n".join(_texts([message.text, *message.blocks]))


def header_of(message: Message) -> str:
    return str(_block(message, "header")["text"]["text"])


def buttons_of(message: Message) -> dict[str, Any]:
    """Buttons by action id."""
    found = [block for block in message.blocks if block["type"] == "actions"]
    elements: list[Any] = [element for block in found for element in block["elements"]]  # type: ignore[attr-defined]
    return {element["action_id"]: element for element in elements}


def labels(message: Message) -> list[str]:
    return [button["text"]["text"] for button in buttons_of(message).values()]


def block_ids(message: Message) -> list[str]:
    return [str(block["block_id"]) for block in message.blocks if "block_id" in block]


def _block(message: Message, kind: str) -> Any:
    return next(block for block in message.blocks if block["type"] == kind)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for name, item in node.items():
            if name in ("text", "elements", "fields", "confirm", "title", "deny"):
                yield from _texts(item)
    elif isinstance(node, list | tuple):
        for item in node:
            yield from _texts(item)
