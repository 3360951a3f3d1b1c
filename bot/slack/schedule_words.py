"""`schedule <id> at <time> [zone] [auto|ask] [until <time>]`."""

from collections.abc import Sequence

from bot.requests import ScheduleRequest
from bot.slack import times
from bot.slack.grammar import Words, bad, quoted, subject
from strategies.reasons import Refused


def read(words: Words) -> ScheduleRequest | Refused:
    """When the start or the next increase may happen, until when, and whether anybody is asked."""
    name = subject(words)
    if isinstance(name, Refused):
        return name
    rest = [part for word in words.args[1:] for part in word.split()]
    if rest and rest[0].lower() in ("at", "for"):
        rest = rest[1:]
    rest = [rest[0].partition("=")[2], *rest[1:]] if rest and rest[0].lower().startswith("at=") else rest
    if not rest:
        return bad("schedule needs a time.", "schedule")
    began = times.read(rest, words.now, words.zone)
    if isinstance(began, Refused):
        return began
    return _rest(ScheduleRequest(name, began.at), rest[began.taken :], words)


def _rest(request: ScheduleRequest, rest: Sequence[str], words: Words) -> ScheduleRequest | Refused:
    until = request.until
    modes: list[bool] = []
    while rest:
        word = rest[0].lower()
        if word in ("auto", "ask"):
            modes.append(word == "auto")
            rest = rest[1:]
        elif word in ("until", "till", "to") and until is None:
            ended = times.read(rest[1:], words.now, words.zone, after=request.at)
            if isinstance(ended, Refused):
                return ended
            until, rest = ended.at, rest[1 + ended.taken :]
        else:
            return bad(f"{quoted(rest[0])} is not understood here; allowed are auto, ask and until <time>.", "schedule")
    if len(modes) > 1:
        return bad("Give auto or ask, once.", "schedule")
    return ScheduleRequest(request.subject, request.at, until, modes[0] if modes else True)
