"""Steps as people write them: a list, equal rises, or pairs of baseline and candidate."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

from strategies.reasons import ReasonCode, Refused
from strategies.routing import FINEST, HUNDRED, percent

MOST = 100
EXAMPLE = "for example 5,25,50,100"
ALLOWED = 'Write "5,25,50,100", "from 5 by 10 every 15m to 100", or pairs of baseline:candidate such as "90:10, 0:100".'
_NUMBER = re.compile(r"\d{1,3}(?:\.\d{1,4})?", re.ASCII)
_WORDS = ("from", "by", "every", "to")

Lengths = Callable[[str], timedelta | None]


@dataclass(frozen=True, slots=True)
class Steps:
    """The candidate's percents in order; `hold` when the words said how long each is held."""

    shares: tuple[Decimal, ...]
    hold: timedelta | None = None


def read(text: str, lengths: Lengths) -> Steps | Refused:
    """The steps that `text` says; `lengths` reads a length of time. Whether they rise to 100 is the plan's question."""
    words = text.lower().split()
    found = _rises(words, lengths) if words and words[0] in _WORDS else _listed(text)
    return _refused(found) if isinstance(found, str) else found


def trouble(steps: tuple[Decimal, ...], last: Decimal | None = HUNDRED) -> str:
    """What keeps these from being steps that rise from above 0 to `last`; empty when nothing does."""
    if not steps:
        return "No steps were given."
    for step in steps:
        if not step.is_finite() or not Decimal(0) < step <= HUNDRED:
            return f"Step {step} is not above 0 and at most 100."
        if step % FINEST:
            return f"Step {percent(step)} has more than two decimals."
    for before, after in pairwise(steps):
        if after <= before:
            return f"Step {percent(after)} does not rise above {percent(before)}."
    if last is not None and steps[-1] != last:
        return f"The last step is {percent(steps[-1])}, not {percent(last)}."
    return ""


def _rises(words: list[str], lengths: Lengths) -> Steps | str:
    given = dict(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or len(given) * 2 != len(words) or not {"from", "by"} <= given.keys() <= set(_WORDS):
        return "A rise is written from, by, every and to, each with its value."
    hold = lengths(given["every"]) if "every" in given else None
    if "every" in given and hold is None:
        return f"{given['every']!r} is no length of time."
    numbers = {word: _number(given.get(word, "100")) for word in ("from", "by", "to")}
    start, by, end = numbers["from"], numbers["by"], numbers["to"]
    if start is None or by is None or end is None:
        return "A rise needs percents behind from, by and to."
    if not by or not start or start > end:
        return f"A rise from {percent(start)} by {percent(by)} never reaches {percent(end)}."
    if (end - start) / by > MOST:
        return f"A rise from {percent(start)} by {percent(by)} has more than {MOST} steps."
    shares = []
    while start < end:
        shares.append(start)
        start += by
    return Steps((*shares, end), hold)


def _listed(text: str) -> Steps | str:
    shares: list[Decimal] = []
    for part in re.split(r"[,;/]", text):
        share = _pair(part) if ":" in part else _number(part)
        if isinstance(share, str):
            return share
        if share is None:
            return f"{part.strip()!r} is no step." if part.strip() else "A step is empty."
        shares.append(share)
    if len(shares) > MOST:
        return f"{len(shares)} steps are more than {MOST}."
    return Steps(tuple(shares))


def _pair(text: str) -> Decimal | str | None:
    baseline, candidate = (_number(each) for each in text.split(":", 1))
    if baseline is None or candidate is None:
        return None
    if baseline + candidate != HUNDRED:
        return f"The pair {text.strip()} sums to {percent(baseline + candidate)}, not 100 %."
    return candidate


def _number(text: str) -> Decimal | None:
    word = text.strip().removesuffix("%").strip()
    return Decimal(word) if _NUMBER.fullmatch(word) else None


def _refused(why: str) -> Refused:
    return Refused(ReasonCode.BAD_STEPS, f"{why} {ALLOWED}")
