"""What people do in Slack reaches the desk, and what the desk says reaches them, by both transports."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot.errors import Transient
from bot.requests import (
    AdoptRequest,
    Answer,
    ApproveRequest,
    ConfirmNeeded,
    PauseRequest,
    PreflightRequest,
    Request,
    RollbackRequest,
    Said,
    Shown,
    StartRequest,
    StatusRequest,
)
from bot.sandbox.slack import Fault, FaultKind, Settings, SlackStandIn, SlackThread
from bot.slack.answers import failed_inside
from bot.slack.app import HttpDoor, SocketDoor, build
from bot.slack.outgoing import SlackChat
from bot.slack.people import People
from bot.slack.reception import Reception
from bot.slack.replies import Replies
from bot.slack.web import connect
from strategies.reasons import ReasonCode, Refused
from strategies.release import Actor, Role
from tests.answering import answering
from tests.contract.chat.conftest import CHANNEL, Holders, until
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
        self.web = connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url, timeout=5)
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


@pytest.fixture
def people(slack: SlackThread, tmp_path_factory: pytest.TempPathFactory) -> People:
    path = tmp_path_factory.mktemp("roles") / "roles.yaml"
    path.write_text(ROLES)
    found = People(connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url), path)
    found.refresh()
    return found


@pytest.fixture
def slack() -> Iterator[SlackThread]:
    settings = Settings(rate_limits=False, retry_events_after=(0.1, 0.1, 0.1), acknowledge_within=2.0)
    with SlackThread(SlackStandIn(settings)) as thread:
        yield thread


@pytest.fixture(params=["socket", "http"])
def bot(request: pytest.FixtureRequest, slack: SlackThread, people: People) -> Iterator[Bot]:
    with ExitStack() as stack:
        bot = Bot(slack, people)
        stack.callback(bot.replies.stop)
        stack.enter_context(socket(bot) if request.param == "socket" else signed_http(bot))
        yield bot


@contextmanager
def socket(bot: Bot) -> Iterator[SocketDoor]:
    app = build(bot.reception, bot.replies, bot.web)
    door = SocketDoor(app, bot.hands.settings.app_token, bot.web)
    door.start()
    try:
        until(lambda: bot.slack.read(lambda: bot.hands.sockets.connections) >= 1)
        yield door
    finally:
        door.stop()


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


def test_a_command_reaches_the_desk_with_the_persons_roles(bot: Bot) -> None:
    outcome = bot.slack.run(bot.hands.command("alice", "/release start reviews v2 steps=5,100"))
    assert outcome.acknowledged
    ((request, actor),) = bot.desk.asked
    assert isinstance(request, StartRequest)
    assert (actor.id, actor.name, Role.RELEASER in actor.roles) == ("U0ALICE", "alice", True)
    assert "done" in bot.told("alice")
    assert bot.private("bob") == []


def test_a_plan_is_acknowledged_before_it_asks_anybody_and_answered_in_private(bot: Bot) -> None:
    outcome = bot.slack.run(bot.hands.command("alice", "/release plan reviews v2"))
    assert outcome.acknowledged
    assert "done" in bot.told("alice")
    assert bot.private("bob") == []


def test_a_preflight_is_acknowledged_before_it_asks_anybody_and_answered_in_private(bot: Bot) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slow(request: PreflightRequest) -> Answer | Refused:
        asked.set()
        answered.wait(5)
        return Said(f"done with {request.service}")

    bot.desk.preflight = slow  # type: ignore[method-assign]  # a Prometheus that takes its time
    outcome = bot.slack.run(bot.hands.command("alice", "/release preflight reviews"))
    assert outcome.acknowledged
    assert asked.wait(5)
    answered.set()
    assert "done with reviews" in bot.told("alice")
    assert bot.private("bob") == []


def test_a_typo_is_answered_without_the_desk(bot: Bot) -> None:
    bot.slack.run(bot.hands.command("alice", "/release strat reviews v2"))
    assert "Did you mean start?" in bot.told("alice")
    assert "BAD_INPUT" in bot.told("alice")
    assert bot.desk.asked == []


def test_the_bare_command_shows_the_help(bot: Bot) -> None:
    bot.slack.run(bot.hands.command("mallory", "/release"))
    assert "How to use /release" in bot.told("mallory")


def test_a_click_reaches_the_desk_with_its_revision_and_the_groups_role(bot: Bot) -> None:
    ts = bot.card()
    assert bot.slack.run(bot.hands.click("bob", "releases", ts, "release_approve")).acknowledged
    ((request, actor),) = bot.desk.asked
    assert request == ApproveRequest("reviews-1", revision=7)
    assert (Role.APPROVER in actor.roles, actor.groups) == (True, frozenset({"S0APPROVE"}))
    assert bot.private("bob") == []


def test_a_refused_click_is_told_privately_with_its_reason(bot: Bot) -> None:
    bot.desk.reply = Refused(ReasonCode.NOT_APPROVER, "Only approvers may approve.")
    ts = bot.card()
    bot.slack.run(bot.hands.click("mallory", "releases", ts, "release_approve"))
    told = bot.told("mallory")
    assert "Only approvers may approve." in told
    assert "NOT_APPROVER" in told
    assert len(bot.slack.read(lambda: bot.hands.messages("bob"))) == 1


def test_missing_evidence_is_confirmed_privately_and_then_approved(bot: Bot) -> None:
    ts = bot.card()
    bot.desk.reply = ConfirmNeeded(asking(), "320 more requests")
    bot.slack.run(bot.hands.click("bob", "releases", ts, "release_approve"))
    assert "320 more requests" in bot.told("bob")
    bot.desk.reply = Said("Approved: v2 gets 50 %.")
    bot.slack.run(bot.hands.click("bob", "releases", bot.private("bob")[0]["ts"], "release_approve"))
    assert bot.desk.requests()[-1] == ApproveRequest("reviews-1", revision=7, acknowledged=True)
    until(lambda: "Approved: v2 gets 50 %." in str(bot.private("bob")))


def test_a_button_of_an_older_card_still_tells_its_own_revision(bot: Bot) -> None:
    first = bot.chat.show_root(a_card(asking(channel=CHANNEL, revision=3)), None)
    bot.chat.show_root(a_card(asking(channel=CHANNEL, revision=4)), first)
    bot.slack.run(bot.hands.stale_click("bob", "releases", first.ts, "release_roll_back"))
    bot.slack.run(bot.hands.click("bob", "releases", first.ts, "release_pause"))
    assert bot.desk.requests() == [RollbackRequest("reviews-1"), PauseRequest("reviews-1", revision=4)]


def test_a_mention_in_a_thread_takes_its_release_from_the_thread(bot: Bot) -> None:
    ts = bot.card()
    bot.slack.run(bot.hands.mention("carol", "@sluice pause checking logs", thread_ts=ts))
    until(lambda: bot.desk.asked)
    assert bot.desk.requests() == [PauseRequest("reviews-1", "checking logs")]
    assert "done" in bot.told("carol")


def test_the_message_shortcut_shows_the_card_privately(bot: Bot) -> None:
    ts = bot.card()
    bot.desk.reply = Shown(a_card(asking(), a_look()))
    bot.slack.run(bot.hands.shortcut("carol", "releases", ts, "release_actions"))
    assert "release_roll_back" in bot.told("carol")
    assert bot.desk.requests() == [StatusRequest("reviews-1")]


def test_the_message_shortcut_on_somebodys_words_says_what_it_is_for(bot: Bot) -> None:
    said = bot.slack.run(bot.hands.say("alice", "good morning"))
    assert said.ts is not None
    bot.slack.run(bot.hands.shortcut("carol", "releases", said.ts, "release_actions"))
    assert "belongs to no release" in bot.told("carol")


def test_trouble_at_the_desk_is_told_and_not_hidden(bot: Bot) -> None:
    bot.desk.error = Transient("the database did not answer")
    outcome = bot.slack.run(bot.hands.command("alice", "/release list"))
    assert outcome.acknowledged
    assert "the database did not answer" in bot.told("alice")


@pytest.mark.parametrize("asked", ["/release list", "/release plan reviews v2", "/release preflight reviews"])
def test_a_failure_inside_is_logged_and_told(bot: Bot, asked: str, caplog: pytest.LogCaptureFixture) -> None:
    bot.desk.error = RuntimeError("a slip of ours")
    assert bot.slack.run(bot.hands.command("alice", asked)).acknowledged
    assert "Sluice failed inside" in bot.told("alice")
    assert "a slip of ours" in caplog.text


def test_a_failed_mention_is_brought_again_under_the_same_key(bot: Bot) -> None:
    bot.desk.error = RuntimeError("a slip of ours")
    bot.slack.run(bot.hands.mention("alice", "@sluice list"))
    until(lambda: len(bot.desk.keys) >= 2)
    assert len(set(bot.desk.keys)) == 1


def test_a_slow_slack_does_not_delay_an_acknowledgement(bot: Bot) -> None:
    bot.desk.reply = Refused(ReasonCode.NOT_APPROVER, "No.")
    ts = bot.card()
    slow = Fault(kind=FaultKind.SLOW, methods=frozenset({"response_url"}), seconds=1.0)
    bot.slack.read(lambda: bot.hands.faults.add(slow))
    outcomes = [bot.slack.run(bot.hands.click("mallory", "releases", ts, "release_approve")) for _ in range(6)]
    assert all(outcome.acknowledged for outcome in outcomes)
    assert max(outcome.seconds for outcome in outcomes) < 0.9


def test_an_unsigned_payload_reaches_nobody(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    with signed_http(bot) as door:
        assert door.handle({"content-type": "application/json"}, '{"type":"event_callback"}').status == 401
    assert bot.desk.asked == []


def test_signed_http_without_a_secret_does_not_start(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    with pytest.raises(ValueError, match="SLUICE_SLACK_SIGNING_SECRET"):
        HttpDoor(build(bot.reception, bot.replies, bot.web), "")


def test_a_start_without_slack_waits_for_it_in_the_background(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    slack.run(slack.stand_in.refuse_connections())
    door = SocketDoor(build(bot.reception, bot.replies, bot.web), bot.hands.settings.app_token, bot.web)
    door.start()
    try:
        until(lambda: "cannot be reached" in "".join(door.troubles()))
        slack.run(slack.stand_in.accept_connections())
        until(lambda: not door.troubles(), patience=10)
        assert slack.run(slack.stand_in.command("alice", "/release list")).acknowledged
    finally:
        door.stop()


def test_a_click_before_slack_has_told_of_the_groups_is_not_taken_and_not_refused(
    slack: SlackThread, tmp_path: Path
) -> None:
    (tmp_path / "roles.yaml").write_text(ROLES)
    bot = Bot(
        slack, People(connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url), tmp_path / "roles.yaml")
    )
    ts = bot.card()
    with socket(bot):
        assert slack.run(slack.stand_in.click("bob", "releases", ts, "release_approve")).acknowledged
        assert "That was not taken: Slack has not told yet who belongs to" in bot.told("bob")
    assert bot.desk.asked == []


def test_a_connection_that_slack_cuts_is_taken_up_again_at_once(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    with socket(bot):
        slack.read(slack.stand_in.sockets.drop)
        until(lambda: slack.read(lambda: slack.stand_in.sockets.connections) == 0)
        until(lambda: slack.read(lambda: slack.stand_in.sockets.connections) == 1, patience=5)
        assert slack.run(slack.stand_in.command("alice", "/release list")).acknowledged


def test_a_stop_while_it_connects_leaves_no_connection(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    slow = Fault(kind=FaultKind.SLOW, methods=frozenset({"apps.connections.open"}), seconds=2.5, times=1)
    slack.read(lambda: slack.stand_in.faults.add(slow))
    door = SocketDoor(build(bot.reception, bot.replies, bot.web), bot.hands.settings.app_token, bot.web)
    door.start()
    door.stop()
    door._thread.join(5)
    assert not door._thread.is_alive()
    until(lambda: slack.read(lambda: slack.stand_in.sockets.connections) == 0)
    assert not door._client.is_connected()


def test_one_payload_on_two_connections_is_one_request(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    with socket(bot), socket(bot):
        until(lambda: slack.read(lambda: slack.stand_in.sockets.connections) == 2)
        slack.read(lambda: slack.stand_in.faults.add(Fault(kind=FaultKind.DUPLICATE)))
        slack.run(slack.stand_in.command("alice", "/release pause reviews-1"))
        until(lambda: len(bot.desk.keys) == 2)
    assert bot.desk.requests() == [PauseRequest("reviews-1")]
