"""Rate limits and faults, as Slack's own client meets them."""

import time

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.sandbox.slack import Fault, FaultKind, Settings, SlackThread
from tests.contract.patience import PATIENCE
from tests.contract.slack.conftest import Clock, client_of, served

ROOM = "C0RELEASES"


def break_it(slack: SlackThread, fault: Fault) -> None:
    slack.read(lambda: slack.stand_in.faults.add(fault))


def count(slack: SlackThread) -> int:
    return len(slack.read(lambda: slack.stand_in.messages("bob")))


def test_posts_beyond_the_burst_are_limited_per_channel_and_come_back_with_time(clock: Clock) -> None:
    with served(Settings(post_burst=2), clock) as slack:
        web = client_of(slack)
        for _ in range(2):
            web.chat_postMessage(channel=ROOM, text="x")
        with pytest.raises(SlackApiError) as refused:
            web.chat_postMessage(channel=ROOM, text="x")
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "1"
        assert web.chat_postMessage(channel="C0GENERAL", text="another channel has its own bucket")["ok"]
        clock.ahead = 1.1
        assert web.chat_postMessage(channel=ROOM, text="x")["ok"]


def test_each_method_has_its_own_bucket_per_minute(clock: Clock) -> None:
    with served(Settings(), clock) as slack:
        web = client_of(slack)
        for _ in range(20):
            web.usergroups_users_list(usergroup="S0APPROVE")
        with pytest.raises(SlackApiError) as refused:
            web.usergroups_users_list(usergroup="S0APPROVE")
        assert refused.value.response.headers["Retry-After"] == "3"
        assert web.users_list()["ok"]


def test_rate_limits_can_be_switched_off(clock: Clock) -> None:
    with served(Settings(post_burst=1), clock) as slack:
        slack.read(lambda: setattr(slack.stand_in.rates, "enabled", False))
        web = client_of(slack)
        assert all(web.chat_postMessage(channel=ROOM, text="x")["ok"] for _ in range(10))


def test_the_clients_retry_handler_waits_as_long_as_it_is_told(slack: SlackThread, web: WebClient) -> None:
    web.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
    break_it(slack, Fault(kind=FaultKind.RATE_LIMIT, times=1, seconds=1))
    started = time.monotonic()
    assert web.chat_postMessage(channel=ROOM, text="x")["ok"]
    assert time.monotonic() - started >= 1
    assert count(slack) == 1


def test_a_lost_reply_means_the_message_is_there_and_the_default_client_repeats_it(
    slack: SlackThread, web: WebClient
) -> None:
    break_it(slack, Fault(kind=FaultKind.LOSE_REPLY, methods=frozenset({"chat.postMessage"}), times=1))
    assert web.chat_postMessage(channel=ROOM, text="once?")["ok"]
    assert count(slack) == 2


def test_a_lost_reply_without_retries_raises_after_the_message_was_taken(slack: SlackThread, web: WebClient) -> None:
    web.retry_handlers.clear()
    break_it(slack, Fault(kind=FaultKind.LOSE_REPLY, times=1))
    with pytest.raises(ConnectionError):
        web.chat_postMessage(channel=ROOM, text="once")
    assert count(slack) == 1


def test_an_aborted_call_does_nothing(slack: SlackThread, web: WebClient) -> None:
    web.retry_handlers.clear()
    break_it(slack, Fault(kind=FaultKind.ABORT, times=1))
    with pytest.raises(ConnectionError):
        web.chat_postMessage(channel=ROOM, text="never")
    assert count(slack) == 0


def test_a_broken_slack_answers_with_its_status_until_the_fault_is_cleared(slack: SlackThread, web: WebClient) -> None:
    break_it(slack, Fault(kind=FaultKind.STATUS, status=500))
    with pytest.raises(SlackApiError) as refused:
        web.chat_postMessage(channel=ROOM, text="never")
    assert refused.value.response.status_code == 500
    slack.read(slack.stand_in.faults.clear)
    assert web.chat_postMessage(channel=ROOM, text="now")["ok"]


def test_a_named_method_alone_is_slow(slack: SlackThread, web: WebClient) -> None:
    break_it(slack, Fault(kind=FaultKind.SLOW, methods=frozenset({"users.info"}), seconds=3 * PATIENCE))
    web.retry_handlers.clear()
    assert web.auth_test()["ok"]
    web.timeout = 1
    with pytest.raises(TimeoutError):
        web.users_info(user="U0BOB")


def test_what_is_slow_is_answered_in_the_end(slack: SlackThread, web: WebClient) -> None:
    break_it(slack, Fault(kind=FaultKind.SLOW, seconds=0.3))
    started = time.monotonic()
    assert web.auth_test()["ok"]
    assert time.monotonic() - started >= 0.3


def test_an_error_of_slacks_own_can_be_asked_for(slack: SlackThread, web: WebClient) -> None:
    break_it(slack, Fault(kind=FaultKind.API_ERROR, error="fatal_error", times=1))
    with pytest.raises(SlackApiError, match="fatal_error"):
        web.auth_test()


def test_a_slack_that_is_down_refuses_connections_and_comes_back_at_the_same_address(
    slack: SlackThread, web: WebClient
) -> None:
    web.retry_handlers.clear()
    slack.run(slack.stand_in.refuse_connections())
    with pytest.raises(OSError, match="refused"):
        web.auth_test()
    slack.run(slack.stand_in.accept_connections())
    assert web.auth_test()["ok"]
