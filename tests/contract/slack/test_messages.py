"""What is said, to whom it shows, and how it changes."""

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from bot.sandbox.slack import SlackThread
from tests.contract.slack.conftest import Clock
from tests.contract.slack.probe import button, buttons

ROOM = "C0RELEASES"


def seen(slack: SlackThread, user: str = "alice", channel: str = "releases") -> list[dict[str, Any]]:
    return slack.read(lambda: slack.stand_in.messages(user, channel))


def section(text: str) -> list[dict[str, Any]]:
    return [{"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": text}}]


def error_of(refused: pytest.ExceptionInfo[SlackApiError]) -> str:
    return str(refused.value.response["error"])


def test_every_ts_is_unique_and_later_than_the_one_before(slack: SlackThread, web: WebClient) -> None:
    stamps = [str(web.chat_postMessage(channel=ROOM, text="x")["ts"]) for _ in range(20)]
    assert stamps == sorted(set(stamps))


def test_a_reply_counts_in_its_thread_and_shows_in_it(slack: SlackThread, web: WebClient) -> None:
    root = web.chat_postMessage(channel=ROOM, text="root")["ts"]
    web.chat_postMessage(channel=ROOM, text="reply", thread_ts=root)
    assert [(m["text"], m["reply_count"], m["thread_ts"]) for m in seen(slack)] == [
        ("root", 1, None),
        ("reply", 0, root),
    ]


def test_a_broadcast_reply_loses_its_buttons(slack: SlackThread, web: WebClient) -> None:
    root = web.chat_postMessage(channel=ROOM, text="root")["ts"]
    blocks = [*section("rolled back"), *buttons()]
    web.chat_postMessage(channel=ROOM, text="reply", thread_ts=root, reply_broadcast=True, blocks=blocks)
    reply = seen(slack)[-1]
    assert reply["broadcast"]
    assert [block["type"] for block in reply["blocks"]] == ["section"]


def test_a_reply_to_nothing_or_to_a_reply_is_refused(slack: SlackThread, web: WebClient) -> None:
    root = web.chat_postMessage(channel=ROOM, text="root")["ts"]
    reply = web.chat_postMessage(channel=ROOM, text="reply", thread_ts=root)["ts"]
    with pytest.raises(SlackApiError) as nowhere:
        web.chat_postMessage(channel=ROOM, text="x", thread_ts="1.000001")
    with pytest.raises(SlackApiError) as nested:
        web.chat_postMessage(channel=ROOM, text="x", thread_ts=reply)
    assert (error_of(nowhere), error_of(nested)) == ("thread_not_found", "cannot_reply_to_message")


def test_an_update_keeps_the_place_and_marks_only_a_changed_text(slack: SlackThread, web: WebClient) -> None:
    first = web.chat_postMessage(channel=ROOM, text="one", blocks=section("a"))["ts"]
    web.chat_postMessage(channel=ROOM, text="two")
    web.chat_update(channel=ROOM, ts=first, text="one", blocks=section("b"))
    assert (seen(slack)[0]["ts"], seen(slack)[0]["edited"]) == (first, None)
    web.chat_update(channel=ROOM, ts=first, text="changed", blocks=section("b"))
    assert [m["text"] for m in seen(slack)] == ["changed", "two"]
    assert seen(slack)[0]["edited"]["user"] == "U0SLUICE"


def test_an_update_with_text_alone_deletes_the_blocks(slack: SlackThread, web: WebClient) -> None:
    ts = web.chat_postMessage(channel=ROOM, text="one", blocks=buttons())["ts"]
    web.chat_update(channel=ROOM, ts=ts, text="only text")
    assert seen(slack)[0]["blocks"] == []


def test_an_ephemeral_message_shows_to_its_person_only_and_cannot_be_updated(
    slack: SlackThread, web: WebClient
) -> None:
    ts = web.chat_postEphemeral(channel=ROOM, user="U0BOB", text="psst")["message_ts"]
    assert [m["text"] for m in seen(slack, "bob")] == ["psst"]
    assert seen(slack, "alice") == []
    with pytest.raises(SlackApiError, match="message_not_found"):
        web.chat_update(channel=ROOM, ts=ts, text="x", blocks=[])


def test_a_persons_message_cannot_be_updated_or_deleted_by_the_app(slack: SlackThread, web: WebClient) -> None:
    ts = slack.run(slack.stand_in.say("bob", "mine")).ts
    with pytest.raises(SlackApiError, match="cant_update_message"):
        web.chat_update(channel=ROOM, ts=str(ts), text="x", blocks=[])
    with pytest.raises(SlackApiError, match="cant_delete_message"):
        web.chat_delete(channel=ROOM, ts=str(ts))


def test_a_deleted_message_is_gone_for_every_method(slack: SlackThread, web: WebClient) -> None:
    ts = str(web.chat_postMessage(channel=ROOM, text="x")["ts"])
    web.chat_delete(channel=ROOM, ts=ts)
    assert seen(slack) == []
    with pytest.raises(SlackApiError, match="message_not_found"):
        web.chat_update(channel=ROOM, ts=ts, text="y", blocks=[])
    with pytest.raises(SlackApiError, match="message_not_found"):
        web.chat_getPermalink(channel=ROOM, message_ts=ts)
    with pytest.raises(SlackApiError, match="message_not_found"):
        web.chat_delete(channel=ROOM, ts=ts)


def test_a_message_to_a_person_opens_a_conversation_only_they_see(slack: SlackThread, web: WebClient) -> None:
    opened = web.conversations_open(users="U0CAROL")["channel"]["id"]
    posted = web.chat_postMessage(channel="U0CAROL", text="wake up")["channel"]
    assert posted == opened
    assert [m["text"] for m in seen(slack, "carol", opened)] == ["wake up"]
    assert seen(slack, "bob", opened) == []


def test_raw_signs_are_escaped_and_control_sequences_kept(slack: SlackThread, web: WebClient) -> None:
    web.chat_postMessage(channel=ROOM, text="a < b && <@U0BOB> &amp; <https://x.y|z> <b>")
    assert seen(slack)[0]["text"] == "a &lt; b &amp;&amp; <@U0BOB> &amp; <https://x.y|z> &lt;b&gt;"


def test_history_and_replies_show_metadata_only_when_asked(slack: SlackThread, web: WebClient) -> None:
    metadata = {"event_type": "release", "event_payload": {"id": "reviews-1"}}
    root = str(web.chat_postMessage(channel=ROOM, text="root", metadata=metadata)["ts"])
    web.chat_postMessage(channel=ROOM, text="reply", thread_ts=root)
    plain = web.conversations_history(channel=ROOM)["messages"]
    full = web.conversations_replies(channel=ROOM, ts=root, include_all_metadata=True)["messages"]
    assert [(m["text"], "metadata" in m) for m in plain] == [("root", False)]
    assert [m["text"] for m in full] == ["root", "reply"]
    assert full[0]["metadata"] == metadata


def test_a_permalink_of_a_reply_names_its_thread(slack: SlackThread, web: WebClient) -> None:
    root = str(web.chat_postMessage(channel=ROOM, text="root")["ts"])
    reply = str(web.chat_postMessage(channel=ROOM, text="reply", thread_ts=root)["ts"])
    link = web.chat_getPermalink(channel=ROOM, message_ts=reply)["permalink"]
    assert f"/archives/{ROOM}/p{reply.replace('.', '')}?thread_ts={root}" in link


def test_a_reaction_is_added_once_and_removed_once(slack: SlackThread, web: WebClient) -> None:
    ts = str(web.chat_postMessage(channel=ROOM, text="x")["ts"])
    web.reactions_add(channel=ROOM, timestamp=ts, name="eyes")
    assert seen(slack)[0]["reactions"] == {"eyes": ["U0SLUICE"]}
    with pytest.raises(SlackApiError, match="already_reacted"):
        web.reactions_add(channel=ROOM, timestamp=ts, name="eyes")
    web.reactions_remove(channel=ROOM, timestamp=ts, name="eyes")
    assert seen(slack)[0]["reactions"] == {}


def test_a_response_url_works_five_times(slack: SlackThread, web: WebClient) -> None:
    hook = WebhookClient(slack.stand_in.state.response_url(slack.stand_in.state.hooks.new(ROOM, "U0BOB")))
    answers = [hook.send_dict({"text": f"{n}", "response_type": "ephemeral"}).status_code for n in range(6)]
    assert answers == [200] * 5 + [404]
    assert [m["text"] for m in seen(slack, "bob")] == ["0", "1", "2", "3", "4"]


def test_a_response_url_ends_after_half_an_hour(slack: SlackThread, clock: Clock) -> None:
    hook = WebhookClient(slack.stand_in.state.response_url(slack.stand_in.state.hooks.new(ROOM, "U0BOB")))
    clock.ahead = 1801
    answer = hook.send_dict({"text": "late"})
    assert (answer.status_code, "expired_url" in answer.body) == (404, True)


def test_a_response_url_can_delete_the_message_that_was_clicked(slack: SlackThread, web: WebClient) -> None:
    ts = str(web.chat_postMessage(channel=ROOM, text="x", blocks=buttons(button()))["ts"])
    secret = slack.stand_in.state.hooks.new(ROOM, "U0BOB", ts=ts)
    assert WebhookClient(slack.stand_in.state.response_url(secret)).send_dict({"delete_original": True}).body == "ok"
    assert seen(slack) == []
