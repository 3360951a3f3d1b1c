"""What was done to the bot and when: the checker's word against the bot's own."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did: the text of a command, or the value of a button."""

    at: float
    user: str
    what: str
    value: str
    is_taken: bool


@dataclass(slots=True)
class Spell:
    """Something was wrong, from then until then."""

    what: str
    began: float
    ended: float | None = None


@dataclass(slots=True)
class Ledger:
    """Everything in order, also as lines in a file."""

    file: Path
    acts: list[Act] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    edits: list[tuple[str, Document]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def say(self, what: str, text: str = "") -> None:
        """Count it and write it down."""
        self.counts[what] += 1
        with self.file.open("a") as file:
            file.write(f"{time.time():.3f} {what} {text}\n")

    def wrong(self, what: str) -> Spell:
        """Something is wrong from now on."""
        self.say("begins", what)
        spell = Spell(what, time.time())
        self.spells.append(spell)
        return spell

    def right(self, spell: Spell) -> None:
        """It is over."""
        self.say("ends", spell.what)
        spell.ended = time.time()

    def is_calm(self, began: float, ended: float, service: str = "") -> bool:
        """True when nothing was wrong at any time between the two; of one service: nothing that a way back needs."""
        there = (each for each in self.spells if each.began <= ended and (each.ended or ended) >= began)
        return not any(not service or _is_in_the_way(each.what, service) for each in there)


def _is_in_the_way(what: str, service: str) -> bool:
    of_another = re.match(r"(?:pods of|deployments|virtualservices|destinationrules) (?P<name>[a-z]\w*)", what)
    return of_another["name"] == service if of_another else "prometheus" not in what
