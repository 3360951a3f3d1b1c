"""Lengths of time as people type them: `10m`, `1h30m`, `90s`, `1.5h`."""

import re
from datetime import timedelta

ALLOWED = "a length of time such as 90s, 10m, 1h30m or 2h"
LONGEST = timedelta(days=30)
_PART = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)\s*([a-z]+)", re.ASCII)
_UNITS = {
    "ms": 0.001,
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600),
    **dict.fromkeys(("d", "day", "days"), 86400),
}


def read(word: str) -> timedelta | None:
    """The length that `word` says, None when it says none or more than `LONGEST`."""
    text = word.strip().lower()
    if text == "0":
        return timedelta(0)
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        return None
    seconds = 0.0
    smallest: float = float("inf")
    for number, unit in parts:
        size = _UNITS.get(unit)
        # Units fall from left to right, so that "30m1h" is a slip and not an hour and a half.
        if size is None or size >= smallest:
            return None
        smallest = size
        seconds += float(number) * size
    length = timedelta(seconds=seconds)
    return length if length <= LONGEST else None


def parse(text: str) -> timedelta:
    """The length that `text` says; ValueError names the text and what is allowed."""
    length = read(text)
    if length is None:
        raise ValueError(f"{text!r} is not {ALLOWED}")
    return length


def written(duration: timedelta) -> str:
    """The shortest text that `read` takes back to the same whole second: `1h30m`, `45s`, `0s`."""
    seconds = round(duration.total_seconds())
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
