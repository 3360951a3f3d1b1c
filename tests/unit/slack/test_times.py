"""Points in time and lengths of time as people type them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot import durations
from bot.slack import times
from strategies.reasons import Refused

NOW = datetime(2026, 11, 21, 20, 0, tzinfo=UTC)  # a Saturday, 21:00 in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, now: datetime = NOW) -> datetime:
    found = times.read(text.split(), now, BERLIN)
    assert isinstance(found, times.Reading), found
    assert found.taken == len(text.split())
    return found.at


def refused(text: str, now: datetime = NOW) -> str:
    found = times.read(text.split(), now, BERLIN)
    assert isinstance(found, Refused), found
    return found.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:30", "2026-11-21T21:30"),
        ("02:00", "2026-11-22T01:00"),
        ("10:30pm", "2026-11-21T21:30"),
        ("2am", "2026-11-22T01:00"),
        ("tomorrow 02:00", "2026-11-22T01:00"),
        ("tomorrow at 02:00", "2026-11-22T01:00"),
        ("today 23:00 UTC", "2026-11-21T23:00"),
        ("22:30 Europe/London", "2026-11-21T22:30"),
        ("22:30 europe/london", "2026-11-21T22:30"),
        ("22:30 america/new_york", "2026-11-22T03:30"),
        ("22:30 CET", "2026-11-21T21:30"),
        ("22:30 PST", "2026-11-22T06:30"),
        ("22:30 ET", "2026-11-22T03:30"),
        ("22:30 +02:00", "2026-11-21T20:30"),
        ("22:30 UTC+2", "2026-11-21T20:30"),
        ("2026-12-01 02:00", "2026-12-01T01:00"),
        ("2026-12-01T02:00Z", "2026-12-01T02:00"),
        ("2026-12-01T02:00+01:00", "2026-12-01T01:00"),
        ("2026-12-01T02:00 Asia/Tokyo", "2026-11-30T17:00"),
        ("monday 06:00", "2026-11-23T05:00"),
        ("sat 06:00", "2026-11-28T05:00"),
        ("in 1h30m", "2026-11-21T21:30"),
        ("+2h", "2026-11-21T22:00"),
    ],
)
def test_a_time_is_understood(text: str, expected: str) -> None:
    assert at(text) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("today 20:00", "is over already"),
        ("2026-11-20 22:00", "is over already"),
        ("2031-01-01 22:00", "more than a year ahead"),
        ("2026-02-30 22:00", "no day of the calendar"),
        ("25:00", "is no time"),
        ("22", "is no time"),
        ("13pm", "is no time"),
        ("tomorrow", "is no time"),
        ("22:30 Europe/Nowhere", "is no time zone"),
        ("22:30 ../../etc/passwd", "is no time zone"),
        ("22:30 IST", "several meanings"),
        ("22:30 +19:00", "further from UTC"),
        ("2027-03-28 02:30", "does not exist"),
        ("2027-10-31 02:30", "comes twice"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_what_is_allowed(text: str, told: str) -> None:
    found = refused(text)
    assert told in found
    assert "22:30" in found


def test_the_hour_that_comes_twice_is_taken_with_its_offset() -> None:
    assert at("2027-10-31 02:30 CET", NOW) == datetime(2027, 10, 31, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("1h30m", 5400), ("1.5h", 5400), ("2d", 172800), ("10min", 600), ("0", 0), ("0s", 0)],
)
def test_a_length_is_understood(text: str, seconds: int) -> None:
    assert durations.read(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "ten", "10x", "-5m", "1h 1h", "30m1h", "31d", "5m!", "١٠m"])
def test_a_length_that_is_none_is_not_guessed(text: str) -> None:
    assert durations.read(text) is None
