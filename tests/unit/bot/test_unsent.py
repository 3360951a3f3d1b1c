"""Whoever was told of a lost message is not told again, and is remembered for a thousand releases, not for ever."""

from typing import Any

from bot.ports import Card
from bot.unsent import REMEMBERED, Unsent
from strategies.effects import RefreshCard
from tests.fakes import FakeChat


def test_people_are_told_once_and_not_remembered_for_ever() -> None:
    a_card: Any = object.__new__(Card)
    told: list[str] = []

    class Chat(FakeChat):
        def tell(self, card: Card, text: str, audience: object) -> None:
            told.append(text.partition(" ")[0])

    unsent = Unsent(lambda _: a_card, Chat())
    for number in (*range(REMEMBERED), *range(REMEMBERED), REMEMBERED, 0):
        unsent.tell(RefreshCard(f"reviews-{number}"), "gone")
    assert len(told) == REMEMBERED + 2
    assert (told[-1], len(unsent._told)) == ("reviews-0", REMEMBERED)
