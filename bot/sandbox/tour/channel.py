"""What a story reads in the channel: the root message, the stages' messages, the pictures."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bot.sandbox.slack import SlackStandIn
from bot.sandbox.slack.elements import interactive

CHANNEL = "releases"
APPROVE, ROLL_BACK = "release_approve", "release_roll_back"
_PLACE = re.compile(r"(?:gate|card):(?P<release>[a-z0-9.-]+-\d+):(?P<stage>-?\d+):(?P<revision>\d+)")
_STAGE = re.compile(r"stage (?P<n>\d+)/(?P<of>\d+)")
_VERDICT = re.compile(r"\b(PASS|WAIT|FAIL)\b")
Message = dict[str, Any]


class ReleaseThread:
    """The messages of the newest release, as one person sees them."""

    def __init__(self, slack: SlackStandIn, user: str, after: str) -> None:
        self._slack = slack
        self._user = user
        self._after = after

    def private_answers(self) -> list[str]:
        """What only this person was told since the story began."""
        return [_words(one) for one in self._seen() if one["ephemeral"]]

    def last_private(self) -> str:
        """All of the last private answer, as one text."""
        found = [one["blocks"] for one in self._seen() if one["ephemeral"]]
        return json.dumps(found[-1], ensure_ascii=False) if found else ""

    def private_button(self, action: str) -> str | None:
        """The newest private answer that offers this button; its ts."""
        for message in reversed(self._seen()):
            if message["ephemeral"] and any(each["action_id"] == action for _, each in interactive(message["blocks"])):
                return str(message["ts"])
        return None

    def card(self) -> str:
        """All that the root message says, as one text."""
        root = self.root()
        return json.dumps(root["blocks"], ensure_ascii=False) if root else ""

    def said(self, words: str) -> str:
        """The newest line of the thread that has these words; empty when there is none."""
        return next((text for text in reversed([_words(one) for one in self.replies()]) if words in text), "")

    def root(self) -> Message | None:
        """The release's live message, once it is there."""
        for message in self._seen():
            if message["thread_ts"] in (None, message["ts"]) and not message["ephemeral"] and _place(message):
                return message
        return None

    def release(self) -> str | None:
        """The release's id."""
        root = self.root()
        place = _place(root) if root else None
        return place["release"] if place else None

    def headline(self) -> str:
        """The first line of the root message."""
        root = self.root()
        return _header(root) if root else ""

    def question(self) -> tuple[Message, str] | None:
        """The message that asks for an approval now, and its question's id."""
        root = self.root()
        if root is None:
            return None
        for message in [*self.replies(), root]:
            for block, element in interactive(message["blocks"]):
                if element.get("action_id") == APPROVE:
                    return message, block
        return None

    def replies(self) -> list[Message]:
        """The thread below the root message, oldest first."""
        root = self.root()
        if root is None:
            return []
        thread = self._slack.messages(self._user, CHANNEL, root["ts"])
        return [one for one in thread if one["ts"] != root["ts"] and not one["ephemeral"]]

    def verdicts(self) -> dict[int, str]:
        """The gates' verdict by stage (from 1), as the stages' messages show it."""
        found = {}
        for message in self.replies():
            stage = _STAGE.search(_header(message))
            verdict = _VERDICT.search(_field(message, "Gates"))
            if stage and verdict:
                found[int(stage["n"])] = verdict[1].lower()
        return found

    def pictures(self) -> list[tuple[str, bytes]]:
        """Name and content of every picture in the thread, oldest first."""
        files = self._slack.state.files
        found = []
        for identifier in dict.fromkeys(one for message in self.replies() for one in _pictures(message)):
            file = files.find(identifier)
            if file is not None and file.content is not None:
                found.append((file.name, file.content))
        return found

    def _seen(self) -> list[Message]:
        return [one for one in self._slack.messages(self._user, CHANNEL) if one["ts"] > self._after]


def _place(message: Message) -> dict[str, str] | None:
    for block in message["blocks"]:
        found = _PLACE.fullmatch(str(block.get("block_id", "")))
        if found:
            return found.groupdict()
    return None


def _header(message: Message) -> str:
    return next((str(one["text"]["text"]) for one in message["blocks"] if one["type"] == "header"), "")


def _field(message: Message, name: str) -> str:
    for block in message["blocks"]:
        for field in block.get("fields", []):
            title, _, value = str(field["text"]).partition("\n")
            if title.strip("*") == name:
                return value
    return ""


def _pictures(message: Message) -> Iterator[str]:
    yield from (str(file["id"]) for file in message["files"])
    for block in message["blocks"]:
        if block["type"] == "image" and "slack_file" in block:
            yield str(block["slack_file"].get("id", ""))


def _words(message: Message) -> str:
    sections = [str(one["text"]["text"]) for one in message["blocks"] if one.get("text")]
    return str(message["text"]) or " ".join(sections)
