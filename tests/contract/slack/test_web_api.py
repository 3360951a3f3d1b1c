"""The Web API's door: tokens, scopes, bodies, names, pages."""

import json
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack import Channel, Settings, SlackStandIn, SlackThread
from tests.contract.patience import PATIENCE
from tests.contract.slack.conftest import Clock, client_of, served
from tests.contract.slack.probe import modal


def call(slack: SlackThread, method: str, body: bytes, content_type: str) -> dict[str, Any]:
    headers = {"Content-Type": content_type, "Authorization": f"Bearer {slack.stand_in.settings.bot_token}"}
    request = urllib.request.Request(slack.stand_in.api_url + method, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=int(PATIENCE)) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


def test_auth_test_names_the_bot_and_its_scopes(slack: SlackThread, web: WebClient) -> None:
    answer = web.auth_test()
    assert (answer["user_id"], answer["bot_id"], answer["team_id"]) == ("U0SLUICE", "B0SLUICE", "T0SLUICE")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


@pytest.mark.parametrize("token", ["xoxb-wrong", "xapp-wrong", "nonsense"])
def test_a_wrong_token_is_refused(slack: SlackThread, token: str) -> None:
    with pytest.raises(SlackApiError, match="invalid_auth"):
        client_of(slack, token).auth_test()


def test_a_call_without_a_token_is_refused(slack: SlackThread) -> None:
    with pytest.raises(SlackApiError, match="not_authed"):
        WebClient(base_url=slack.stand_in.api_url, timeout=int(PATIENCE)).auth_test()


def test_each_token_opens_only_its_own_methods(slack: SlackThread, web: WebClient) -> None:
    app_token = slack.stand_in.settings.app_token
    assert web.apps_connections_open(app_token=app_token)["url"].startswith("ws://127.0.0.1:")
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        web.apps_connections_open(app_token=slack.stand_in.settings.bot_token)
    with pytest.raises(SlackApiError, match="not_allowed_token_type"):
        client_of(slack, app_token).auth_test()


def test_a_method_beyond_the_scopes_says_which_is_needed() -> None:
    with served(Settings()) as slack, pytest.raises(SlackApiError) as refused:
        client_of(slack).conversations_history(channel="C0RELEASES")
    answer = refused.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "channels:history")
    assert "chat:write" in answer["provided"]


def test_a_method_nobody_knows_is_refused(web: WebClient) -> None:
    with pytest.raises(SlackApiError, match="unknown_method"):
        web.api_call("chat.shout", params={"channel": "C0RELEASES"})


def test_form_and_json_bodies_mean_the_same(slack: SlackThread) -> None:
    form = call(slack, "chat.postMessage", b"channel=C0RELEASES&text=hi", "application/x-www-form-urlencoded")
    body = json.dumps({"channel": "C0RELEASES", "text": "hi"}).encode()
    assert form["message"]["text"] == call(slack, "chat.postMessage", body, "application/json")["message"]["text"]


@pytest.mark.parametrize(("body", "error"), [(b"{", "invalid_json"), (b"[1]", "json_not_object")])
def test_a_json_body_that_is_no_object_is_refused(slack: SlackThread, body: bytes, error: str) -> None:
    assert call(slack, "api.test", body, "application/json; charset=utf-8")["error"] == error


def test_a_missing_argument_is_named(web: WebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        web.api_call("chat.postMessage", params={"text": "hi"})
    assert refused.value.response["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]


def test_channels_where_the_app_is_not_or_that_are_closed_are_refused_by_name() -> None:
    channels = (
        Channel("C1", "open", bot_is_member=False),
        Channel("C2", "secret", bot_is_member=False, is_private=True),
        Channel("C3", "old", is_archived=True),
        Channel("C4", "few", members=frozenset({"U0BOB"})),
    )
    stand_in = SlackStandIn(Settings(), channels=channels, clock=Clock())
    with SlackThread(stand_in) as slack:
        web, errors = client_of(slack), {}
        for channel in ("C1", "C2", "C3", "C9"):
            with pytest.raises(SlackApiError) as refused:
                web.chat_postMessage(channel=channel, text="x")
            errors[channel] = refused.value.response["error"]
        with pytest.raises(SlackApiError, match="user_not_in_channel"):
            web.chat_postEphemeral(channel="C4", user="U0ALICE", text="x")
    assert errors == {
        "C1": "not_in_channel",
        "C2": "channel_not_found",
        "C3": "is_archived",
        "C9": "channel_not_found",
    }


def test_people_are_listed_in_pages_the_client_follows(web: WebClient) -> None:
    names = [user["name"] for page in web.users_list(limit=2) for user in page["members"]]
    assert names == ["alice", "bob", "carol", "mallory", "sluice"]


def test_user_groups_name_their_members(web: WebClient) -> None:
    assert web.usergroups_users_list(usergroup="S0APPROVE")["users"] == ["U0BOB"]
    listed = web.usergroups_list(include_users=True)["usergroups"]
    assert {group["handle"]: group["users"] for group in listed}["on-call"] == ["U0CAROL"]
    with pytest.raises(SlackApiError, match="no_such_subteam"):
        web.usergroups_users_list(usergroup="S9")


def test_user_groups_ask_for_a_paid_plan_where_there_is_none() -> None:
    with served(Settings(paid_plan=False)) as slack, pytest.raises(SlackApiError, match="plan_upgrade_required"):
        client_of(slack).usergroups_users_list(usergroup="S0APPROVE")


def test_a_trigger_opens_one_modal_within_three_seconds(slack: SlackThread, web: WebClient, clock: Clock) -> None:
    views = slack.stand_in.state.views
    trigger = views.new_trigger("U0ALICE")
    assert web.views_open(trigger_id=trigger, view=modal())["view"]["callback_id"] == "release_new"
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        web.views_open(trigger_id=trigger, view=modal())
    late = views.new_trigger("U0ALICE")
    clock.ahead = 3.5
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        web.views_open(trigger_id=late, view=modal())


def test_a_view_update_with_an_old_hash_is_refused(slack: SlackThread, web: WebClient) -> None:
    opened = web.views_open(trigger_id=slack.stand_in.state.views.new_trigger("U0ALICE"), view=modal())["view"]
    newer = web.views_update(view_id=opened["id"], hash=opened["hash"], view=modal("Newer"))["view"]
    assert newer["hash"] != opened["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        web.views_update(view_id=opened["id"], hash=opened["hash"], view=modal("Older"))


def test_a_fourth_modal_on_the_stack_is_refused(slack: SlackThread, web: WebClient) -> None:
    views = slack.stand_in.state.views
    web.views_open(trigger_id=views.new_trigger("U0ALICE"), view=modal())
    for _ in range(2):
        web.views_push(trigger_id=views.new_trigger("U0ALICE"), view=modal())
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        web.views_push(trigger_id=views.new_trigger("U0ALICE"), view=modal())
