"""Each row of Slack's limits is refused one over, and taken at the limit."""

from typing import Any

import pytest

from bot.slack.limits import violations


def message(*blocks: dict[str, Any], text: str = "words") -> dict[str, Any]:
    return {"text": text, "blocks": list(blocks)}


def said(length: int, kind: str = "mrkdwn") -> dict[str, Any]:
    return {"type": kind, "text": "x" * length}


def section(length: int) -> dict[str, Any]:
    return {"type": "section", "text": said(length)}


def row(**changes: Any) -> dict[str, Any]:
    button = {"type": "button", "text": said(5, "plain_text"), "action_id": "a", "value": "v"} | changes
    return {"type": "actions", "block_id": "b", "elements": [button]}


def confirm(**changes: int) -> dict[str, Any]:
    sizes = {"title": 5, "text": 5, "confirm": 5, "deny": 5} | changes
    return row(confirm={name: said(length, "plain_text") for name, length in sizes.items()})


def menu(kind: str, count: int, text: int = 5, value: int = 5) -> dict[str, Any]:
    options = [{"text": said(text, "plain_text"), "value": "v" * value} for _ in range(count)]
    return row(type=kind, options=options)


def many(kind: str, count: int) -> dict[str, Any]:
    elements: list[dict[str, Any]] = [said(1) for _ in range(count)]
    if kind == "actions":
        elements = [row(action_id=f"a{n}")["elements"][0] for n in range(count)]
    return {"type": kind, "block_id": "b", "elements": elements}


def image(**changes: Any) -> dict[str, Any]:
    return {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "words"} | changes


FITS_AND_NOT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("blocks", message(*[section(1)] * 50), message(*[section(1)] * 51)),
    ("whole payload", message(*[section(2900)] * 4), message(*[section(2900)] * 5)),
    ("text", message(text="x" * 4000), message(text="x" * 4001)),
    ("no text", message(), message(text=" ")),
    (
        "header",
        message({"type": "header", "text": said(150, "plain_text")}),
        message({"type": "header", "text": said(151, "plain_text")}),
    ),
    (
        "header kind",
        message({"type": "header", "text": said(1, "plain_text")}),
        message({"type": "header", "text": said(1)}),
    ),
    ("section", message(section(3000)), message(section(3001))),
    (
        "fields",
        message({"type": "section", "fields": [said(1)] * 10}),
        message({"type": "section", "fields": [said(1)] * 11}),
    ),
    (
        "field",
        message({"type": "section", "fields": [said(2000)]}),
        message({"type": "section", "fields": [said(2001)]}),
    ),
    ("context", message(many("context", 10)), message(many("context", 11))),
    ("actions", message(many("actions", 25)), message(many("actions", 26))),
    ("button text", message(row(text=said(75, "plain_text"))), message(row(text=said(76, "plain_text")))),
    ("button value", message(row(value="x" * 2000)), message(row(value="x" * 2001))),
    ("button url", message(row(url="x" * 3000)), message(row(url="x" * 3001))),
    ("action_id", message(row(action_id="x" * 255)), message(row(action_id="x" * 256))),
    ("block_id", message(row() | {"block_id": "x" * 255}), message(row() | {"block_id": "x" * 256})),
    ("block_id twice", message(row(), row() | {"block_id": "c"}), message(row(), row())),
    ("style", message(row(style="danger")), message(row(style="loud"))),
    ("confirm title", message(confirm(title=100)), message(confirm(title=101))),
    ("confirm text", message(confirm(text=300)), message(confirm(text=301))),
    ("confirm button", message(confirm(confirm=30)), message(confirm(confirm=31))),
    ("confirm deny", message(confirm(deny=30)), message(confirm(deny=31))),
    ("select options", message(menu("static_select", 100)), message(menu("static_select", 101))),
    ("option text", message(menu("static_select", 1, text=75)), message(menu("static_select", 1, text=76))),
    ("option value", message(menu("static_select", 1, value=150)), message(menu("static_select", 1, value=151))),
    ("overflow", message(menu("overflow", 5)), message(menu("overflow", 6))),
    ("alt text", message(image(alt_text="x" * 2000)), message(image(alt_text="x" * 2001))),
    ("image kind", message(image()), message(image(image_url="https://x.example/a.svg"))),
    ("image url", message(image()), message(image(image_url="https://x.example/" + "a" * 3000 + ".png"))),
    ("empty text", message(section(1)), message(section(0))),
    ("known block", message({"type": "divider"}), message({"type": "sparkle"})),
    (
        "modal title",
        {"type": "modal", "title": said(24, "plain_text"), "blocks": [section(1)] * 100},
        {"type": "modal", "title": said(25, "plain_text"), "blocks": [section(1)] * 100},
    ),
    (
        "modal blocks",
        {"type": "modal", "title": said(1, "plain_text"), "blocks": [section(1)] * 100},
        {"type": "modal", "title": said(1, "plain_text"), "blocks": [section(1)] * 101},
    ),
    (
        "private metadata",
        {"type": "home", "private_metadata": "x" * 3000, "blocks": [section(1)]},
        {"type": "home", "private_metadata": "x" * 3001, "blocks": [section(1)]},
    ),
]


@pytest.mark.parametrize(("fits", "not_"), [pair[1:] for pair in FITS_AND_NOT], ids=[pair[0] for pair in FITS_AND_NOT])
def test_the_limit_is_taken_and_one_more_is_refused(fits: dict[str, Any], not_: dict[str, Any]) -> None:
    assert violations(fits) == []
    assert len(violations(not_)) >= 1


def test_an_emoji_counts_as_slack_counts_it() -> None:
    assert violations(message({"type": "header", "text": {"type": "plain_text", "text": "🟥" * 76}})) != []
