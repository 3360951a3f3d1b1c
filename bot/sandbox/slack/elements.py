"""Interactive elements: finding them, acting on them, and the state of a view's fields."""

import copy
from collections.abc import Iterator

from bot.sandbox.slack.wire import Json, new_id

_ONE_OPTION = ("static_select", "external_select", "overflow", "radio_buttons")
_MANY_OPTIONS = ("multi_static_select", "checkboxes")
_PLAIN = {
    "users_select": "selected_user",
    "channels_select": "selected_channel",
    "conversations_select": "selected_conversation",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "multi_users_select": "selected_users",
}
_INITIAL = {
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_user": "initial_user",
    "selected_users": "initial_users",
    "selected_channel": "initial_channel",
    "selected_conversation": "initial_conversation",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
    "value": "initial_value",
}


def with_ids(blocks: list[Json]) -> list[Json]:
    """The blocks with a block_id and action_id wherever the app gave none, as Slack does it."""
    named = copy.deepcopy(blocks)
    for block in named:
        block.setdefault("block_id", new_id("b"))
        for element in _elements(block):
            element.setdefault("action_id", new_id("a"))
    return named


def interactive(blocks: list[Json]) -> Iterator[tuple[str, Json]]:
    """Every element a person can act on, with its block_id."""
    for block in blocks:
        for element in _elements(block):
            yield block.get("block_id", ""), element


def find(blocks: list[Json], action_id: str, value: object) -> tuple[str, Json] | None:
    """The element a person means; for a button with a value of its own, `value` says which or which version of it."""
    for block, element in interactive(blocks):
        if element.get("action_id") != action_id:
            continue
        is_another = element["type"] == "button" and "value" in element and element["value"] != value
        if value is None or not is_another:
            return block, element
    return None


def chosen(element: Json, value: object) -> Json | None:
    """What acting on the element with this value adds to the payload; None if it offers no such value."""
    kind = element["type"]
    if kind == "button":
        return {"value": element["value"]} if "value" in element else {}
    if kind in _ONE_OPTION:
        option = next((o for o in _options(element) if o["value"] == value), None)
        return None if option is None else {"selected_option": option}
    if kind in _MANY_OPTIONS:
        wanted = value if isinstance(value, list) else [value]
        return {"selected_options": [o for o in _options(element) if o["value"] in wanted]}
    return {_PLAIN.get(kind, "value"): value}


def state(blocks: list[Json], entered: dict[str, Json], *, untouched_is_none: bool) -> Json:
    """The `state.values` of a view or message: block_id -> action_id -> field."""
    values: dict[str, Json] = {}
    for block_id, element in interactive(blocks):
        if element["type"] in ("button", "overflow"):
            continue
        action_id = element["action_id"]
        touched = entered.get(block_id, {}).get(action_id)
        shown = None if untouched_is_none else element.get(_INITIAL[slot(element)])
        content = (
            touched if touched is not None else {slot(element): [] if _holds_many(element) and shown is None else shown}
        )
        values.setdefault(block_id, {})[action_id] = {"type": element["type"], **content}
    return {"values": values}


def is_empty(element: Json, entered: Json | None) -> bool:
    """Whether a field shows nothing: neither entered nor a default."""
    name = slot(element)
    content = entered.get(name) if entered is not None else element.get(_INITIAL[name])
    return content in (None, "", [])


def slot(element: Json) -> str:
    """The key under which an element's content stands in the state."""
    if element["type"] in _ONE_OPTION:
        return "selected_option"
    if element["type"] in _MANY_OPTIONS:
        return "selected_options"
    return _PLAIN.get(element["type"], "value")


def _holds_many(element: Json) -> bool:
    return slot(element) in ("selected_options", "selected_users")


def _elements(block: Json) -> list[Json]:
    found = [*block.get("elements", [])] if block.get("type") == "actions" else []
    found += [block[place] for place in ("accessory", "element") if place in block]
    return [element for element in found if element.get("type") != "image"]


def _options(element: Json) -> list[Json]:
    groups = [option for group in element.get("option_groups", []) for option in group["options"]]
    return [*element.get("options", []), *groups]
