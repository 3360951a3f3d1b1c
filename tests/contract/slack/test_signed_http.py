"""Signed HTTP as Bolt's own WSGI adapter takes it."""

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Delivery, Settings, SlackThread
from tests.contract.patience import PATIENCE, until
from tests.contract.slack.conftest import ACKNOWLEDGE, Clock, client_of, impatiently, served
from tests.contract.slack.probe import Probe, buttons


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


@contextmanager
def serving(probe: Probe) -> Iterator[str]:
    with make_server("127.0.0.1", 0, SlackRequestHandler(probe.app), handler_class=Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/slack/events"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def slack(clock: Clock) -> Iterator[SlackThread]:
    settings = Settings(
        delivery=Delivery.HTTP, acknowledge_within=ACKNOWLEDGE, retry_events_after=(0.05, 0.1, 0.1), rate_limits=False
    )
    with served(settings, clock) as thread:
        yield thread


@pytest.fixture
def probe(slack: SlackThread) -> Iterator[Probe]:
    probe = Probe(client_of(slack), slack.stand_in.settings.signing_secret)
    with serving(probe) as url:
        slack.read(lambda: slack.stand_in.deliver_by_http(url))
        yield probe


def test_commands_clicks_and_events_arrive_signed(slack: SlackThread, probe: Probe) -> None:
    assert slack.run(slack.stand_in.command("alice", "/release start reviews v2 & more")).acknowledged
    ts = str(probe.client.chat_postMessage(channel="C0RELEASES", text="gate", blocks=buttons())["ts"])
    assert slack.run(slack.stand_in.click("bob", "releases", ts, "release_approve")).acknowledged
    assert slack.run(slack.stand_in.mention("bob", "status")).acknowledged
    assert probe.wait("command")[0]["text"] == "start reviews v2 &amp; more"
    assert probe.wait("click")[0]["actions"][0]["action_id"] == "release_approve"
    assert probe.wait("mention")[0]["event"]["user"] == "U0BOB"


def test_an_acknowledgement_body_is_shown(slack: SlackThread, probe: Probe) -> None:
    probe.on_command = lambda ack, body, respond: ack(response_type="in_channel", text="here")
    slack.run(slack.stand_in.command("alice", "/release status"))
    assert slack.stand_in.messages("bob")[-1]["text"] == "here"


@pytest.mark.parametrize("secret", ["another-secret"])
def test_an_app_with_another_secret_refuses_and_the_person_is_told(slack: SlackThread, secret: str) -> None:
    stranger = Probe(client_of(slack), secret)
    with serving(stranger) as url:
        slack.read(lambda: slack.stand_in.deliver_by_http(url))
        outcome = slack.run(slack.stand_in.command("alice", "/release status"))
    assert outcome.error == "dispatch_failed"
    assert not stranger.seen


def test_an_old_timestamp_is_refused_by_the_app(slack: SlackThread, probe: Probe, clock: Clock) -> None:
    clock.ahead = -600
    assert slack.run(slack.stand_in.command("alice", "/release status")).error == "dispatch_failed"
    assert not probe.seen


def test_an_unsigned_request_is_refused_by_the_app(slack: SlackThread, probe: Probe) -> None:
    url = str(slack.stand_in.http.request_url)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url, data=b"command=/release", timeout=PATIENCE)
    with refused.value as answer:
        assert answer.code == 401


def test_a_late_answer_is_an_operation_timeout(slack: SlackThread, probe: Probe) -> None:
    told = threading.Event()
    probe.on_command = lambda ack, body, respond: told.wait(PATIENCE)
    outcome = slack.run(impatiently(slack, slack.stand_in.command("alice", "/release status")))
    told.set()
    assert (outcome.acknowledged, outcome.error) == (False, "operation_timeout")


def test_an_event_refused_once_comes_again_with_retry_headers(slack: SlackThread, probe: Probe) -> None:
    address = str(slack.stand_in.http.request_url)

    async def refused_once() -> None:
        slack.stand_in.deliver_by_http(f"{address}-not-here")
        await slack.stand_in.mention("bob", "status")
        slack.stand_in.deliver_by_http(address)

    slack.run(refused_once())
    probe.wait("mention")
    assert probe.retries == ["1"]


def test_without_an_app_a_command_fails_to_dispatch(slack: SlackThread) -> None:
    slack.read(lambda: slack.stand_in.deliver_by_http("http://127.0.0.1:9/slack/events"))
    outcome = slack.run(slack.stand_in.command("alice", "/release status"))
    assert outcome.error == "dispatch_failed"
    until(lambda: "dispatch_failed" in slack.stand_in.messages("alice")[-1]["text"])


def test_socket_mode_cannot_be_opened_while_delivery_is_http(slack: SlackThread) -> None:
    with pytest.raises(SlackApiError, match="not_allowed"):
        client_of(slack).apps_connections_open(app_token=slack.stand_in.settings.app_token)
