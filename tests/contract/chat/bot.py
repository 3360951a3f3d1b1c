"""The Slack side of the bot in front of a stand-in, by both transports."""

import http.server
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.requests import (
    AdoptRequest,
    Answer,
    PreflightRequest,
    Request,
    Said,
    StartRequest,
)
from bot.sandbox.slack import Settings, SlackStandIn, SlackThread
from bot.slack.answers import failed_inside
from bot.slack.app import HttpDoor, SocketDoor, build
from bot.slack.outgoing import SlackChat
from bot.slack.people import People
from bot.slack.reception import Reception
from bot.slack.replies import Replies
from bot.slack.web import connect
from strategies.reasons import Refused
from strategies.release import Actor
from tests.answering import answering
from tests.contract.chat.conftest import CHANNEL, Holders
from tests.contract.patience import PATIENCE, until
from tests.contract.slack.conftest import ACKNOWLEDGE
from tests.unit.slack.releases import a_card, a_look, asking

ROLES = "releaser: [U0ALICE]\napprover: [S0APPROVE]\non_call: [U0CAROL]\n"


@dataclass
class FakeDesk:
    """Remembers what was asked; answers what the test says, the same for a repeated key."""

    reply: Answer | Refused = field(default_factory=lambda: Said("done", "reviews-1"))
    error: Exception | None = None
    asked: list[tuple[Request, Actor]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def answer(self, request: Request, actor: Actor, key: str) -> Answer | Refused:
        self.keys.append(key)
        if self.keys.count(key) == 1:
            self.asked.append((request, actor))
        if self.error is not None:
            raise self.error
        return self.reply

    def plan(self, request: StartRequest) -> Answer | Refused:
        return self.answer(request, Actor("", ""), "plan")

    def adopt(self, request: AdoptRequest, actor: Actor, key: str) -> Answer | Refused:
        return self.answer(request, actor, f"{key}:done")

    def preflight(self, request: PreflightRequest) -> Answer | Refused:
        return self.answer(request, Actor("", ""), "preflight")

    def requests(self) -> list[Request]:
        return [request for request, _ in self.asked]


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 11, 21, 20, 0, tzinfo=UTC)


class Bot:
    """The Slack side of the bot in front of a stand-in."""

    def __init__(self, slack: SlackThread, people: People) -> None:
        self.slack = slack
        self.hands = slack.stand_in
        self.desk = FakeDesk()
        self.people = people
        self.web = connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url, timeout=int(PATIENCE))
        self.replies = Replies(self.web, failed_inside("/release"))
        self.roots: dict[tuple[str, str], str] = {}
        self.reception = Reception(
            desk=self.desk,
            people=people,
            threads=lambda channel, ts: self.roots.get((channel, ts)),
            clock=FixedClock(),
            zone=ZoneInfo("Europe/Berlin"),
            command="/release",
        )
        self.chat = SlackChat(self.web, Holders(), command="/release")

    def card(self) -> str:
        """A posted root message that asks for approval."""
        ts = self.chat.show_root(a_card(asking(channel=CHANNEL), a_look()), None).ts
        self.roots[CHANNEL, ts] = "reviews-1"
        return ts

    def private(self, user: str) -> list[dict[str, Any]]:
        messages = self.slack.read(lambda: self.hands.messages(user))
        return [message for message in messages if message["ephemeral"]]

    def told(self, user: str, count: int = 1) -> str:
        """All text of the newest private message."""
        until(lambda: len(self.private(user)) >= count)
        return str(self.private(user)[-1])


def a_slack() -> SlackThread:
    """A Slack that limits nothing and brings events again soon."""
    settings = Settings(rate_limits=False, retry_events_after=(0.1, 0.1, 0.1), acknowledge_within=ACKNOWLEDGE)
    return SlackThread(SlackStandIn(settings))


def known(slack: SlackThread, folder: Path) -> People:
    """People of whom Slack has told."""
    path = folder / "roles.yaml"
    path.write_text(ROLES)
    found = People(connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url), path)
    found.refresh()
    return found


@contextmanager
def opened(bot: Bot) -> Iterator[SocketDoor]:
    """A Socket Mode door that has begun to connect."""
    door = SocketDoor(build(bot.reception, bot.replies, bot.web), bot.hands.settings.app_token, bot.web)
    door.start()
    try:
        yield door
    finally:
        door.stop()


@contextmanager
def socket(bot: Bot) -> Iterator[SocketDoor]:
    """One that Slack knows to be connected."""
    with opened(bot) as door:
        until(lambda: bot.slack.read(lambda: bot.hands.sockets.connections) >= 1)
        yield door


@contextmanager
def signed_http(bot: Bot) -> Iterator[HttpDoor]:
    secret = bot.hands.settings.signing_secret
    door = HttpDoor(build(bot.reception, bot.replies, bot.web, secret), secret)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            answer = door.handle(dict(self.headers.items()), body)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with answering(Handler) as url:
        bot.slack.read(lambda: bot.hands.deliver_by_http(f"{url}/slack/events"))
        yield door
