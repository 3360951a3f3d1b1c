"""Slack's adapter over real sockets and the fake, seen through one pair of eyes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from bot.errors import Transient
from bot.ports import Chat
from bot.sandbox.slack import Fault, FaultKind, Settings, SlackStandIn, SlackThread
from bot.slack.outgoing import SlackChat
from bot.slack.web import connect
from strategies.release import Role
from tests.contract.patience import PATIENCE
from tests.fakes_chat import FakeChat

CHANNEL = "C0RELEASES"


@dataclass(frozen=True)
class Seen:
    """One message as people see it."""

    ts: str
    text: str
    thread_ts: str
    is_broadcast: bool
    has_picture: bool
    buttons: tuple[str, ...]


class Rig(Protocol):
    """A chat, and what a person or a bad day does to it."""

    chat: Chat

    def seen(self) -> list[Seen]: ...
    def delete(self, ts: str) -> None: ...
    def fail_next(self) -> None: ...
    def requests(self) -> int: ...


class Holders:
    """Carol is on call, the group approves."""

    def holders(self, role: Role) -> tuple[str, ...]:
        return {Role.ON_CALL: ("U0CAROL",), Role.APPROVER: ("S0APPROVE",)}.get(role, ())


class FakeRig:
    def __init__(self) -> None:
        self.fake = FakeChat()
        self.chat: Chat = self.fake

    def seen(self) -> list[Seen]:
        return [
            Seen(k.ts, k.message.text, k.thread_ts, k.is_broadcast, k.picture is not None, _buttons(k.message.blocks))
            for k in self.fake.kept.values()
        ]

    def delete(self, ts: str) -> None:
        self.fake.forget(ts)

    def fail_next(self) -> None:
        self.fake.next_error = Transient("Slack is down")

    def requests(self) -> int:
        return len(self.fake.kept) + sum(kept.edits for kept in self.fake.kept.values())


class SlackRig:
    def __init__(self, slack: SlackThread) -> None:
        self.slack = slack
        self.web = connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url, timeout=int(PATIENCE))
        self.chat: Chat = SlackChat(self.web, Holders(), command="/release")
        self.edits = 0

    def seen(self) -> list[Seen]:
        messages = self.slack.read(lambda: self.slack.stand_in.messages("alice"))
        return [
            Seen(
                m["ts"],
                m["text"],
                m["thread_ts"] or "",
                m["broadcast"],
                bool(m["files"]),
                _buttons(m["blocks"]),
            )
            for m in messages
        ]

    def delete(self, ts: str) -> None:
        self.web.chat_delete(channel=CHANNEL, ts=ts)

    def fail_next(self) -> None:
        fault = Fault(kind=FaultKind.STATUS, status=503, times=1)
        self.slack.read(lambda: self.slack.stand_in.faults.add(fault))

    def requests(self) -> int:
        messages = self.slack.read(lambda: self.slack.stand_in.messages("alice"))
        return len(messages) + sum(bool(m["edited"]) for m in messages)


def _buttons(blocks: Any) -> tuple[str, ...]:
    rows = [block["elements"] for block in blocks or () if block["type"] == "actions"]
    return tuple(element["action_id"] for row in rows for element in row)


@pytest.fixture
def slack() -> Iterator[SlackThread]:
    with SlackThread(SlackStandIn(Settings(rate_limits=False, files_ready_after=0.05))) as thread:
        yield thread


@pytest.fixture(params=["fake", "slack"])
def rig(request: pytest.FixtureRequest) -> Rig:
    if request.param == "fake":
        return FakeRig()
    return SlackRig(request.getfixturevalue("slack"))
