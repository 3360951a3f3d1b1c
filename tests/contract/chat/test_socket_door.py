"""Socket Mode: found late, cut, refused, left; whatever happens, one connection stands or the reason is told."""

from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path

import pytest

from bot.requests import (
    PauseRequest,
)
from bot.sandbox.slack import Fault, FaultKind, SlackThread
from bot.slack.app import SocketDoor, build
from bot.slack.people import People
from bot.slack.web import connect
from tests.contract.chat.bot import ROLES, Bot, a_slack, known, opened, socket
from tests.contract.patience import PATIENCE, until


@pytest.fixture
def slack() -> Iterator[SlackThread]:
    with a_slack() as thread:
        yield thread


@pytest.fixture
def people(slack: SlackThread, tmp_path: Path) -> People:
    return known(slack, tmp_path)


def test_a_start_without_slack_waits_for_it_in_the_background(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    slack.run(slack.stand_in.refuse_connections())
    with opened(bot) as door:
        until(lambda: "cannot be reached" in "".join(door.troubles()))
        slack.run(slack.stand_in.accept_connections())
        until(lambda: not door.troubles())
        assert slack.run(slack.stand_in.command("alice", "/release list")).acknowledged


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
        (before,) = slack.read(lambda: list(slack.stand_in.sockets._connections))
        slack.read(slack.stand_in.sockets.drop)

        def is_another() -> bool:
            return [each is not before for each in slack.stand_in.sockets._connections] == [True]

        until(lambda: slack.read(is_another))
        assert slack.run(slack.stand_in.command("alice", "/release list")).acknowledged


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (
            Fault(kind=FaultKind.STATUS, status=502),
            "cannot be reached: Slack cannot do apps.connections.open now: HTTP 502",
        ),
        (Fault(kind=FaultKind.API_ERROR, error="invalid_auth"), "refuses Socket Mode: invalid_auth; check SLUICE_"),
    ],
)
def test_a_slack_that_fails_is_not_taken_for_one_that_refuses_the_token(
    slack: SlackThread, people: People, fault: Fault, told: str
) -> None:
    bot = Bot(slack, people)
    slack.read(lambda: slack.stand_in.faults.add(fault))
    with opened(bot) as door:
        until(lambda: told in "".join(door.troubles()))


def test_an_answer_that_breaks_off_does_not_end_the_watch_over_the_connection(
    slack: SlackThread, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = Bot(slack, people)
    door = SocketDoor(build(bot.reception, bot.replies, bot.web), bot.hands.settings.app_token, bot.web)
    connect_now, broken = door._client.connect_to_new_endpoint, [IncompleteRead(b"")]

    def breaks_off() -> None:
        if broken:
            raise broken.pop()
        connect_now()

    monkeypatch.setattr(door._client, "connect_to_new_endpoint", breaks_off)
    door.start()
    try:
        until(lambda: not broken and not door.troubles())
    finally:
        door.stop()


def test_a_stop_while_it_connects_leaves_no_connection(slack: SlackThread, people: People) -> None:
    bot = Bot(slack, people)
    slow = Fault(kind=FaultKind.SLOW, methods=frozenset({"apps.connections.open"}), seconds=2.5, times=1)
    slack.read(lambda: slack.stand_in.faults.add(slow))
    door = SocketDoor(build(bot.reception, bot.replies, bot.web), bot.hands.settings.app_token, bot.web)
    door.start()
    door.stop()
    door._thread.join(PATIENCE)
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
