"""The bot's processes, and everything that stands between them and their neighbours."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.chaos.doors import Door
    from tests.integration.bot_child import BotChild
    from tests.integration.gate import Gate


class State(StrEnum):
    """What the operating system would say of it."""

    RUNNING = "running"
    FROZEN = "frozen"
    ENDING = "ending"
    DEAD = "dead"


@dataclass(slots=True)
class Replica:
    """One replica; `pids` are those of all its lives, `ends` the code and the seconds of each SIGTERM."""

    name: str
    child: BotChild
    kubernetes: Door
    prometheus: Door
    database: Gate | None
    state: State = State.DEAD
    pids: list[int] = field(default_factory=list)
    began: float = 0.0
    ends: list[tuple[int, float, bool]] = field(default_factory=list)

    def start(self) -> None:
        """Begin a life."""
        self.child.start()
        self.began = time.monotonic()
        self.pids.append(self.child.pid)
        self.state = State.RUNNING

    def kill(self) -> None:
        """SIGKILL."""
        self.child.kill()
        self.state = State.DEAD

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.child.pid, signal.SIGSTOP)
        self.state = State.FROZEN

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.child.pid, signal.SIGCONT)
        self.state = State.RUNNING

    def end(self, *, is_calm: bool) -> None:
        """SIGTERM; how it ended is kept for the checker, and whether its neighbours answered meanwhile."""
        began = time.monotonic()
        try:
            code = self.child.stop()
        except AssertionError:
            code = -1
        self.ends.append((code if code is not None else -1, time.monotonic() - began, is_calm))
        self.state = State.DEAD

    def has_ended_by_itself(self) -> bool:
        """True when it should run and does not."""
        return self.state is State.RUNNING and self.child.has_ended()

    def threads(self) -> int:
        """How many it has."""
        return len(os.listdir(f"/proc/{self.child.pid}/task"))

    def sockets(self) -> int:
        """How many connections it holds."""
        found = subprocess.run(
            ["ls", "-l", f"/proc/{self.child.pid}/fd"], capture_output=True, text=True, check=False, timeout=5
        )
        return found.stdout.count("socket:")
