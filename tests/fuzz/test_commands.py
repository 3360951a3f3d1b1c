"""Ten thousand commands, and mentions: every one is answered, within Slack's limits."""

from bot.slack.commands import parse
from bot.slack.guide import TOPICS
from strategies.reasons import Refused
from tests.fuzz.answering import BERLIN, NOW, EveryDesk, a_reception, problems
from tests.fuzz.effort import CASES, dice
from tests.fuzz.garbling import damaged, garbled

GOOD = (
    *(topic.example for topic in TOPICS.values()),
    "start reviews v2 canary steps=5,25,50,100 hold=10m approve=every baseline=v1 at=22:30",
    "plan reviews.shop v2 steps 5,25 hold 1h30m at tomorrow 02:00 Europe/Berlin",
    "schedule reviews-1 at 2026-12-01 02:00 Europe/Berlin auto until 04:00",
    "approve reviews-142 “looks good”",
    "override reviews-1 known noise",
    "override reviews-1 not_staged tested by hand",
    'start reviews v2 override=STATEFUL,NEEDS reason="tested by hand"',
    "roll back reviews-1 it hurts",
    "drift reviews-1 restore",
)
MENTION = {
    "event_id": "Ev1",
    "event": {"type": "app_mention", "user": "U1", "channel": "C1", "ts": "2.0", "thread_ts": "1.0", "text": "<@U9> x"},
}
COMMAND = {
    "command": "/release",
    "text": "",
    "user_id": "U1",
    "user_name": "ann",
    "channel_id": "C1",
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.example/1",
}


def test_good_commands_are_all_understood() -> None:
    assert not [text for text in GOOD if isinstance(parse(text, NOW, BERLIN), Refused)]


def test_every_command_is_answered() -> None:
    reception = a_reception(EveryDesk())
    for seed, toss in dice():
        answer = reception.typed(COMMAND | {"text": garbled(toss.choice(GOOD), toss)})
        assert not problems(answer), seed


def test_every_damaged_command_is_answered() -> None:
    reception = a_reception(EveryDesk())
    for seed, toss in dice(CASES // 4):
        answer = reception.typed(damaged(COMMAND | {"text": toss.choice(GOOD)}, toss))
        assert not problems(answer), seed


def test_every_mention_is_answered_or_none_of_ours() -> None:
    reception = a_reception(EveryDesk())
    for seed, toss in dice(CASES // 4):
        body = damaged(MENTION, toss)
        event = body.get("event")
        if isinstance(event, dict) and toss.random() < 0.7:
            body["event"] = event | {"text": f"<@U9> {garbled(toss.choice(GOOD), toss)}"}
        answer = reception.mentioned(body)
        assert answer is None or not problems(answer), seed


def test_what_reaches_the_desk_can_be_stored() -> None:
    understood = 0
    for seed, toss in dice():
        request = parse(garbled(toss.choice(GOOD), toss), NOW, BERLIN)
        if not isinstance(request, Refused):
            understood += 1
            fields = ("subject", "service", "version", "note", "reason", "override_reason")
            text = "".join(str(getattr(request, name, "")) for name in fields)
            assert "\x00" not in text, seed
            assert text.encode("utf-8", "replace") == text.encode("utf-8", "surrogatepass"), seed
    assert understood > CASES / 10
