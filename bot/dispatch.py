"""Which duty does which effect."""

import logging
from contextlib import nullcontext
from typing import assert_never

from bot.courtesy import Hurry
from bot.duties import Duties, Messages
from bot.engine import Engine
from bot.smoke import SmokeTests
from strategies.effects import (
    AskSmoke,
    CallOnCall,
    Effect,
    Lane,
    PostStage,
    Prepare,
    ReadHistory,
    RefreshCard,
    RetireBaseline,
    Say,
    SetCapacity,
    SetRoute,
)
from strategies.events import EffectFailed

log = logging.getLogger(__name__)


class Dispatch:
    """Which duty does which effect, and what an effect that ended undone means; routes are written in a `hurry`."""

    def __init__(
        self, duties: Duties, messages: Messages, smoke: SmokeTests, engine: Engine, hurry: Hurry = nullcontext
    ) -> None:
        self._duties = duties
        self._messages = messages
        self._smoke = smoke
        self._engine = engine
        self._hurry = hurry

    def __call__(self, effect: Effect) -> None:  # noqa: C901 - one line per effect
        """Do one effect."""
        match effect:
            case Prepare():
                self._duties.prepare(effect)
            case ReadHistory():
                self._duties.read_history(effect)
            case SetRoute():
                with self._hurry():
                    self._duties.set_route(effect)
            case SetCapacity():
                self._duties.set_capacity(effect)
            case RetireBaseline():
                self._duties.retirements.retire(effect)
            case AskSmoke():
                self._smoke.ask(effect)
            case RefreshCard():
                self._messages.refresh(effect)
            case PostStage():
                self._messages.post_stage(effect)
            case Say():
                self._messages.say(effect)
            case CallOnCall():
                self._messages.call(effect)
            case _:
                assert_never(effect)

    def gave_up(self, effect: Effect, key: str, text: str) -> None:
        """A message that cannot be sent stops nothing; anything else is loud.

        Raises Transient while that cannot be stored.
        """
        if isinstance(effect, ReadHistory):
            self._duties.history_unread(effect, text)
            return
        if effect.lane is Lane.CHAT:
            log.error("not sent release=%s effect=%s: %s", effect.release, type(effect).__name__, text)
            self._messages.unsent.tell(effect, text)
            return
        self._engine.submit(EffectFailed(effect.release, key, type(effect).__name__, text))
