"""Matches as people write them, and what Istio cannot match on."""

import re
from decimal import Decimal

from strategies import patterns
from strategies.reasons import ReasonCode, Refused
from strategies.routing import HUNDRED, Match

NAMED = ("header", "cookie", "query", "source_label")
LONE = ("uri", "method", "authority")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"})
EXAMPLES = "header:x-beta=1, cookie:group=beta, query:beta=1, uri^=/beta, method=GET, authority=beta.shop.example"
# What no pattern for a group takes all of.
PROBES = {
    "uri": ("/", "/a", "/Z9/x.y", "/~q?1=2"),
    "authority": ("a", "Z9.example", "10.0.0.1", "x-y.example:8080"),
    "method": tuple(sorted(METHODS)),
}
_WRITTEN = re.compile(r"(?P<on>[^=^]+?)\s*(?P<sign>\^=|=~|=)\s*(?P<value>.+)", re.DOTALL)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_LABEL = re.compile(r"(?:[a-z0-9.-]+/)?[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_OPERATORS = {"=": "exact", "^=": "prefix", "=~": "regex"}


def read(text: str, to: str, share: Decimal = HUNDRED) -> Match | Refused:
    """The match that `text` says: `header:x-beta=1` (exact), `uri^=/beta` (prefix), `cookie:group=~b.*` (regex)."""
    found = _WRITTEN.fullmatch(text.strip())
    if found is None:
        return _refused(f"Match {text.strip()!r} has no value.")
    part, colon, name = found["on"].strip().partition(":")
    part = part.strip().lower().replace("-", "_")
    name = name.strip().lower() if part == "header" else name.strip()
    on = f"{part}:{name}" if colon else part
    match = Match(on, to, share=share, **{_OPERATORS[found["sign"]]: found["value"].strip()})
    why = trouble(match)
    return _refused(why) if why else match


def trouble(match: Match) -> str:
    """Why Istio could not match so, as a sentence; empty when it can."""
    if match.part not in (*NAMED, *LONE):
        return f"{match.part!r} is nothing that requests are matched on; it is one of {', '.join((*NAMED, *LONE))}."
    if (match.part in NAMED) != bool(match.name):
        needs = f"needs a name, such as {match.part}:beta" if match.part in NAMED else "takes no name"
        return f"A match on {match.part} {needs}."
    return _name_trouble(match) or _value_trouble(match) or _everybody(match)


def _name_trouble(match: Match) -> str:
    name = match.name
    if match.part == "header" and (not _TOKEN.fullmatch(name) or name != name.lower()):
        return f"{name!r} is no name of a header; proxies compare lower-case names."
    if match.part == "cookie" and not _TOKEN.fullmatch(name):
        return f"{name!r} is no name of a cookie."
    if match.part == "source_label" and not _LABEL.fullmatch(name):
        return f"{name!r} is no name of a label."
    return ""


def _value_trouble(match: Match) -> str:
    value = next(each for each in (match.exact, match.prefix, match.regex) if each is not None)
    if not value or any(ord(char) < 32 for char in value):
        return f"A match on {match.on} needs a value without control characters."
    if match.part == "source_label" and match.exact is None:
        return "Istio compares source labels whole; prefix and regex are not possible."
    if match.part == "cookie" and match.exact is not None and ";" in value:
        return f"{value!r} is no value of a cookie."
    if match.part == "method" and match.exact is not None and value.upper() in METHODS and value not in METHODS:
        return f"Methods are compared with their case: {value.upper()}, not {value}."
    why = patterns.trouble(value) if match.regex is not None else ""
    return f"Regex {value!r} of the match on {match.on} is refused: {why}." if why else ""


def _everybody(match: Match) -> str:
    """A group that is everybody would get the candidate at once, past every step; as far as the match alone tells."""
    if match.part not in PROBES:
        return ""
    probes = PROBES[match.part]
    if match.prefix is not None:
        takes_all = all(probe.startswith(match.prefix) for probe in probes)
    else:
        takes_all = match.regex is not None and all(re.fullmatch(match.regex, probe) for probe in probes)
    return f"{match} takes every request, which is no group; a share of everybody is a canary's." if takes_all else ""


def _refused(why: str) -> Refused:
    return Refused(ReasonCode.BAD_INPUT, f"{why} Matches are written like {EXAMPLES}; ^= is a prefix, =~ a regex.")
