"""PromQL of a service's owner with `{{service}} {{version}} {{namespace}} {{look}}` in it: its structure, its values.

There is no PromQL parser here: Prometheus itself is asked when a release is planned or started. What is checked
without it is what filling in relies on: strings end, brackets match, and values stand inside of strings.
"""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

NAMES = ("service", "version", "namespace", "look")
LONGEST = 2_000
SPECIAL = frozenset("\\.+*?()|[]{}^$")
_PLACE = re.compile(r"\{\{\s*(\w*)\s*\}\}")
_CLOSING = {")": "(", "]": "[", "}": "{"}
_RAW = "`"
_NAME = re.compile(r"(?<![\w:.])[a-zA-Z_:][\w:]*", re.ASCII)
_LABELS = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", re.IGNORECASE)
_AGGREGATORS = ("sum", "avg", "min", "max", "count", "stddev", "stdvar", "group", "topk", "bottomk", "quantile")
_RARE = ("count_values", "limitk", "limit_ratio", "atan2", "group_left", "group_right", "ignoring", "on")
_MORE = ("and", "or", "unless", "by", "without", "bool", "offset", "start", "end", "inf", "nan")
_WORDS = frozenset((*_AGGREGATORS, *_RARE, *_MORE))


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of the text: code (no quote), or the inside of a string, which may be a regular expression."""

    text: str
    quote: str = ""
    is_regex: bool = False


def check(text: str) -> None:
    """Refuse with ValueError what cannot be filled in, or would read the same for both versions."""
    if not text.strip():
        raise ValueError("is empty; write a PromQL query")
    if len(text) > LONGEST:
        raise ValueError(f"has {len(text):,} characters; at most {LONGEST:,} are allowed")
    parts = list(_parts(text))
    code = "".join(_PLACE.sub("", part.text) for part in parts if not part.quote)
    _matched(code)
    for part in parts:
        for name in _PLACE.findall(part.text):
            _known(name)
            if not part.quote and name != "look":
                raise ValueError(
                    f'has {{{{{name}}}}} outside of quotes; write it inside, like version="{{{{{name}}}}}"'
                )
    if "version" not in _PLACE.findall(text):
        raise ValueError('names no {{version}}, so both versions would read the same; add version="{{version}}"')


def values(service: str, version: str, namespace: str, look: timedelta) -> Mapping[str, str]:
    """What fills the places of one version's query."""
    milliseconds = max(round(look.total_seconds() * 1000), 1)
    length = f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"
    return {"service": service, "version": version, "namespace": namespace, "look": length}


def filled(text: str, values: Mapping[str, str]) -> str:
    """The query, each value written so that it stands for itself and nothing else where it stands."""

    def put(part: _Part) -> str:
        return _PLACE.sub(lambda place: _written(values[place[1]], part), part.text)

    return "".join(put(part) for part in _parts(text))


def metrics(text: str) -> tuple[str, ...]:
    """The names of metrics that the query reads, as far as they are written out."""
    code = "".join(_PLACE.sub("", part.text) if not part.quote else '""' for part in _parts(text))
    # What stands in braces, brackets and behind by, on and their like names labels and lengths.
    code = _LABELS.sub(" ", re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", code))
    names = (found[0] for found in _NAME.finditer(code) if not code[found.end() :].lstrip().startswith("("))
    return tuple(dict.fromkeys(name for name in names if name.lower() not in _WORDS))


def literal(text: str) -> str:
    """The text as an RE2 pattern that matches it and nothing else, as Go's QuoteMeta writes it."""
    return "".join(f"\\{sign}" if sign in SPECIAL else sign for sign in text)


def quoted(text: str) -> str:
    """The text inside a PromQL string of double quotes."""
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _parts(text: str) -> Iterator[_Part]:
    """Code and strings in turn, quotes kept with the code; ValueError for a string that does not end."""
    begun, place = 0, 0
    while place < len(text):
        sign = text[place]
        if sign == "#":
            end = text.find("\n", place)
            yield _Part(text[begun:place])
            begun = place = len(text) if end < 0 else end
        elif sign in "\"'`":
            code = text[begun : place + 1]
            yield _Part(code[:-1])
            end = _end_of_string(text, place)
            is_regex = text[:place].rstrip().endswith(("=~", "!~"))
            yield _Part(text[place : end + 1], sign, is_regex)
            begun = place = end + 1
        else:
            place += 1
    yield _Part(text[begun:])


def _end_of_string(text: str, start: int) -> int:
    quote, place = text[start], start + 1
    while place < len(text):
        if text[place] == quote:
            return place
        place += 2 if text[place] == "\\" and quote != _RAW else 1
    raise ValueError(f"has a string that begins with {text[start : start + 12]!r} and does not end")


def _matched(code: str) -> None:
    open_ones: list[str] = []
    for sign in code:
        if sign in "([{":
            open_ones.append(sign)
        elif sign in _CLOSING and (not open_ones or open_ones.pop() != _CLOSING[sign]):
            raise ValueError(f"has a {sign} that closes nothing")
    if open_ones:
        raise ValueError(f"has a {open_ones[-1]} that is not closed")


def _known(name: str) -> None:
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, 1)
        known = ", ".join(f"{{{{{each}}}}}" for each in NAMES)
        hint = f"did you mean {{{{{near[0]}}}}}?" if near else f"known are {known}"
        raise ValueError(f"has {{{{{name}}}}}, which stands for nothing; {hint}")


def _written(value: str, part: _Part) -> str:
    if not part.quote:
        return value
    if part.quote == _RAW:
        # A raw string knows no escapes; of what a version or a name may hold, only the dot means more in a pattern.
        return (value.replace(".", "[.]") if part.is_regex else value).replace(_RAW, "")
    text = literal(value) if part.is_regex else value
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace(part.quote, f"\\{part.quote}")
