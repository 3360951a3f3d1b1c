"""The grammar of blocks, elements and views, with every limit Slack refuses."""

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from bot.sandbox.slack.checks import (
    Check,
    also,
    anything,
    array,
    at,
    at_least_one,
    boolean,
    exactly_one,
    integer,
    one_of,
    record,
    string,
    tagged,
)
from bot.sandbox.slack.wire import Json

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
PAYLOAD_CHARACTERS = 13_200
MARKDOWN_CHARACTERS = 12_000


def _text(most: int, *kinds: str) -> Check:
    fields = {"type": one_of(*kinds), "text": string(most)}
    return record(fields, {"emoji": boolean, "verbatim": boolean})


def _plain(most: int) -> Check:
    return _text(most, "plain_text")


def _rich(most: int) -> Check:
    return _text(most, "plain_text", "mrkdwn")


def _kind(name: str, required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    return record({"type": one_of(name), **required}, optional)


def _picture(value: object, pointer: str) -> Iterator[str]:
    """Slack fetches the picture itself, so it must be public and of a known kind."""
    yield from string(3000)(value, pointer)
    if not isinstance(value, str):
        return
    url = urlsplit(value)
    suffix = url.path.rpartition(".")[2].lower() if "." in url.path else "png"
    public = url.scheme == "https" and "." in (url.hostname or "") and not (url.hostname or "").startswith("127.")
    if not public or suffix not in ("png", "jpg", "jpeg", "gif"):
        yield at(pointer, "downloading image failed")


_SLACK_FILE = also(record({}, {"id": string(255), "url": string(3000)}), exactly_one("id", "url"))
_CONFIRM = record(
    {"title": _plain(100), "text": _rich(300), "confirm": _plain(30), "deny": _plain(30)},
    {"style": one_of("primary", "danger")},
)
_OPTION = record({"text": _rich(75), "value": string(150)}, {"description": _rich(75)})
_PLAIN_OPTION = record({"text": _plain(75), "value": string(150)}, {"description": _plain(75), "url": string(3000)})
_OPTION_GROUP = record({"label": _plain(75), "options": array(_PLAIN_OPTION, 100)}, {})
_ACTION: Mapping[str, Check] = {"action_id": string(255), "confirm": _CONFIRM, "focus_on_load": boolean}
_MENU: Mapping[str, Check] = {**_ACTION, "placeholder": _plain(150)}
_LIST: Mapping[str, Check] = {
    **_MENU,
    "options": array(_PLAIN_OPTION, 100),
    "option_groups": array(_OPTION_GROUP, 100),
}
_INPUT: Mapping[str, Check] = {**_MENU, "initial_value": string(3000, 0), "dispatch_action_config": anything}
_LENGTHS: Mapping[str, Check] = {"multiline": boolean, "min_length": integer, "max_length": integer}
_MANY: Mapping[str, Check] = {"max_selected_items": integer}
_CONVERSATION: Mapping[str, Check] = {
    **_MENU,
    "initial_conversation": string(255),
    "default_to_current_conversation": boolean,
    "response_url_enabled": boolean,
    "filter": anything,
}
_IMAGE_ELEMENT = also(
    _kind("image", {"alt_text": string(2000)}, {"image_url": _picture, "slack_file": _SLACK_FILE}),
    exactly_one("image_url", "slack_file"),
)
_BUTTON = _kind(
    "button",
    {"text": _plain(75)},
    {
        **_ACTION,
        "url": string(3000),
        "value": string(2000),
        "style": one_of("primary", "danger"),
        "accessibility_label": string(75),
    },
)


def _select(name: str, extra: Mapping[str, Check]) -> Check:
    return also(_kind(name, {}, {**_LIST, **extra}), exactly_one("options", "option_groups"))


ELEMENTS: Mapping[str, Check] = {
    "button": _BUTTON,
    "image": _IMAGE_ELEMENT,
    "static_select": _select("static_select", {"initial_option": _PLAIN_OPTION}),
    "multi_static_select": _select("multi_static_select", {**_MANY, "initial_options": array(_PLAIN_OPTION, 100)}),
    "external_select": _kind(
        "external_select", {}, {**_MENU, "initial_option": _PLAIN_OPTION, "min_query_length": integer}
    ),
    "users_select": _kind("users_select", {}, {**_MENU, "initial_user": string(255)}),
    "multi_users_select": _kind("multi_users_select", {}, {**_MENU, **_MANY, "initial_users": array(string(255), 100)}),
    "channels_select": _kind(
        "channels_select", {}, {**_MENU, "initial_channel": string(255), "response_url_enabled": boolean}
    ),
    "conversations_select": _kind("conversations_select", {}, _CONVERSATION),
    "overflow": _kind("overflow", {"options": array(_PLAIN_OPTION, 5)}, _ACTION),
    "checkboxes": _kind(
        "checkboxes", {"options": array(_OPTION, 10)}, {**_ACTION, "initial_options": array(_OPTION, 10)}
    ),
    "radio_buttons": _kind("radio_buttons", {"options": array(_OPTION, 10)}, {**_ACTION, "initial_option": _OPTION}),
    "datepicker": _kind("datepicker", {}, {**_MENU, "initial_date": string(10)}),
    "timepicker": _kind("timepicker", {}, {**_MENU, "initial_time": string(5), "timezone": string(100)}),
    "datetimepicker": _kind("datetimepicker", {}, {**_ACTION, "initial_date_time": integer}),
    "plain_text_input": _kind("plain_text_input", {}, {**_INPUT, **_LENGTHS}),
    "url_text_input": _kind("url_text_input", {}, _INPUT),
    "email_text_input": _kind("email_text_input", {}, _INPUT),
    "number_input": _kind(
        "number_input",
        {"is_decimal_allowed": boolean},
        {**_INPUT, "min_value": string(32), "max_value": string(32)},
    ),
}
_NOT_INTERACTIVE = {"image"}
_FOR_INPUT = {name: check for name, check in ELEMENTS.items() if name not in ("button", "overflow", *_NOT_INTERACTIVE)}
_FOR_ACTIONS = {name: check for name, check in ELEMENTS.items() if name not in _NOT_INTERACTIVE}
_FOR_CONTEXT: Mapping[str, Check] = {
    "image": _IMAGE_ELEMENT,
    "plain_text": _rich(3000),
    "mrkdwn": _rich(3000),
}
_ID: Mapping[str, Check] = {"block_id": string(255)}
BLOCKS: Mapping[str, Check] = {
    "header": _kind("header", {"text": _plain(150)}, {**_ID, "level": integer}),
    "divider": _kind("divider", {}, _ID),
    "section": also(
        _kind(
            "section",
            {},
            {
                **_ID,
                "text": _rich(3000),
                "fields": array(_rich(2000), 10),
                "accessory": tagged(lambda: ELEMENTS),
                "expand": boolean,
            },
        ),
        at_least_one("text", "fields"),
    ),
    "context": _kind("context", {"elements": array(tagged(lambda: _FOR_CONTEXT), 10)}, _ID),
    "actions": _kind("actions", {"elements": array(tagged(lambda: _FOR_ACTIONS), 25)}, _ID),
    "image": also(
        _kind(
            "image",
            {"alt_text": string(2000)},
            {**_ID, "image_url": _picture, "slack_file": _SLACK_FILE, "title": _plain(2000)},
        ),
        exactly_one("image_url", "slack_file"),
    ),
    "input": _kind(
        "input",
        {"label": _plain(2000), "element": tagged(lambda: _FOR_INPUT)},
        {**_ID, "hint": _plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "markdown": _kind("markdown", {"text": string(MARKDOWN_CHARACTERS)}, _ID),
    "rich_text": _kind("rich_text", {"elements": array(anything, 1000, 0)}, _ID),
}
_VIEW: Mapping[str, Check] = {
    "private_metadata": string(3000, 0),
    "callback_id": string(255, 0),
    "external_id": string(255, 0),
}


def _submit_where_inputs(view: Mapping[str, object]) -> Iterator[str]:
    blocks = view.get("blocks")
    kinds = [block.get("type") for block in blocks if isinstance(block, dict)] if isinstance(blocks, list) else []
    if "input" in kinds and "submit" not in view:
        yield "missing required field: submit"


_VIEWS: Mapping[str, Check] = {
    "modal": also(
        _kind(
            "modal",
            {"title": _plain(24), "blocks": array(tagged(lambda: BLOCKS), VIEW_BLOCKS)},
            {
                **_VIEW,
                "submit": _plain(24),
                "close": _plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
        ),
        _submit_where_inputs,
    ),
    "home": _kind("home", {"blocks": array(tagged(lambda: BLOCKS), VIEW_BLOCKS)}, _VIEW),
}


def problems_in_blocks(blocks: object) -> list[str]:
    """Everything Slack refuses in a message's blocks, each with its pointer."""
    found = list(array(tagged(lambda: BLOCKS), MESSAGE_BLOCKS, 0)(blocks, "/blocks"))
    if found or not isinstance(blocks, list):
        return found
    markdown = sum(len(block["text"]) for block in blocks if block["type"] == "markdown")
    if markdown > MARKDOWN_CHARACTERS:
        found.append(at("/blocks", f"markdown blocks must be less than {MARKDOWN_CHARACTERS + 1} characters together"))
    return found + _repeated_ids(blocks, "/blocks")


def problems_in_view(view: object) -> list[str]:
    """Everything Slack refuses in a modal or a Home tab, each with its pointer."""
    found = list(tagged(lambda: _VIEWS)(view, "/view"))
    if found or not isinstance(view, dict):
        return found
    return _repeated_ids(view["blocks"], "/view/blocks")


def is_too_long(blocks: list[Json]) -> bool:
    """Whether the blocks together pass the size Slack takes for one message."""
    return len(json.dumps(blocks, separators=(",", ":"), ensure_ascii=False)) > PAYLOAD_CHARACTERS


def _repeated_ids(blocks: list[Json], pointer: str) -> list[str]:
    found, seen = [], set()
    for index, block in enumerate(blocks):
        name = block.get("block_id")
        if name is not None and name in seen:
            found.append(at(f"{pointer}/{index}/block_id", f'block_id "{name}" already exists'))
        seen.add(name)
        elements = [element for element in block.get("elements", []) if isinstance(element, dict)]
        actions = [element["action_id"] for element in elements if "action_id" in element]
        found += [
            at(f"{pointer}/{index}/elements", f'action_id "{name}" already exists')
            for name in sorted({action for action in actions if actions.count(action) > 1})
        ]
    return found
