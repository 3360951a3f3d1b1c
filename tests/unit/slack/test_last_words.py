"""What is logged when Slack or Sluice goes away while somebody is answered: one sentence, no traceback."""

import logging

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientNotConnectedError

from bot.slack.blocks import Message
from bot.slack.replies import Address, Replies
from bot.slack.web import sdk_log


def test_an_answer_behind_the_end_is_lost_with_a_sentence(caplog: pytest.LogCaptureFixture) -> None:
    replies = Replies(WebClient(), Message("Sorry."))
    replies.stop()
    replies.send(Address("U0BOB", "C1"), Message("Done."))
    assert [record.message for record in caplog.records] == [
        "a private answer to U0BOB was lost: cannot schedule new futures after shutdown"
    ]


@pytest.mark.parametrize(
    ("error", "is_traced"),
    [(SlackClientNotConnectedError("gone"), False), (BrokenPipeError(), False), (KeyError(), True)],
)
def test_a_lost_connection_is_a_sentence_and_a_fault_keeps_its_traceback(
    caplog: pytest.LogCaptureFixture, error: Exception, is_traced: bool
) -> None:
    with caplog.at_level(logging.ERROR):
        sdk_log.error("Failed to run a request listener", exc_info=error)
    assert [bool(record.exc_info) for record in caplog.records] == [is_traced]
