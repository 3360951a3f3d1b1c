"""A Slack that outlives the bot: what was posted, by kind, and what its buttons say now."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_STAGE = re.compile(r"stage (\d+)/\d+")
_EVIDENCE = re.compile(r"```|\S+ \*(split|requests|errors)[,*]|No look has been taken")
_FIGURE = re.compile(r"<!date[^>]*>|\d[\d.,:]*(?: ?(?:%|s|min|h|ms))?")
POSTS = frozenset({"chat_postMessage", "files_upload_v2"})


@dataclass(slots=True)
class Posted:
    """One message as it stands."""

    ts: str
    kind: str
    payload: dict[str, Any]
    edits: int = 0

    def actions(self) -> Iterator[dict[str, Any]]:
        """Its buttons, as a click sends them."""
        for block in self.payload.get("blocks") or ():
            if block["type"] == "actions":
                for element in block["elements"]:
                    yield element | {"block_id": block["block_id"]}


@dataclass(slots=True)
class Slack:
    """The Web API methods that the bot calls, oldest message first."""

    messages: dict[str, Posted] = field(default_factory=dict)

    def chat_postMessage(self, **payload: Any) -> Mapping[str, object]:  # noqa: N802 - Slack's name
        ts = self._keep(_kind(payload), payload)
        return {"ok": True, "channel": payload["channel"], "ts": ts}

    def chat_update(self, *, ts: str, **payload: Any) -> Mapping[str, object]:
        message = self.messages[ts]
        message.payload |= payload
        message.edits += 1
        return {"ok": True, "channel": payload["channel"], "ts": ts}

    def chat_getPermalink(self, *, channel: str, message_ts: str) -> Mapping[str, object]:  # noqa: N802 - Slack's name
        return {"ok": True, "permalink": f"https://slack.example/{channel}/{message_ts}"}

    def files_upload_v2(self, **payload: Any) -> Mapping[str, object]:
        self._keep("picture", payload)
        return {"ok": True}

    def counts(self) -> Counter[str]:
        """How many messages of each kind there are."""
        return Counter(message.kind for message in self.messages.values())

    def buttons(self, action_id: str, words: str = "") -> list[dict[str, Any]]:
        """Every button of that action on a message that says `words`."""
        saying = [message for message in self.messages.values() if words in message.payload.get("text", "")]
        return [action for message in saying for action in message.actions() if action["action_id"] == action_id]

    def left_behind(self, action_id: str) -> list[dict[str, Any]]:
        """That action's buttons on every message that was posted again since."""
        newest = {message.kind: message.ts for message in self.messages.values()}
        old = [message for message in self.messages.values() if message.ts != newest[message.kind]]
        return [action for message in old for action in message.actions() if action["action_id"] == action_id]

    def shown(self, ts: str) -> list[str]:
        """What a message tells but for its figures and its evidence: those are of the last look, whenever it was."""
        payload = self.messages[ts].payload
        sections = [block for block in payload["blocks"] if block["type"] == "section" and "text" in block]
        told = [block["text"]["text"] for block in sections]
        buttons = [action["action_id"] for action in self.messages[ts].actions()]
        return [plain(text) for text in (payload["text"], *told) if not _EVIDENCE.match(text)] + buttons

    def _keep(self, kind: str, payload: dict[str, Any]) -> str:
        ts = f"{1_700_000_000 + len(self.messages)}.000000"
        self.messages[ts] = Posted(ts, kind, payload)
        return ts


def plain(text: str) -> str:
    """The words of a text without its figures."""
    return _FIGURE.sub("#", text)


def _kind(payload: Mapping[str, Any]) -> str:
    if payload.get("thread_ts") is None:
        return "root" if payload.get("blocks") else f"call {plain(payload['text'])}"
    return _stage(payload["text"]) if payload.get("blocks") else f"line {plain(payload['text'])}"


def _stage(text: str) -> str:
    found = _STAGE.search(text)
    return f"stage {found[1]}" if found else f"no stage: {text}"
