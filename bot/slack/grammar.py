"""Pieces that all subcommands are read with: subjects, refusals that teach, words left over."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from difflib import get_close_matches

from bot.slack.guide import EXAMPLE, TOPICS
from bot.slack.text import shorten
from strategies.guards import OVERRIDABLE
from strategies.reasons import ReasonCode, Refused

NOTE = 1_000
_SUBJECT = re.compile(r"[a-z0-9](?:[a-z0-9._/-]{0,251}[a-z0-9])?", re.ASCII)
_RELEASE = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?-\d+", re.ASCII)
_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]{0,200}?(?::[A-Za-z0-9_][\w.-]{0,127}|@sha256:[0-9a-f]{64})", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Words:
    """One command line without its verb; `rest` is the raw text behind the first word, for notes."""

    verb: str
    args: tuple[str, ...]
    rest: str
    now: datetime
    zone: tzinfo


def bad(text: str, verb: str = "") -> Refused:
    """A refusal that shows how the subcommand is written."""
    topic = TOPICS.get(verb)
    example = f" {EXAMPLE}{topic.example}" if topic else ""
    return Refused(ReasonCode.BAD_INPUT, f"{text}{example}")


def quoted(word: str) -> str:
    """A word of the person, shown back to them."""
    return f"“{shorten(word, 60)}”"


def looks_like_release(word: str) -> bool:
    """True for `reviews-142`."""
    return bool(_RELEASE.fullmatch(word.lower()))


def subject(words: Words) -> str | Refused:
    """The release id or service that the command is about."""
    if not words.args:
        return bad(f"{words.verb} needs a release.", words.verb)
    name = words.args[0].lower()
    if not _SUBJECT.fullmatch(name):
        return bad(f"{quoted(words.args[0])} is neither a release nor a service.", words.verb)
    return name


def version(word: str, verb: str) -> str | Refused:
    """A version as Kubernetes takes it for a label's value."""
    if _VERSION.fullmatch(word):
        return word
    return bad(f"{quoted(word)} cannot be a version: letters, digits, - _ and . up to 63 characters.", verb)


def guard_rules(names: Sequence[str], verb: str) -> tuple[ReasonCode, ...] | Refused:
    """The guards of these names, in any case."""
    known = {rule.value: rule for rule in OVERRIDABLE}
    found = []
    for name in names:
        rule = known.get(name.strip().upper().replace("-", "_"))
        if rule is None:
            near = next(iter(get_close_matches(name.upper(), known, 1)), "")
            meant = f" Did you mean {near}?" if near else ""
            return bad(f"{quoted(name)} is nothing that can be overridden.{meant} There are {', '.join(known)}.", verb)
        found.append(rule)
    return tuple(dict.fromkeys(found))


def image(word: str, verb: str) -> str | Refused:
    """A container image with a tag or a digest: what `latest` means tomorrow nobody can roll back to."""
    if _IMAGE.fullmatch(word):
        return word
    return bad(f"{quoted(word)} is no image with a tag or digest, such as registry.example.com/shop/reviews:v2.", verb)


def note(words: Words) -> str | Refused:
    """The free text behind the subject."""
    if len(words.rest) > NOTE:
        return bad(f"A note or reason takes up to {NOTE:,} characters; this one has {len(words.rest):,}.")
    return words.rest
