"""Where a process can die: each commit and each remote call, counted, and one of them armed."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from storage.database import Database, Transaction
from storage.engines import Engines
from storage.errors import DatabaseDown

COMMIT = "commit"
_engines: dict[str, Engines] = {}


class Way(StrEnum):
    """What goes wrong there."""

    BEFORE = "killed before it"
    AFTER = "killed when it was done, before its answer was used"
    UNANSWERED = "done, but the answer is lost and the process lives"


@dataclass(frozen=True, slots=True)
class Point:
    """The `number`-th boundary of a process's life, counted from 1."""

    number: int
    way: Way


class Switch:
    """Counts the boundaries of one process and does at the armed one what its way says."""

    def __init__(self, armed: Point | None, passed: Callable[[str], None]) -> None:
        self._armed = armed
        self._passed = passed
        self._count = 0

    def here(self, name: str) -> Way | None:
        """The way this boundary goes wrong, None when it does not; a process that dies before it dies here."""
        self._count += 1
        self._passed(name)
        if self._armed is None or self._armed.number != self._count:
            return None
        if self._armed.way is Way.BEFORE:
            die()
        return self._armed.way


def die() -> None:
    """As the kernel does it when memory runs out: nothing is flushed, closed or said."""
    os.kill(os.getpid(), signal.SIGKILL)


class Inherited(Database):
    """A database whose statements are compiled once for all forks of a process; connections are each one's own."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._engines = _engines.setdefault(url, self._engines)


class Watched(Inherited):
    """A database each of whose commits is a boundary."""

    def __init__(self, url: str, switch: Switch) -> None:
        super().__init__(url)
        self._switch = switch

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """As the real one; the statements are sent when the process dies before, stored when it dies after."""
        with super().transaction() as tx:
            yield tx
            way = self._switch.here(COMMIT)
        if way is Way.AFTER:
            die()
        if way is Way.UNANSWERED:
            raise DatabaseDown("the connection broke while the commit was under way")
