"""Slack's documented limits as a pure validator of what we send."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
PAYLOAD = 13_200
MESSAGE_TEXT = 4_000
HEADER = 150
SECTION = 3_000
FIELDS = 10
FIELD = 2_000
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
BUTTON_TEXT = 75
BUTTON_VALUE = 2_000
URL = 3_000
IDENTIFIER = 255
CONFIRM_TITLE = 100
CONFIRM_TEXT = 300
CONFIRM_BUTTON = 30
OPTIONS = 100
OPTION_TEXT = 75
OPTION_VALUE = 150
OVERFLOW_OPTIONS = 5
ALT_TEXT = 2_000
MODAL_TITLE = 24
PRIVATE_METADATA = 3_000
MARKDOWN = 12_000
PLACEHOLDER = 150
LABEL = 2_000
PICTURE_KINDS = (".png", ".jpg", ".jpeg", ".gif")


def size(text: str) -> int:
    """Characters as the strictest of Slack's counters takes them: UTF-16 units, so an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def violations(payload: Mapping[str, object]) -> list[str]:
    """Everything Slack would refuse in a message, modal or Home view; empty when it would take it."""
    kind = payload.get("type")
    return list(_view(payload) if kind in ("modal", "home") else _message(payload))


def _message(payload: Mapping[str, object]) -> Iterator[str]:
    text = payload.get("text")
    if not isinstance(text, str) or not text.strip():
        yield "text: a message needs a top-level text for notices and screen readers"
    else:
        yield from _long("text", text, MESSAGE_TEXT)
    yield from _blocks(payload.get("blocks", ()), MESSAGE_BLOCKS)


def _view(payload: Mapping[str, object]) -> Iterator[str]:
    for part in ("title", "submit", "close"):
        if part in payload:
            yield from _text(part, payload[part], MODAL_TITLE)
    if payload.get("type") == "modal" and "title" not in payload:
        yield "title: a modal needs one"
    yield from _optional("private_metadata", payload, PRIVATE_METADATA)
    yield from _optional("callback_id", payload, IDENTIFIER)
    yield from _blocks(payload.get("blocks", ()), VIEW_BLOCKS)


def _blocks(blocks: object, most: int) -> Iterator[str]:
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        yield "blocks: must be a list"
        return
    if len(blocks) > most:
        yield f"blocks: {len(blocks)}, at most {most}"
    whole = size(json.dumps(list(blocks), ensure_ascii=False))
    if whole > PAYLOAD:
        yield f"blocks: {whole} characters in all, at most {PAYLOAD}"
    seen: set[str] = set()
    markdown = 0
    for n, block in enumerate(blocks):
        at = f"blocks/{n}"
        yield from _block(at, block)
        identifier = str(block.get("block_id", ""))
        if identifier and identifier in seen:
            yield f"{at}/block_id: {identifier} stands twice"
        seen.add(identifier)
        if block.get("type") == "markdown":
            markdown += size(str(block.get("text", "")))
    if markdown > MARKDOWN:
        yield f"blocks: {markdown} characters of markdown in all, at most {MARKDOWN}"


def _block(at: str, block: Mapping[str, object]) -> Iterator[str]:
    yield from _optional("block_id", block, IDENTIFIER, at)
    check = _BLOCKS.get(str(block.get("type")))
    if check is None:
        yield f"{at}: {block.get('type')} is no block we send"
    else:
        yield from check(at, block)


def _header(at: str, block: Mapping[str, object]) -> Iterator[str]:
    yield from _text(f"{at}/text", block.get("text"), HEADER, kinds=("plain_text",))


def _section(at: str, block: Mapping[str, object]) -> Iterator[str]:
    if "text" not in block and "fields" not in block:
        yield f"{at}: a section needs text or fields"
    if "text" in block:
        yield from _text(f"{at}/text", block["text"], SECTION)
    if "fields" in block:
        fields = _list(block["fields"])
        if not 1 <= len(fields) <= FIELDS:
            yield f"{at}/fields: {len(fields)}, from 1 to {FIELDS}"
        for n, field in enumerate(fields):
            yield from _text(f"{at}/fields/{n}", field, FIELD)
    if "accessory" in block:
        yield from _element(f"{at}/accessory", _mapping(block["accessory"]))


def _context(at: str, block: Mapping[str, object]) -> Iterator[str]:
    elements = _list(block.get("elements"))
    if not 1 <= len(elements) <= CONTEXT_ELEMENTS:
        yield f"{at}/elements: {len(elements)}, from 1 to {CONTEXT_ELEMENTS}"
    for n, element in enumerate(elements):
        if _mapping(element).get("type") == "image":
            yield from _image(f"{at}/elements/{n}", _mapping(element))
        else:
            yield from _text(f"{at}/elements/{n}", element, SECTION)


def _actions(at: str, block: Mapping[str, object]) -> Iterator[str]:
    elements = _list(block.get("elements"))
    if not 1 <= len(elements) <= ACTIONS_ELEMENTS:
        yield f"{at}/elements: {len(elements)}, from 1 to {ACTIONS_ELEMENTS}"
    if not block.get("block_id"):
        yield f"{at}/block_id: actions are found again by it"
    names = [str(_mapping(element).get("action_id")) for element in elements]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"{at}/elements: action_id {name} stands twice"
    for n, element in enumerate(elements):
        yield from _element(f"{at}/elements/{n}", _mapping(element))


def _input(at: str, block: Mapping[str, object]) -> Iterator[str]:
    yield from _text(f"{at}/label", block.get("label"), LABEL, kinds=("plain_text",))
    if "hint" in block:
        yield from _text(f"{at}/hint", block["hint"], LABEL, kinds=("plain_text",))
    yield from _element(f"{at}/element", _mapping(block.get("element")))


def _element(at: str, element: Mapping[str, object]) -> Iterator[str]:
    kind = element.get("type")
    if not element.get("action_id") and kind != "image":
        yield f"{at}/action_id: missing"
    yield from _optional("action_id", element, IDENTIFIER, at)
    yield from _optional("value", element, BUTTON_VALUE, at)
    yield from _optional("url", element, URL, at)
    if kind == "button":
        yield from _text(f"{at}/text", element.get("text"), BUTTON_TEXT, kinds=("plain_text",))
        if element.get("style", "primary") not in ("primary", "danger"):
            yield f"{at}/style: {element.get('style')} is neither primary nor danger"
    if "placeholder" in element:
        yield from _text(f"{at}/placeholder", element["placeholder"], PLACEHOLDER, kinds=("plain_text",))
    if "options" in element:
        yield from _options(at, element)
    if "confirm" in element:
        yield from _confirm(f"{at}/confirm", _mapping(element["confirm"]))


def _options(at: str, element: Mapping[str, object]) -> Iterator[str]:
    options = _list(element["options"])
    most = OVERFLOW_OPTIONS if element.get("type") == "overflow" else OPTIONS
    if not 1 <= len(options) <= most:
        yield f"{at}/options: {len(options)}, from 1 to {most}"
    for n, option in enumerate(options):
        yield from _text(f"{at}/options/{n}/text", _mapping(option).get("text"), OPTION_TEXT)
        yield from _optional("value", _mapping(option), OPTION_VALUE, f"{at}/options/{n}")


def _confirm(at: str, confirm: Mapping[str, object]) -> Iterator[str]:
    yield from _text(f"{at}/title", confirm.get("title"), CONFIRM_TITLE, kinds=("plain_text",))
    yield from _text(f"{at}/text", confirm.get("text"), CONFIRM_TEXT)
    yield from _text(f"{at}/confirm", confirm.get("confirm"), CONFIRM_BUTTON, kinds=("plain_text",))
    yield from _text(f"{at}/deny", confirm.get("deny"), CONFIRM_BUTTON, kinds=("plain_text",))


def _image(at: str, block: Mapping[str, object]) -> Iterator[str]:
    alt = block.get("alt_text")
    if not isinstance(alt, str) or not alt.strip():
        yield f"{at}/alt_text: a picture needs words"
    yield from _optional("alt_text", block, ALT_TEXT, at)
    if ("image_url" in block) == ("slack_file" in block):
        yield f"{at}: exactly one of image_url and slack_file"
    url = block.get("image_url")
    if isinstance(url, str):
        yield from _long(f"{at}/image_url", url, URL)
        if not url.startswith("https://") or not url.split("?")[0].lower().endswith(PICTURE_KINDS):
            yield f"{at}/image_url: must be https and one of {', '.join(PICTURE_KINDS)}"
    if "title" in block:
        yield from _text(f"{at}/title", block["title"], LABEL, kinds=("plain_text",))


def _nothing(at: str, block: Mapping[str, object]) -> Iterator[str]:
    del at, block
    return iter(())


_BLOCKS: Mapping[str, Callable[[str, Mapping[str, object]], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "divider": _nothing,
    "markdown": _nothing,
}


def _text(at: str, text: object, most: int, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Iterator[str]:
    content = _mapping(text).get("text")
    if not isinstance(content, str) or not content.strip():
        yield f"{at}: needs a text of at least one character"
        return
    if _mapping(text).get("type") not in kinds:
        yield f"{at}: must be {' or '.join(kinds)}"
    yield from _long(at, content, most)


def _optional(name: str, holder: Mapping[str, object], most: int, at: str = "") -> Iterator[str]:
    value = holder.get(name)
    if value is not None:
        where = f"{at}/{name}" if at else name
        yield from _long(where, value, most) if isinstance(value, str) else iter((f"{where}: must be a string",))


def _long(at: str, text: str, most: int) -> Iterator[str]:
    if size(text) > most:
        yield f"{at}: {size(text)} characters, at most {most}"


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, (list, tuple)) else ()


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
