"""Every limit, one by one: the most that is taken and the least that is refused."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import SlackThread
from bot.sandbox.slack.block_kit import BLOCKS, ELEMENTS, problems_in_blocks, problems_in_view
from tests.contract.patience import PATIENCE
from tests.contract.slack.probe import modal

ROOM = "C0RELEASES"
IMAGE = "https://pictures.example/chart.png"


def plain(length: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": "x" * length}


def header(n: int) -> list[dict[str, Any]]:
    return [{"type": "header", "text": plain(n)}]


def section(**more: Any) -> list[dict[str, Any]]:
    return [{"type": "section", "text": mrkdwn(1), **more}]


def context(n: int) -> list[dict[str, Any]]:
    return [{"type": "context", "elements": [mrkdwn(1)] * n}]


def actions(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": list(elements)}]


def button(**more: Any) -> list[dict[str, Any]]:
    return actions({"type": "button", "text": plain(1), "action_id": "a", **more})


def confirm(**more: Any) -> list[dict[str, Any]]:
    dialog = {"title": plain(1), "text": plain(1), "confirm": plain(1), "deny": plain(1)}
    return button(confirm={**dialog, **more})


def option(n: int = 1, value: int = 1) -> dict[str, Any]:
    return {"text": plain(n), "value": "v" * value}


def select(*options: dict[str, Any], kind: str = "static_select") -> list[dict[str, Any]]:
    return actions({"type": kind, "action_id": "a", "options": list(options)})


def image(**more: Any) -> list[dict[str, Any]]:
    return [{"type": "image", "image_url": IMAGE, "alt_text": "x", **more}]


def url(length: int) -> str:
    return "https://p.example/" + "x" * (length - 18)


LIMITS: dict[str, tuple[int, Callable[[int], list[dict[str, Any]]], str]] = {
    "blocks": (50, lambda n: [{"type": "divider"}] * n, "/blocks"),
    "header text": (150, header, "/blocks/0/text/text"),
    "section text": (3000, lambda n: section(text=mrkdwn(n)), "/blocks/0/text/text"),
    "section fields": (10, lambda n: section(fields=[mrkdwn(1)] * n), "/blocks/0/fields"),
    "field text": (2000, lambda n: section(fields=[mrkdwn(n)]), "/blocks/0/fields/0/text"),
    "context elements": (10, context, "/blocks/0/elements"),
    "actions elements": (
        25,
        lambda n: actions(*({"type": "button", "text": plain(1), "action_id": str(i)} for i in range(n))),
        "/blocks/0/elements",
    ),
    "button text": (75, lambda n: button(text=plain(n)), "/blocks/0/elements/0/text/text"),
    "button value": (2000, lambda n: button(value="x" * n), "/blocks/0/elements/0/value"),
    "button url": (3000, lambda n: button(url=url(n)), "/blocks/0/elements/0/url"),
    "action_id": (255, lambda n: button(action_id="x" * n), "/blocks/0/elements/0/action_id"),
    "block_id": (255, lambda n: section(block_id="x" * n), "/blocks/0/block_id"),
    "confirm title": (100, lambda n: confirm(title=plain(n)), "/blocks/0/elements/0/confirm/title/text"),
    "confirm text": (300, lambda n: confirm(text=plain(n)), "/blocks/0/elements/0/confirm/text/text"),
    "confirm button": (30, lambda n: confirm(confirm=plain(n)), "/blocks/0/elements/0/confirm/confirm/text"),
    "deny button": (30, lambda n: confirm(deny=plain(n)), "/blocks/0/elements/0/confirm/deny/text"),
    "select options": (100, lambda n: select(*[option()] * n), "/blocks/0/elements/0/options"),
    "option text": (75, lambda n: select(option(n)), "/blocks/0/elements/0/options/0/text/text"),
    "option value": (150, lambda n: select(option(1, n)), "/blocks/0/elements/0/options/0/value"),
    "overflow options": (5, lambda n: select(*[option()] * n, kind="overflow"), "/blocks/0/elements/0/options"),
    "image url": (3000, lambda n: image(image_url=url(n)), "/blocks/0/image_url"),
    "image alt_text": (2000, lambda n: image(alt_text="x" * n), "/blocks/0/alt_text"),
    "image title": (2000, lambda n: image(title=plain(n)), "/blocks/0/title/text"),
    "markdown text": (12_000, lambda n: [{"type": "markdown", "text": "x" * n}], "/blocks/0/text"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_block_limit_holds_at_its_figure_and_breaks_one_above(web: WebClient, name: str) -> None:
    most, build, pointer = LIMITS[name]
    assert web.chat_postMessage(channel=ROOM, text="x", blocks=build(most))["ok"]
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel=ROOM, text="x", blocks=build(most + 1))
    answer = refused.value.response
    assert answer["error"] == "invalid_blocks"
    assert f"[json-pointer:{pointer}]" in answer["response_metadata"]["messages"][0]


WRONG = {
    "an empty text": (header(0), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
    "an unknown block": ([{"type": "sparkle"}], "unsupported type: sparkle [json-pointer:/blocks/0/type]"),
    "an unknown field": (section(colour="red"), "invalid additional property: colour [json-pointer:/blocks/0]"),
    "a missing field": ([{"type": "header"}], "missing required field: text [json-pointer:/blocks/0]"),
    "mrkdwn in a header": (
        [{"type": "header", "text": mrkdwn(1)}],
        "must be a valid enum value, one of plain_text [json-pointer:/blocks/0/text/type]",
    ),
    "a private picture": (
        image(image_url="http://127.0.0.1/x.png"),
        "downloading image failed [json-pointer:/blocks/0/image_url]",
    ),
    "a picture of another kind": (
        image(image_url="https://pictures.example/chart.svg"),
        "downloading image failed [json-pointer:/blocks/0/image_url]",
    ),
    "a section of nothing": (
        [{"type": "section"}],
        "must define either `text` or `fields` [json-pointer:/blocks/0]",
    ),
    "one action_id twice": (
        actions(*[{"type": "button", "text": plain(1), "action_id": "a"}] * 2),
        'action_id "a" already exists [json-pointer:/blocks/0/elements]',
    ),
    "one block_id twice": (
        section(block_id="b") * 2,
        'block_id "b" already exists [json-pointer:/blocks/1/block_id]',
    ),
    "two long markdown blocks": (
        [{"type": "markdown", "text": "x" * 6001}] * 2,
        "markdown blocks must be less than 12001 characters together [json-pointer:/blocks]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_blocks_are_refused_with_their_place(web: WebClient, name: str) -> None:
    blocks, message = WRONG[name]
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel=ROOM, text="x", blocks=blocks)
    assert refused.value.response["response_metadata"]["messages"] == [f"[ERROR] {message}"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x", "blocks": "[{"}, "invalid_blocks_format"),
        ({"text": "x", "blocks": '{"type":"divider"}'}, "invalid_blocks_format"),
        ({"text": "x", "metadata": '{"a":1}'}, "invalid_metadata_format"),
        ({"text": "x", "blocks": json.dumps(section(text=mrkdwn(3000)) * 5)}, "msg_blocks_too_long"),
    ],
)
def test_a_message_as_a_whole_is_refused_by_its_own_error(
    web: WebClient, arguments: dict[str, str], error: str
) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.api_call("chat.postMessage", params={"channel": ROOM, **arguments})
    assert refused.value.response["error"] == error


def test_a_posted_text_is_cut_at_40000_and_an_updated_one_refused_above_4000(
    slack: SlackThread, web: WebClient
) -> None:
    posted = web.chat_postMessage(channel=ROOM, text="x" * 40_001)
    assert len(posted["message"]["text"]) == 40_000
    web.chat_update(channel=ROOM, ts=str(posted["ts"]), text="x" * 4000, blocks=[])
    with pytest.raises(SlackApiError, match="msg_too_long"):
        web.chat_update(channel=ROOM, ts=str(posted["ts"]), text="x" * 4001, blocks=[])


VIEW_LIMITS: dict[str, tuple[int, Callable[[int], dict[str, Any]], str]] = {
    "blocks": (100, lambda n: modal("x", *[{"type": "divider"}] * n), "/view/blocks"),
    "title": (24, lambda n: {**modal(), "title": plain(n)}, "/view/title/text"),
    "submit": (24, lambda n: {**modal(), "submit": plain(n)}, "/view/submit/text"),
    "close": (24, lambda n: {**modal(), "close": plain(n)}, "/view/close/text"),
    "private_metadata": (3000, lambda n: {**modal(), "private_metadata": "x" * n}, "/view/private_metadata"),
    "callback_id": (255, lambda n: {**modal(), "callback_id": "x" * n}, "/view/callback_id"),
}


@pytest.mark.parametrize("name", VIEW_LIMITS)
def test_a_view_limit_holds_at_its_figure_and_breaks_one_above(slack: SlackThread, web: WebClient, name: str) -> None:
    most, build, pointer = VIEW_LIMITS[name]
    assert web.views_open(trigger_id=slack.stand_in.state.views.new_trigger("U0BOB"), view=build(most))["ok"]
    with pytest.raises(SlackApiError) as refused:
        web.views_open(trigger_id=slack.stand_in.state.views.new_trigger("U0BOB"), view=build(most + 1))
    answer = refused.value.response
    assert answer["error"] == "invalid_arguments"
    assert f"[json-pointer:{pointer}]" in answer["response_metadata"]["messages"][0]


def test_a_home_tab_takes_100_blocks(web: WebClient) -> None:
    home = {"type": "home", "blocks": [{"type": "divider"}] * 100}
    assert web.views_publish(user_id="U0BOB", view=home)["ok"]
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        web.views_publish(user_id="U0BOB", view={**home, "blocks": [{"type": "divider"}] * 101})


def test_a_modal_with_fields_needs_a_submit(slack: SlackThread, web: WebClient) -> None:
    view = {name: value for name, value in modal().items() if name != "submit"}
    with pytest.raises(SlackApiError) as refused:
        web.views_open(trigger_id=slack.stand_in.state.views.new_trigger("U0BOB"), view=view)
    messages = refused.value.response["response_metadata"]["messages"]
    assert messages == ["[ERROR] missing required field: submit [json-pointer:/view]"]


def test_blocks_can_be_validated_without_posting_and_without_a_token(slack: SlackThread) -> None:
    web = WebClient(base_url=slack.stand_in.api_url, timeout=int(PATIENCE))
    assert web.api_call("blocks.validate", params={"blocks": json.dumps(header(1))})["ok"]
    with pytest.raises(SlackApiError) as refused:
        web.api_call("blocks.validate", params={"blocks": json.dumps(header(151))})
    assert refused.value.response["errors"] == ["must be less than 151 characters [json-pointer:/blocks/0/text/text]"]


KINDS = st.sampled_from([*BLOCKS, *ELEMENTS, "modal", "home", "plain_text", "mrkdwn"])
NAMES = st.sampled_from(["type", "text", "elements", "element", "accessory", "options", "blocks", "block_id", "value"])
DOCUMENTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None)
@given(document=DOCUMENTS)
def test_whatever_comes_as_blocks_or_view_is_judged_and_never_crashes(document: object) -> None:
    for judge in (problems_in_blocks, problems_in_view):
        assert all("[json-pointer:/" in problem for problem in judge(document))
