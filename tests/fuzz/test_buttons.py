"""Ten thousand clicks and shortcuts: damaged ones are refused, every one is answered."""

import json
import random

from bot.slack import payloads
from bot.slack.buttons import APPROVE, DRIFT, PAUSE, RESUME, ROLL_BACK, Place, parse
from strategies.reasons import Refused
from tests.fuzz.answering import EveryDesk, a_reception, problems
from tests.fuzz.effort import CASES, dice
from tests.fuzz.garbling import anything, damaged, garbled

ACTIONS = (APPROVE, PAUSE, RESUME, ROLL_BACK, *DRIFT.values())
PLACE = Place("reviews-1", 1, 7)


def a_click(toss: random.Random, place: Place = PLACE) -> dict[str, object]:
    action = {"action_id": toss.choice(ACTIONS), "block_id": place.block_id, "value": place.value(toss.random() < 0.5)}
    return {
        "type": "block_actions",
        "trigger_id": "1.2.3",
        "user": {"id": "U1", "username": "ann"},
        "channel": {"id": "C1"},
        "container": {"thread_ts": "1.0", "is_ephemeral": toss.random() < 0.5},
        "response_url": "https://hooks.example/1",
        "actions": [action],
    }


def test_every_whole_button_asks_for_something() -> None:
    for seed, toss in dice(500):
        assert not isinstance(parse(payloads.action(a_click(toss))), Refused), seed


def test_every_damaged_click_is_answered_or_shown_by_its_card() -> None:
    reception = a_reception(EveryDesk())
    for seed, toss in dice():
        answer = reception.clicked(damaged(a_click(toss), toss))
        assert answer is None or not problems(answer), seed


def test_a_garbled_value_never_names_another_question() -> None:
    for seed, toss in dice():
        place = Place("reviews-1", toss.randrange(-1, 9), toss.randrange(1, 99))
        value = garbled(place.value(), toss)
        request = parse({"action_id": toss.choice(ACTIONS), "block_id": place.block_id, "value": value})
        if isinstance(request, Refused):
            continue
        told = json.loads(value)
        assert (told["r"], told["s"], told["v"]) == (place.release, place.stage, place.revision), seed
        assert getattr(request, "subject", "") == place.release, seed


def test_every_shortcut_is_answered() -> None:
    reception = a_reception(EveryDesk())
    message: dict[str, object] = {"ts": "1.0", "thread_ts": "1.0", "blocks": [{"block_id": PLACE.card_id}]}
    for seed, toss in dice(CASES // 4):
        body: dict[str, object] = {
            "type": "message_action",
            "user": {"id": "U1"},
            "channel": {"id": "C1"},
            "message": message,
        }
        assert not problems(reception.chosen(damaged(body, toss))), seed


def test_a_payload_of_anything_at_all_has_a_key_a_person_and_an_address() -> None:
    for seed, toss in dice():
        body = anything(toss)
        if isinstance(body, dict):
            address = payloads.address(body)
            assert payloads.key(body).startswith("slack:"), seed
            assert address.user == payloads.person(body)[0], seed
