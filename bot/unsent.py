"""What becomes of a message that is lost for good: somebody hears of it directly, once."""

import logging
from collections.abc import Callable

from bot.errors import SluiceError
from bot.ports import Card, Chat
from strategies.effects import Audience, CallOnCall, Effect

log = logging.getLogger(__name__)
REMEMBERED = 1_000


class Unsent:
    """Speaks to people where a channel cannot be reached; each release's requester, and with a lost call on-call."""

    def __init__(self, card: Callable[[str], Card | None], chat: Chat) -> None:
        self._card = card
        self._chat = chat
        self._told: dict[str, None] = {}  # the oldest first

    def tell(self, effect: Effect, text: str) -> None:
        """Say that `effect` was given up because of `text`; whoever cannot be told either is logged."""
        is_call = isinstance(effect, CallOnCall)
        audience = Audience.REQUESTER_AND_ON_CALL if is_call else Audience.REQUESTER
        known, card = f"{audience}:{effect.release}", self._card(effect.release)
        if card is None or known in self._told:
            return
        self._told[known] = None
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
        said = f"{effect.text} " if isinstance(effect, CallOnCall) else ""
        why = f"{effect.release} cannot speak in its channel: {text.rstrip('.')}."
        on = f"Its gates and its rollback go on; see /release status {effect.release}"
        try:
            self._chat.tell(card, f"{said}{why} {on}", audience)
        except SluiceError as error:
            log.error("release=%s: nobody could be told: %s", effect.release, error)
