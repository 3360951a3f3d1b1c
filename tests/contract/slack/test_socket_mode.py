"""Socket Mode as slack_bolt's own handler lives it."""

import threading

import pytest
from slack_bolt import BoltRequest

from bot.sandbox.slack import DriverError, Fault, FaultKind, SlackThread
from tests.contract.patience import PATIENCE, until
from tests.contract.slack.conftest import client_of, impatiently
from tests.contract.slack.probe import Probe, button, buttons, modal, over_sockets


def post(probe: Probe, *elements: dict[str, object]) -> str:
    answer = probe.client.chat_postMessage(channel="C0RELEASES", text="gate", blocks=buttons(*elements))
    return str(answer["ts"])


def last(shared: SlackThread, user: str) -> dict[str, object]:
    return shared.read(lambda: shared.stand_in.messages(user))[-1]


def test_a_command_reaches_the_app_with_people_and_groups_as_ids(shared: SlackThread, probe: Probe) -> None:
    outcome = shared.run(shared.stand_in.command("alice", "/release start reviews v2 @bob @release-approvers & more"))
    body = probe.wait("command")[0]
    assert outcome.acknowledged
    assert body["text"] == "start reviews v2 <@U0BOB|bob> <!subteam^S0APPROVE|@release-approvers> &amp; more"
    assert (body["user_id"], body["channel_id"], body["command"]) == ("U0ALICE", "C0RELEASES", "/release")


def test_an_acknowledgement_with_text_is_shown_to_the_one_who_typed(shared: SlackThread, probe: Probe) -> None:
    probe.on_command = lambda ack, body, respond: ack("only for you")
    shared.run(shared.stand_in.command("alice", "/release help"))
    until(lambda: last(shared, "alice")["text"] == "only for you")
    assert last(shared, "alice")["ephemeral"]
    assert all(message["text"] != "only for you" for message in shared.stand_in.messages("bob"))


def test_an_in_channel_response_is_seen_by_everybody(shared: SlackThread, probe: Probe) -> None:
    def tell(ack: object, body: object, respond: object) -> None:
        ack()  # type: ignore[operator]
        respond("for all", response_type="in_channel")  # type: ignore[operator]

    probe.on_command = tell
    shared.run(shared.stand_in.command("alice", "/release status"))
    until(lambda: last(shared, "bob")["text"] == "for all")


def test_a_command_not_acknowledged_in_time_shows_slacks_error_privately(shared: SlackThread, probe: Probe) -> None:
    told = threading.Event()
    probe.on_command = lambda ack, body, respond: told.wait(PATIENCE)
    outcome = shared.run(impatiently(shared, shared.stand_in.command("carol", "/release slow")))
    told.set()
    assert (outcome.acknowledged, outcome.error) == (False, "operation_timeout")
    assert last(shared, "carol")["text"] == '`/release` failed with the error "operation_timeout"'
    assert last(shared, "carol")["ephemeral"]


def test_a_click_carries_the_message_the_value_and_the_person(shared: SlackThread, probe: Probe) -> None:
    ts = post(probe, button(value='{"r":"reviews-1"}'))
    assert shared.run(shared.stand_in.click("bob", "releases", ts, "release_approve")).acknowledged
    body = probe.wait("click")[0]
    assert body["actions"][0]["value"] == '{"r":"reviews-1"}'
    assert body["actions"][0]["block_id"] == "gate:reviews-1:1:1"
    assert (body["user"]["id"], body["message"]["ts"], body["container"]["type"]) == ("U0BOB", ts, "message")


def test_a_click_that_is_not_confirmed_answers_with_its_dialog_and_sends_nothing(
    shared: SlackThread, probe: Probe
) -> None:
    plain = {"type": "plain_text", "text": "Sure?"}
    dialog = {"title": plain, "text": plain, "confirm": plain, "deny": plain}
    ts = post(probe, button(confirm=dialog))
    outcome = shared.run(shared.stand_in.click("bob", "releases", ts, "release_approve", confirmed=False))
    assert outcome.confirm == dialog
    assert not probe.seen
    assert shared.run(shared.stand_in.click("bob", "releases", ts, "release_approve")).acknowledged
    probe.wait("click")


def test_a_button_that_is_gone_cannot_be_clicked_but_a_stale_click_still_arrives(
    shared: SlackThread, probe: Probe
) -> None:
    ts = post(probe)
    probe.client.chat_update(channel="C0RELEASES", ts=ts, text="decided", blocks=[])
    with pytest.raises(DriverError, match="no_such_element"):
        shared.run(shared.stand_in.click("bob", "releases", ts, "release_approve"))
    assert shared.run(shared.stand_in.stale_click("bob", "releases", ts, "release_approve")).acknowledged
    assert probe.wait("click")[0]["actions"][0]["value"] == "1"


def test_a_click_on_an_ephemeral_message_can_replace_and_delete_it(shared: SlackThread, probe: Probe) -> None:
    def replace(ack: object, body: object, respond: object) -> None:
        ack()  # type: ignore[operator]
        respond("replaced", replace_original=True)  # type: ignore[operator]

    probe.on_click = replace
    ts = probe.client.chat_postEphemeral(channel="C0RELEASES", user="U0CAROL", text="one", blocks=buttons())
    shared.run(shared.stand_in.click("carol", "releases", str(ts["message_ts"]), "release_approve"))
    until(lambda: last(shared, "carol")["text"] == "replaced")
    assert "message" not in probe.wait("click")[0]
    with pytest.raises(DriverError, match="message_not_found"):
        shared.run(shared.stand_in.click("bob", "releases", str(ts["message_ts"]), "release_approve"))


def test_a_modal_opens_keeps_untouched_defaults_and_reports_field_errors(shared: SlackThread, probe: Probe) -> None:
    def refuse(ack: object, body: object) -> None:
        ack(response_action="errors", errors={"version": "no such version"})  # type: ignore[operator]

    probe.on_command = lambda ack, body, respond: (
        ack(),
        probe.client.views_open(trigger_id=body["trigger_id"], view=modal()),
    )[0]
    probe.on_submit = refuse
    shared.run(shared.stand_in.command("alice", "/release"))
    until(lambda: shared.stand_in.views("alice"))
    assert shared.run(shared.stand_in.submit_view("alice")).errors == {
        "version": "Please complete this required field."
    }
    outcome = shared.run(shared.stand_in.submit_view("alice", {"version": "v9"}))
    values = probe.wait("submit")[0]["view"]["state"]["values"]
    assert outcome.errors == {"version": "no such version"}
    assert values["version"]["text"] == {"type": "plain_text_input", "value": "v9"}
    assert values["strategy"]["choice"]["selected_option"] is None
    assert shared.stand_in.views("alice")


def test_a_submitted_modal_is_updated_pushed_and_closed_as_the_app_answers(shared: SlackThread, probe: Probe) -> None:
    shown = {"type": "section", "text": {"type": "mrkdwn", "text": "the plan"}}
    probe.on_command = lambda ack, body, respond: (
        ack(),
        probe.client.views_open(trigger_id=body["trigger_id"], view=modal()),
    )[0]
    shared.run(shared.stand_in.command("bob", "/release"))
    until(lambda: shared.stand_in.views("bob"))
    probe.on_submit = lambda ack, body: ack(response_action="update", view=modal("Plan", shown))
    shared.run(shared.stand_in.submit_view("bob", {"version": "v2"}))
    assert [view["title"]["text"] for view in shared.stand_in.views("bob")] == ["Plan"]
    probe.on_submit = lambda ack, body: ack(response_action="push", view=modal("Above", shown))
    shared.run(shared.stand_in.submit_view("bob"))
    assert len(shared.stand_in.views("bob")) == 2
    probe.on_submit = lambda ack, body: ack(response_action="clear")
    shared.run(shared.stand_in.submit_view("bob"))
    assert shared.stand_in.views("bob") == []


def test_field_errors_for_blocks_that_are_no_fields_leave_the_person_with_trouble(
    shared: SlackThread, probe: Probe
) -> None:
    probe.on_command = lambda ack, body, respond: (
        ack(),
        probe.client.views_open(trigger_id=body["trigger_id"], view=modal()),
    )[0]
    probe.on_submit = lambda ack, body: ack(response_action="errors", errors={"nowhere": "bad"})
    shared.run(shared.stand_in.command("carol", "/release"))
    until(lambda: shared.stand_in.views("carol"))
    assert shared.run(shared.stand_in.submit_view("carol", {"version": "v2"})).error == "trouble_connecting"


def test_closing_a_modal_tells_the_app_only_where_it_asked(shared: SlackThread, probe: Probe) -> None:
    view = {**modal(), "notify_on_close": True}
    probe.on_command = lambda ack, body, respond: (
        ack(),
        probe.client.views_open(trigger_id=body["trigger_id"], view=view),
    )[0]
    shared.run(shared.stand_in.command("mallory", "/release"))
    until(lambda: shared.stand_in.views("mallory"))
    shared.run(shared.stand_in.close_view("mallory"))
    assert probe.wait("closed")[0]["user"]["id"] == "U0MALLORY"


def test_the_home_tab_is_published_on_opening_and_clicked(shared: SlackThread, probe: Probe) -> None:
    shared.run(shared.stand_in.open_home("bob"))
    assert "view" not in probe.wait("home")[0]["event"]
    probe.client.views_publish(user_id="U0BOB", view={"type": "home", "blocks": buttons()})
    shared.run(shared.stand_in.click_view("bob", "release_approve"))
    assert probe.wait("click")[0]["container"]["type"] == "view"


def test_a_mention_in_a_thread_carries_its_thread(shared: SlackThread, probe: Probe) -> None:
    root = post(probe)
    shared.run(shared.stand_in.mention("bob", "@sluice approve", thread_ts=root))
    event = probe.wait("mention")[0]["event"]
    assert (event["thread_ts"], event["text"]) == (root, "<@U0SLUICE> approve")


def test_a_message_shortcut_carries_the_message(shared: SlackThread, probe: Probe) -> None:
    ts = post(probe)
    shared.run(shared.stand_in.shortcut("bob", "releases", ts, "release_actions"))
    assert probe.wait("shortcut")[0]["message"]["ts"] == ts


def test_an_event_not_acknowledged_is_delivered_again_with_its_retry_number(shared: SlackThread, probe: Probe) -> None:
    original = probe.app.dispatch

    def lose_the_first(request: BoltRequest) -> object:
        if "x-slack-retry-num" not in request.headers:
            return type("Unanswered", (), {"status": 500, "body": "", "headers": {}})()
        return original(request)

    probe.app.dispatch = lose_the_first  # type: ignore[method-assign, assignment]
    try:
        shared.run(impatiently(shared, shared.stand_in.mention("bob", "status")))
        probe.wait("mention")
    finally:
        probe.app.dispatch = original  # type: ignore[method-assign]
    assert probe.retries == ["1"]
    first, again = list(shared.stand_in.sockets.delivered)[-2:]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "timeout")
    assert again["payload"]["event_id"] == first["payload"]["event_id"]
    assert again["envelope_id"] != first["envelope_id"]


def test_two_connections_share_the_payloads_and_one_may_be_delivered_to_both(shared: SlackThread, probe: Probe) -> None:
    second = Probe(client_of(shared))
    with over_sockets(shared, second.app):
        for _ in range(4):
            shared.run(shared.stand_in.command("alice", "/release status"))
        assert (len(probe.wait("command", 2)), len(second.wait("command", 2))) == (2, 2)
        shared.read(lambda: shared.stand_in.faults.add(Fault(kind=FaultKind.DUPLICATE, times=1)))
        shared.run(shared.stand_in.command("alice", "/release status"))
        assert (len(probe.wait("command", 3)), len(second.wait("command", 3))) == (3, 3)


def test_a_refresh_makes_the_client_come_back_and_nothing_is_lost(shared: SlackThread, probe: Probe) -> None:
    (before,) = shared.read(lambda: list(shared.stand_in.sockets._connections))
    shared.run(shared.stand_in.sockets.refresh())
    until(lambda: shared.stand_in.sockets.connections == 1 and shared.stand_in.sockets._connections[0] is not before)
    assert shared.run(shared.stand_in.command("alice", "/release status")).acknowledged
    probe.wait("command")


def test_a_command_lost_with_its_connection_times_out_and_clients_come_back_for_the_next_event(
    shared: SlackThread, probe: Probe
) -> None:
    second = Probe(client_of(shared))
    second.on_command = probe.on_command = lambda ack, body, respond: shared.read(shared.stand_in.sockets.drop)
    with over_sockets(shared, second.app):
        lost = shared.run(shared.stand_in.command("alice", "/release status"))
        assert (lost.acknowledged, lost.error) == (False, "operation_timeout")
        until(lambda: shared.stand_in.sockets.connections == 2)
        shared.run(shared.stand_in.mention("bob", "status"))
        until(lambda: any(kind == "mention" for kind, _ in [*probe.seen, *second.seen]))


def test_an_unknown_command_is_refused_by_slack_itself(shared: SlackThread, probe: Probe) -> None:
    with pytest.raises(DriverError, match="unknown_command"):
        shared.run(shared.stand_in.command("alice", "/deploy status"))
    assert not probe.seen
