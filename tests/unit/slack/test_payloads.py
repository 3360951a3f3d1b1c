"""Reading Slack's payloads, whole or damaged."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack import payloads
from bot.slack.replies import Address

CLICK: dict[str, Any] = {
    "type": "block_actions",
    "trigger_id": "1.2.3",
    "user": {"id": "U0BOB", "username": "bob"},
    "channel": {"id": "C1"},
    "container": {"thread_ts": "1.0", "is_ephemeral": False},
    "response_url": "https://hooks.example/1",
    "actions": [{"action_id": "release_pause"}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*CLICK, "event", "message"]), inner),
    max_leaves=12,
)


def test_a_click_tells_who_where_and_what() -> None:
    assert payloads.person(CLICK) == ("U0BOB", "bob")
    assert payloads.address(CLICK) == Address("U0BOB", "C1", "1.0", "https://hooks.example/1")
    assert payloads.action(CLICK) == {"action_id": "release_pause"}


def test_two_deliveries_of_one_payload_have_one_key() -> None:
    assert payloads.key(CLICK) == payloads.key({**CLICK, "response_url": "other"}) == "slack:1.2.3"
    assert payloads.key({"event_id": "Ev1", "event": {}}) == "slack:Ev1"


def test_payloads_without_an_id_differ_by_what_they_say() -> None:
    assert payloads.key({"a": 1}) == payloads.key({"a": 1}) != payloads.key({"a": 2})


@pytest.mark.parametrize(
    ("text", "words"),
    [("<@U0SLUICE> approve", "approve"), ("<@U0SLUICE|sluice>: pause <@U1>", "pause <@U1>"), ("status", "status")],
)
def test_the_mention_in_front_is_not_part_of_the_words(text: str, words: str) -> None:
    assert payloads.said({"text": text}) == words


def test_a_card_names_its_release_by_its_blocks() -> None:
    assert payloads.release_of({"blocks": [{"block_id": "x"}, {"block_id": "card:reviews-1:1:7"}]}) == "reviews-1"
    assert payloads.release_of({"blocks": "none"}) == ""


# The first text drawn builds a table of all characters, which is slow once and says nothing of the code.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.dictionaries(st.sampled_from([*CLICK, "event", "message", "event_id"]), JSON))
def test_any_payload_is_read(body: dict[str, Any]) -> None:
    assert payloads.key(body).startswith("slack:")
    assert payloads.address(body).user == payloads.person(body)[0]
    assert isinstance(payloads.action(body), dict)
