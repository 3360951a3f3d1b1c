"""The parent's side of the line: does what the bots ask, and lets time pass when none of them has anything to do."""

from collections.abc import Mapping
from multiprocessing.connection import Connection
from selectors import EVENT_READ, PollSelector
from typing import TYPE_CHECKING, Any

from bot.errors import SluiceError
from tests.crash.world import World
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from datetime import datetime


class Failed(AssertionError):
    """A bot that ended by itself, with its traceback, or that stopped answering."""


class Serving:
    """One world and the bots that live in it now."""

    def __init__(self, world: World, bots: Mapping[Connection, str]) -> None:
        self._world = world
        self._bots = dict(bots)
        self._idle: dict[Connection, datetime] = {}

    def until_all_are_gone(self) -> None:
        """Serve until the last bot's end of the line is closed."""
        with PollSelector() as lines:
            for bot in self._bots:
                lines.register(bot, EVENT_READ, bot)
            while self._bots:
                ready = lines.select(PATIENCE)
                if not ready:
                    raise Failed(f"no bot said anything for {PATIENCE:g} s")
                for line, _ in ready:
                    if not self._hear(line.data):
                        lines.unregister(line.data)
                        del self._bots[line.data]
                self._pass_time()

    def _hear(self, bot: Connection) -> bool:
        """Do what the bot asks; False when its end of the line is closed."""
        try:
            door, method, arguments, named = bot.recv()
        except EOFError:
            return False
        match door:
            case "failed":
                raise Failed(method)
            case "idle":
                self._idle[bot] = arguments[0]
            case "passed":
                self._world.passed.setdefault(self._bots[bot], []).append(method)
            case _:
                bot.send(self._done(bot, door, method, arguments, named))
        return True

    def _done(self, bot: Connection, door: str, method: str, arguments: Any, named: Any) -> tuple[str, object]:
        if method == "set_route":
            arguments = (arguments[0], lambda: _asked(bot))
        if method == "retire":
            arguments = (arguments[0], lambda: bool(_asked(bot)))
        at = self._world if door == "world" else getattr(self._world, door)
        try:
            return "done", getattr(at, method)(*arguments, **named)
        except SluiceError as error:
            return "refused", error

    def _pass_time(self) -> None:
        # Time stands still while anybody works, so that nobody stalls without being told to.
        waiting = {bot: at for bot, at in self._idle.items() if bot in self._bots}
        if not waiting or len(waiting) < len(self._bots):
            return
        self._world.clock.set(max(self._world.clock.now(), min(waiting.values())))
        self._idle.clear()
        for bot in waiting:
            bot.send(("done", None))


def _asked(bot: Connection) -> Any:
    """What the bot wants now: its orders for a route, or whether the baseline shall still go."""
    bot.send(("orders?", None))
    return bot.recv()
