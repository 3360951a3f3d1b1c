"""What a person typed, freed of what Slack and keyboards make of it."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from bot.slack.text import clean

LONGEST = 3_000
_SPACES = re.compile(r"[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\n\r]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff]")
_MARKUP = re.compile(r"<([@#!]?)([^<>|]*)(?:\|([^<>]*))?>")
_GLYPHS = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "‐": "-", "‑": "-", "‒": "-"}
    | {"–": "-", "—": "-", "−": "-", "，": ",", "：": ":", "＝": "=", "％": "%"}
)


def plain(text: str) -> str:
    """The words without Slack's markup, entities, odd spaces, and typographic quotes and dashes."""
    bare = _MARKUP.sub(_markup, clean(_SPACES.sub(" ", text)))
    for entity, sign in (("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")):
        bare = bare.replace(entity, sign)
    return _INVISIBLE.sub("", bare).translate(_GLYPHS).strip()


def words(text: str) -> list[str]:
    """The words of `text` in order; quotes keep words together and a list may have spaces behind its commas."""
    joined = re.sub(r"\s*,\s*(?=[\d.])", ",", re.sub(r"\s*=\s*", "=", plain(text)))
    # An apostrophe inside a word is no quote: "don't" stays whole.
    found = re.findall(r'(?:[^\s"]|"[^"]*(?:"|$))+', joined)
    return [word for word in (part.replace('"', "") for part in found) if word]


def unquoted(text: str) -> str:
    """A note without the quotes that somebody put around all of it."""
    stripped = text.strip()
    for quote in "\"'":
        if len(stripped) >= 2 and stripped[0] == stripped[-1] == quote:
            return stripped[1:-1].strip()
    return stripped


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, empty when none is near."""
    return next(iter(get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)), "")


def _markup(found: re.Match[str]) -> str:
    sign, target, label = found[1], found[2], found[3] or ""
    if sign == "@":
        return "@" + (label or target).lstrip("@")
    if sign == "#":
        return "#" + (label or target).lstrip("#")
    if sign == "!":
        return "@" + (label or target.partition("^")[2] or target).lstrip("@")
    return label or re.sub(r"^(?:https?://|mailto:|tel:)", "", target)
