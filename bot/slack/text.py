"""Outside strings made safe for Slack, and figures as people read them."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

from bot.slack.limits import size

ELLIPSIS = "…"
NO_FIGURE = "no data"
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_ID = re.compile(r"\b[UWS](?=[A-Z]*\d)[A-Z0-9]{6,20}\b")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def clean(text: str) -> str:
    """Without control characters and halves of characters, which neither Slack nor a database takes."""
    return _UNSPEAKABLE.sub("", text)


def escape(text: str) -> str:
    """An outside string that can no longer mention, link or break a message."""
    return clean(text).translate(_ENTITIES)


def shorten(text: str, most: int) -> str:
    """At most `most` characters, the end replaced by an ellipsis; for text that needs no escaping."""
    if size(text) <= most:
        return text
    kept = text[: most - 1]
    while size(kept) > most - 1:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def fit(text: str, most: int) -> str:
    """An outside string escaped and cut so that no entity is torn."""
    whole = escape(text)
    if size(whole) <= most:
        return whole
    parts: list[str] = []
    room = most - 1
    for character in clean(text):
        part = character.translate(_ENTITIES)
        room -= size(part)
        if room < 0:
            break
        parts.append(part)
    return "".join(parts).rstrip() + ELLIPSIS


def code(text: str, most: int = 200) -> str:
    """An outside string as inline code."""
    return f"`{fit(_one_line(text).replace('`', '’'), most - 2) or ' '}`"


def code_block(text: str, most: int) -> str:
    """Outside lines as a code block; lines beyond the room are counted, not torn."""
    fence = "```"
    room = most - 2 * len(fence) - 2 - 40
    lines = [fit(line.replace("```", "’’’"), 600) for line in clean(text).split("\n")]
    kept: list[str] = []
    for line in lines:
        room -= size(line) + 1
        if room < 0:
            break
        kept.append(line)
    left = len(lines) - len(kept)
    tail = [f"{ELLIPSIS} {left} more line{'s' if left > 1 else ''}"] if left else []
    return "\n".join([fence, *kept, *tail, fence])


def link(url: str, label: str) -> str:
    """A link, or the bare label when the address is not one that a browser should open."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return fit(label, 75)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return fit(label, 75)
    return f"<{quote(url, safe=':/?#[]@!$&()*+,;=%~-._').replace('&', '&amp;')}|{fit(label.replace('|', '¦'), 75)}>"


def mention(identifier: str) -> str:
    """A user or group mention by id; any other id as plain words."""
    if re.fullmatch(r"[UW][A-Z0-9]+", identifier):
        return f"<@{identifier}>"
    if re.fullmatch(r"S[A-Z0-9]+", identifier):
        return f"<!subteam^{identifier}>"
    return fit(identifier, 75)


def named(text: str) -> str:
    """Escaped text with the ids of people and groups turned into their names."""
    return _ID.sub(lambda found: mention(found[0]), text)


def clock(moment: datetime) -> str:
    """The time of day in the reader's own zone, UTC where the client cannot."""
    return _date(moment, "{time}", f"{moment.astimezone(UTC):%H:%M} UTC")


def moment(at: datetime) -> str:
    """Day and time in the reader's own zone, UTC where the client cannot."""
    return _date(at, "{date_short_pretty} {time}", f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC")


def plain_moment(at: datetime, now: datetime) -> str:
    """A time for headers and push notices, where Slack does not translate times."""
    utc = at.astimezone(UTC)
    same_day = utc.date() == now.astimezone(UTC).date()
    return f"{utc:%H:%M} UTC" if same_day else f"{utc:%d %b %H:%M} UTC"


def span(length: timedelta) -> str:
    """A length of time in at most two units: `45 s`, `10 min`, `1 h 30 min`, `2 d`."""
    seconds = max(int(length.total_seconds()), 0)
    for unit, name, below, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit:
            rest = seconds % unit // below
            return f"{seconds // unit} {name}" + (f" {rest} {small}" if rest else "")
    return f"{seconds} s"


def figure(value: float | None, unit: str) -> str:
    """A measured value in the unit of its metric."""
    if value is None:
        return NO_FIGURE
    match unit:
        case "ratio":
            return f"{_digits(value * 100)} %"
        case "ms":
            return f"{_digits(value / 1000)} s" if abs(value) >= 10_000 else f"{_digits(value)} ms"
        case "requests":
            return f"{value:,.0f}"
        case "cores":
            return f"{_digits(value)} cores"
        case "bytes":
            return _bytes(value)
        case "1":
            return _digits(value)
        case _:
            return f"{_digits(value)} {escape(unit)}"


def count(number: float) -> str:
    """A number of things with thousands separators."""
    return f"{number:,.0f}"


def _digits(value: float) -> str:
    size_of = abs(value)
    if size_of >= 100:
        return f"{value:,.0f}"
    places = 1 if size_of >= 10 else 2
    return f"{value:.{places}f}".rstrip("0").rstrip(".") if value else "0"


def _bytes(value: float) -> str:
    # As margins are written, so that a person need not convert.
    for name, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if abs(value) >= factor:
            return f"{_digits(value / factor)} {name}"
    return f"{_digits(value)} B"


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _date(at: datetime, form: str, fallback: str) -> str:
    return f"<!date^{int(at.timestamp())}^{form}|{fallback}>"
