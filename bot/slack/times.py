"""Points in time as people type them: `22:30`, `tomorrow 02:00 Europe/Berlin`, `2026-12-01 02:00`, `in 2h`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot import durations
from strategies.reasons import ReasonCode, Refused

ALLOWED = "a time such as 22:30, tomorrow 02:00, 2026-12-01 02:00 Europe/Berlin or in 2h"
HORIZON = timedelta(days=366)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2}))?(?::(\d{2}))?\s*(am|pm)?", re.ASCII | re.IGNORECASE)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_OFFSET = re.compile(r"(?:utc|gmt)?([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII | re.IGNORECASE)
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})t(\d{2}:\d{2}(?::\d{2})?)(z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE)
# Letters that mean one offset wherever they are written; those with several meanings are refused by name.
_ABBREVIATIONS = {
    **{"utc": 0, "gmt": 0, "z": 0, "wet": 0, "west": 60, "bst": 60, "cet": 60, "cest": 120, "eet": 120, "eest": 180},
    **{"msk": 180, "sgt": 480, "hkt": 480, "jst": 540, "kst": 540, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780},
    **{"est": -300, "edt": -240, "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540},
    **{"akdt": -480, "hst": -600, "brt": -180},
}
_REGIONS = {"et": "America/New_York", "ct": "America/Chicago", "mt": "America/Denver", "pt": "America/Los_Angeles"}
_SEVERAL = {"ist": "Asia/Kolkata, Europe/Dublin or Asia/Jerusalem", "cst": "America/Chicago or Asia/Shanghai"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A point in time and how many words it took."""

    at: datetime
    taken: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What a time is relative to: the present, the zone of words without one, and what it must lie after."""

    now: datetime
    zone: tzinfo
    after: datetime


def read(words: Sequence[str], now: datetime, zone: tzinfo, after: datetime | None = None) -> Reading | Refused:
    """The time that `words` begin with, in UTC and after `after` (default: now)."""
    frame = Frame(now, zone, after or now)
    found = _elapsed(words, frame) or _iso(words, frame) or _calendar(words, frame)
    if isinstance(found, Refused):
        return found
    if found.at > now + HORIZON:
        return _bad(f"{found.at:%Y-%m-%d} is more than a year ahead.")
    if found.at <= frame.after:
        word = "is over already" if frame.after == now else "is not after the beginning"
        return _bad(f"{found.at:%Y-%m-%d %H:%M} UTC {word}.")
    return found


def zone_of(word: str) -> tzinfo | Refused | None:
    """The zone that `word` names; refused when it names several, None when it is no zone at all."""
    low = word.lower()
    if low in _SEVERAL:
        return _bad(f"{word.upper()} has several meanings; say {_SEVERAL[low]}.")
    if low in _ABBREVIATIONS:
        return timezone(timedelta(minutes=_ABBREVIATIONS[low]))
    offset = _OFFSET.fullmatch(word)
    if offset:
        length = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if length > timedelta(hours=14):
            return _bad(f"{word} is further from UTC than any place.")
        return timezone(length if offset[1] == "+" else -length)
    name = _REGIONS.get(low, word)
    if "/" not in name:
        return None
    try:
        return ZoneInfo("/".join(_capital(part) for part in name.split("/")))
    except (ValueError, OSError, KeyError):
        return _bad(f"{word} is no time zone; zones are written like Europe/Berlin.")


def _capital(part: str) -> str:
    if part != part.lower():
        return part
    return "_".join("-".join(w.capitalize() for w in piece.split("-")) for piece in part.split("_"))


def _elapsed(words: Sequence[str], frame: Frame) -> Reading | None:
    taken = 2 if words and words[0].lower() == "in" else 1
    if len(words) < taken or (taken == 1 and not words[0].startswith("+")):
        return None
    length = durations.read(words[taken - 1].lstrip("+"))
    return Reading(frame.now + length, taken) if length is not None else None


def _iso(words: Sequence[str], frame: Frame) -> Reading | Refused | None:
    found = _ISO.fullmatch(words[0]) if words else None
    if not found:
        return None
    rest = [found[1], found[2], *([found[3]] if found[3] else []), *words[1:]]
    reading = _calendar(rest, frame)
    if isinstance(reading, Refused):
        return reading
    return Reading(reading.at, reading.taken - (2 if found[3] else 1))


def _calendar(words: Sequence[str], frame: Frame) -> Reading | Refused:
    day_word = words[0].lower() if words else ""
    has_day = bool(_DATE.fullmatch(day_word)) or day_word in ("today", "tonight", "tomorrow") or _weekday(day_word) >= 0
    at = 1 if has_day else 0
    if len(words) > at and words[at].lower() == "at":
        at += 1
    clock = _clock(words[at]) if len(words) > at else None
    if clock is None:
        return _bad(f"{_quoted(words)} is no time.")
    at += 1
    zone: tzinfo = frame.zone
    named = zone_of(words[at]) if len(words) > at else None
    if isinstance(named, Refused):
        return named
    if named is not None:
        zone, at = named, at + 1
    moment = _dated(day_word if has_day else "", clock, zone, frame)
    return moment if isinstance(moment, Refused) else Reading(moment, at)


def _dated(day: str, clock: time, zone: tzinfo, frame: Frame) -> datetime | Refused:
    today = frame.now.astimezone(zone).date()
    if not day:
        # Without a day the next such time is meant: tonight at 22:30, tomorrow at 02:00.
        return _next(clock, zone, frame)
    if day in ("today", "tonight"):
        return _local(today, clock, zone)
    if day == "tomorrow":
        return _local(today + timedelta(days=1), clock, zone)
    if _weekday(day) >= 0:
        ahead = (_weekday(day) - today.weekday()) % 7
        moment = _local(today + timedelta(days=ahead), clock, zone)
        if isinstance(moment, Refused) or moment > frame.now:
            return moment
        return _local(today + timedelta(days=7), clock, zone)
    try:
        return _local(date.fromisoformat("-".join(p.zfill(2) for p in day.split("-"))), clock, zone)
    except ValueError:
        return _bad(f"{day} is no day of the calendar.")


def _next(clock: time, zone: tzinfo, frame: Frame) -> datetime | Refused:
    first = frame.after.astimezone(zone).date()
    moment = _local(first, clock, zone)
    if isinstance(moment, Refused) or moment > frame.after:
        return moment
    return _local(first + timedelta(days=1), clock, zone)


def _local(day: date, clock: time, zone: tzinfo) -> datetime | Refused:
    wall = datetime.combine(day, clock, zone)
    if not 2000 < day.year < 9000:
        return _bad(f"{day} is no day of a release.")
    moment = wall.astimezone(UTC)
    if moment.astimezone(zone).replace(fold=0) != wall.replace(fold=0):
        return _bad(f"{day} {clock:%H:%M} does not exist in {zone}: the clocks are put forward then.")
    if wall.replace(fold=1).utcoffset() != wall.utcoffset():
        return _bad(f"{day} {clock:%H:%M} comes twice in {zone}; name the offset, for example {clock:%H:%M} +01:00.")
    return moment


def _clock(word: str) -> time | None:
    found = _CLOCK.fullmatch(word)
    if not found or not (found[2] or found[4]):
        return None
    hour, minute, second, half = int(found[1]), int(found[2] or 0), int(found[3] or 0), (found[4] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute, second) if hour < 24 and minute < 60 and second < 60 else None


def _weekday(word: str) -> int:
    return next((n for n, name in enumerate(WEEKDAYS) if len(word) >= 3 and name.startswith(word)), -1)


def _quoted(words: Sequence[str]) -> str:
    return f"“{' '.join(words[:2])[:60]}”" if words else "Nothing"


def _bad(text: str) -> Refused:
    return Refused(ReasonCode.BAD_INPUT, f"{text} Give {ALLOWED}.")
