"""Owners' queries are asked together; one that Prometheus refuses is found by halves and asked apart.

A look sends one query for all of them. When that one is refused, the halves are asked by themselves, and so on, until
whose query it is stands alone: then everybody else goes on together, and the lone one is tried again each minute.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from bot.metrics.connection import UnansweredError

AGAIN = timedelta(minutes=1)
FORGOTTEN_AFTER = timedelta(hours=1)
WAITS = "Another query that was asked together with this one was refused; it is asked again with the next look."

Found = TypeVar("Found")


@dataclass(slots=True)
class _Group:
    names: frozenset[str]
    seen: datetime
    trouble: str = WAITS
    due: datetime | None = None


class Batches(Generic[Found]):
    """Remembers between looks who is asked apart."""

    def __init__(self) -> None:
        self._apart: list[_Group] = []

    def ask(
        self, names: Iterable[str], at: datetime, most: int, ask: Callable[[frozenset[str]], Found]
    ) -> tuple[list[Found], dict[str, str]]:
        """What was found in at most `most` queries, and by name why some have nothing."""
        wanted = frozenset(names)
        waiting = [replace(group, names=group.names & wanted, seen=at) for group in self._apart]
        others = [replace(group, names=group.names - wanted) for group in self._apart]
        waiting = [group for group in waiting if group.names]
        together = wanted.difference(*(group.names for group in waiting))
        asked = [_Group(together, at)] if together else []
        found: list[Found] = []
        kept: list[_Group] = []
        while most > 0 and (asked or waiting):
            group = asked.pop() if asked else waiting.pop(0)
            if group.due is not None and group.due > at:
                kept.append(group)
                continue
            most -= 1
            try:
                found.append(ask(group.names))
            except UnansweredError as error:
                if len(group.names) == 1:
                    kept.append(_Group(group.names, at, str(error), at + AGAIN))
                else:
                    waiting.extend(_Group(half, at) for half in _halves(group.names))
        lacking = [*waiting, *kept]
        # Releases that are looked at in another rhythm are not in this look; those that ended are in none.
        self._apart = [*lacking, *(each for each in others if each.names and at - each.seen < FORGOTTEN_AFTER)]
        return found, {name: group.trouble for group in lacking for name in group.names}


def _halves(names: frozenset[str]) -> tuple[frozenset[str], frozenset[str]]:
    ordered = sorted(names)
    middle = len(ordered) // 2
    return frozenset(ordered[:middle]), frozenset(ordered[middle:])
