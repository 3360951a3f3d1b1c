"""What a message may hold: reading and refusing texts and blocks as Slack does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from bot.sandbox.slack.block_kit import is_too_long, problems_in_blocks, problems_in_view
from bot.sandbox.slack.call import Call
from bot.sandbox.slack.checks import at
from bot.sandbox.slack.elements import with_ids
from bot.sandbox.slack.mrkdwn import stored, stored_blocks
from bot.sandbox.slack.state import State
from bot.sandbox.slack.wire import ApiError, Json, refused

POSTED_CHARACTERS = 40_000
UPDATED_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Content:
    """A message's text and blocks, as Slack will keep them; None blocks were not given."""

    text: str
    blocks: list[Json] | None


def read_content(call: Call) -> Content:
    """The content of a call; refused when empty, malformed, too long or too early."""
    if call.arguments.get("attachments"):
        raise refused("invalid_attachments", ["the stand-in takes blocks, not attachments"])
    markdown = call.text("markdown_text")
    if markdown and (call.text("text") or call.text("blocks")):
        raise ApiError("markdown_text_conflict")
    blocks = call.document("blocks", "invalid_blocks_format")
    text = markdown or call.text("text") or ""
    if not text.strip() and not blocks:
        raise ApiError("no_text")
    return Content(stored(text), None if blocks is None else checked_blocks(call.state, blocks))


def checked_blocks(state: State, blocks: object) -> list[Json]:
    """The blocks as kept; refused with a pointer to every mistake."""
    if not isinstance(blocks, list):
        raise ApiError("invalid_blocks_format")
    problems = problems_in_blocks(blocks) or list(_unready_files(state, blocks, "/blocks"))
    if problems:
        raise refused("invalid_blocks", problems)
    if is_too_long(blocks):
        raise ApiError("msg_blocks_too_long")
    return with_ids(cast("list[Json]", stored_blocks(blocks)))


def checked_view(state: State, view: object, kind: str) -> Json:
    """A view as kept; refused with a pointer to every mistake."""
    if not isinstance(view, dict):
        raise refused("invalid_arguments", ["must be a view object [json-pointer:/view]"])
    problems = problems_in_view(view) or list(_unready_files(state, view["blocks"], "/view/blocks"))
    if not problems and view["type"] != kind:
        problems = [at("/view/type", f"must be {kind}")]
    if problems:
        raise refused("invalid_arguments", problems)
    return cast("Json", stored_blocks(view))


def _unready_files(state: State, node: object, pointer: str) -> Iterator[str]:
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _unready_files(state, item, f"{pointer}/{index}")
    elif isinstance(node, dict):
        for name, item in node.items():
            if name == "slack_file" and not state.files.is_usable(item):
                yield at(f"{pointer}/{name}", "invalid slack file")
            yield from _unready_files(state, item, f"{pointer}/{name}")
