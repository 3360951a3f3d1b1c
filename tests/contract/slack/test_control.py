"""The same hands and faults over HTTP, for other processes and the page."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient

from bot.sandbox.slack import SlackThread
from tests.contract.patience import PATIENCE, until
from tests.contract.slack.probe import buttons


def ask(slack: SlackThread, path: str, body: dict[str, Any] | None = None, kind: str = "application/json") -> Any:
    data = None if body is None else json.dumps(body).encode()
    url = f"{slack.stand_in.state.base_url}/sandbox/{path}"
    request = urllib.request.Request(url, data=data, headers={"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return {"status": error.code, **json.load(error)}


def test_messages_are_those_that_the_asked_person_sees(slack: SlackThread, web: WebClient) -> None:
    web.chat_postEphemeral(channel="C0RELEASES", user="U0BOB", text="psst")
    assert [m["text"] for m in ask(slack, "messages?user=bob&channel=releases")["messages"]] == ["psst"]
    assert ask(slack, "messages?user=U0ALICE&channel=C0RELEASES")["messages"] == []


def test_a_command_nobody_listens_for_says_what_slack_says(slack: SlackThread) -> None:
    outcome = ask(slack, "command", {"user": "alice", "text": "/release status"})
    assert (outcome["ok"], outcome["acknowledged"], outcome["error"]) == (True, False, "dispatch_failed")


def test_a_click_on_a_button_that_is_not_there_is_refused(slack: SlackThread, web: WebClient) -> None:
    ts = web.chat_postMessage(channel="C0RELEASES", text="x", blocks=buttons())["ts"]
    click = {"user": "bob", "channel": "releases", "ts": ts, "action_id": "release_pause"}
    answer = ask(slack, "click", click)
    assert (answer["status"], answer["error"]) == (409, "no_such_element")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [("dance", {}, 404), ("click", {"user": "bob"}, 400), ("faults", {"kind": "earthquake"}, 400)],
)
def test_a_wrong_request_is_refused(slack: SlackThread, path: str, body: dict[str, Any], status: int) -> None:
    assert ask(slack, path, body)["status"] == status


def test_a_request_that_a_foreign_page_could_send_is_refused(slack: SlackThread) -> None:
    assert ask(slack, "command", {"user": "alice", "text": "/release"}, kind="text/plain")["status"] == 415


def test_faults_and_rates_are_set_from_outside(slack: SlackThread, web: WebClient) -> None:
    ask(slack, "faults", {"kind": "api_error", "methods": ["auth.test"], "error": "fatal_error"})
    assert not json.loads(json.dumps(web.api_call("api.test").data))["args"]
    with pytest.raises(Exception, match="fatal_error"):
        web.auth_test()
    ask(slack, "clear_faults", {})
    assert web.auth_test()["ok"]
    ask(slack, "rates", {"enabled": True})
    assert slack.stand_in.rates.enabled


def test_slack_goes_away_for_a_while_and_comes_back(slack: SlackThread, web: WebClient) -> None:
    web.retry_handlers.clear()
    ask(slack, "refuse", {"seconds": 2})

    def is_down() -> bool:
        try:
            web.auth_test()
        except OSError:
            return True
        return False

    until(is_down)
    until(lambda: not is_down())


def test_changes_are_streamed_to_a_page(slack: SlackThread, web: WebClient) -> None:
    url = f"{slack.stand_in.state.base_url}/sandbox/changes"
    with urllib.request.urlopen(url, timeout=PATIENCE) as stream:
        assert stream.readline() == b": following\n"
        ts = web.chat_postMessage(channel="C0RELEASES", text="x")["ts"]
        stream.readline()
        change = json.loads(stream.readline().removeprefix(b"data: "))
    assert (change["kind"], change["channel"], change["ts"]) == ("message_posted", "C0RELEASES", ts)


def test_the_state_tells_who_is_there(slack: SlackThread) -> None:
    state = ask(slack, "state")
    assert state["users"]["bob"] == "U0BOB"
    assert state["api_url"] == slack.stand_in.api_url
    assert (state["channels"]["releases"], state["connections"]) == ("C0RELEASES", 0)
