"""What people do in Slack reaches the desk, and what the desk says reaches them, by both transports."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.errors import Transient
from bot.requests import (
    Answer,
    ApproveRequest,
    ConfirmNeeded,
    PauseRequest,
    PreflightRequest,
    RollbackRequest,
    Said,
    Shown,
    StartRequest,
    StatusRequest,
)
from bot.sandbox.slack import Fault, FaultKind, SlackThread
from bot.slack.app import HttpDoor, build
from bot.slack.people import People
from bot.slack.web import TIMEOUT
from strategies.reasons import ReasonCode, Refused
from strategies.release import Role
from tests.contract.chat.bot import Bot, a_slack, known, signed_http, socket
from tests.contract.chat.conftest import CHANNEL
from tests.contract.patience import PATIENCE, until
from tests.contract.slack.conftest import impatiently
from tests.unit.slack.releases import a_card, a_look, asking


@pytest.fixture
def slack() -> Iterator[SlackThread]:
    with a_slack() as thread:
        yield thread


@pytest.fixture
def people(slack: SlackThread, tmp_path: Path) -> People:
    return known(slack, tmp_path)


@pytest.fixture(params=["socket", "http"])
def bot(request: pytest.FixtureRequest, slack: SlackThread, people: People) -> Iterator[Bot]:
    with ExitStack() as stack:
        bot = Bot(slack, people)
        stack.callback(bot.replies.stop)
        stack.enter_context(socket(bot) if request.param == "socket" else signed_http(bot))
        yield bot


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
        answered.wait(PATIENCE)
        return Said(f"done with {request.service}")

    bot.desk.preflight = slow  # type: ignore[method-assign]  # a Prometheus that takes its time
    outcome = bot.slack.run(bot.hands.command("alice", "/release preflight reviews"))
    assert outcome.acknowledged
    assert asked.wait(PATIENCE)
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
    bot.slack.run(impatiently(bot.slack, bot.hands.mention("alice", "@sluice list")))
    until(lambda: len(bot.desk.keys) >= 2)
    assert len(set(bot.desk.keys)) == 1


def test_a_slow_slack_does_not_delay_an_acknowledgement(bot: Bot) -> None:
    bot.desk.reply = Refused(ReasonCode.NOT_APPROVER, "No.")
    ts = bot.card()
    slow = Fault(kind=FaultKind.SLOW, methods=frozenset({"response_url"}), seconds=2 * PATIENCE)
    bot.slack.read(lambda: bot.hands.faults.add(slow))
    for _ in range(6):
        # Less than the bot itself bears a Slack that is slow: an acknowledgement behind an answer would come too late.
        click = impatiently(bot.slack, bot.hands.click("mallory", "releases", ts, "release_approve"), TIMEOUT - 2)
        assert bot.slack.run(click).acknowledged
    # Whoever still waits for Slack is let go.
    bot.slack.run(bot.hands.refuse_connections())


def test_an_unsigned_payload_reaches_nobody(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    with signed_http(bot) as door:
        assert door.handle({"content-type": "application/json"}, '{"type":"event_callback"}').status == 401
    assert bot.desk.asked == []


def test_signed_http_without_a_secret_does_not_start(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    with pytest.raises(ValueError, match="SLUICE_SLACK_SIGNING_SECRET"):
        HttpDoor(build(bot.reception, bot.replies, bot.web), "")
