"""Regular expressions that Envoy's RE2 takes as well as Python does: the common part of both, and nothing finer."""

import re

LONGEST = 1024  # Istio refuses longer ones
MOST_REPEATS = 1000
_ESCAPES = frozenset("dDsSwWbBAntrfva")
_GROUPS = re.compile(r"\(\?(?:P<[A-Za-z_]\w*>|:|[ims]+\))", re.ASCII)
_REPEAT = re.compile(r"\{(\d*)(?:,(\d*))?\}", re.ASCII)
_CLASS_SURPRISES = ("[", "--", "&&", "||", "~~")


def trouble(pattern: str) -> str:
    """Why the pattern is refused, empty when both engines read it alike."""
    if not pattern:
        return "it is empty"
    if len(pattern.encode()) > LONGEST:
        return f"it is longer than {LONGEST} bytes"
    why = _scan(pattern)
    if why:
        return why
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""


def _scan(pattern: str) -> str:
    """What RE2 does not have, or reads otherwise; found from left to right."""
    at, after_repeat = 0, False
    while at < len(pattern):
        char = pattern[at]
        if char == "\\":
            size, why = _escape(pattern, at)
        elif char == "[":
            size, why = _class(pattern, at)
        elif char == "(":
            size, why = _group(pattern, at)
        elif char in "*+?{":
            size, why = _repetition(pattern, at, after_repeat)
        else:
            size, why = 1, ""
        if why:
            return why
        after_repeat = char in "*+?" or (char == "{" and size > 1)
        # One question mark behind a repetition makes it lazy; whatever stands behind that repeats a repetition.
        if after_repeat and pattern[at + size : at + size + 1] == "?":
            size += 1
        at += size
    return ""


def _escape(pattern: str, at: int) -> tuple[int, str]:
    char = pattern[at + 1 : at + 2]
    if char == "x":
        digits = pattern[at + 2 : at + 4]
        is_hex = re.fullmatch(r"[0-9a-fA-F]{2}", digits) is not None
        return 4, "" if is_hex else r"\x needs two hexadecimal digits"
    if char.isdigit():
        return 2, f"RE2 has no backreference (\\{char})"
    is_known = char in _ESCAPES or (char.isascii() and not char.isalnum() and char != "_")
    return 2, "" if char and is_known else f"RE2 has no escape \\{char}"


def _class(pattern: str, at: int) -> tuple[int, str]:
    end = at + 1 + (pattern[at + 1 : at + 2] == "^")
    start, end = end, end + (pattern[end : end + 1] == "]")
    while end < len(pattern) and pattern[end] != "]":
        if pattern[end] == "\\":
            if pattern[end + 1 : end + 2] in {"b", "B", "A"}:
                return 1, f"\\{pattern[end + 1]} means something else inside a class"
            size, why = _escape(pattern, end)
            if why:
                return 1, why
            end += size
            continue
        end += 1
    if end >= len(pattern):
        return 1, "a class [ is not closed"
    inside = pattern[start:end]
    surprise = next((each for each in _CLASS_SURPRISES if each in inside.replace("\\[", "")), "")
    return end + 1 - at, f"{surprise} inside a class is read in two ways; escape it" if surprise else ""


def _group(pattern: str, at: int) -> tuple[int, str]:
    if pattern[at + 1 : at + 2] != "?":
        return 1, ""
    found = _GROUPS.match(pattern, at)
    if found is None:
        return 1, f"RE2 has no {pattern[at : at + 4]}: neither lookaround nor conditions"
    if found[0].endswith(")") and at:
        return 1, "flags stand at the beginning only"
    return len(found[0]), ""


def _repetition(pattern: str, at: int, after_repeat: bool) -> tuple[int, str]:
    size = 1
    if pattern[at] == "{":
        found = _REPEAT.match(pattern, at)
        if found is None:
            return 1, ""
        if found[1] == "":
            return 1, "a repetition needs its lower bound; escape a brace that is none"
        size = len(found[0])
        if any(int(bound) > MOST_REPEATS for bound in found.groups() if bound):
            return size, f"RE2 repeats at most {MOST_REPEATS} times"
    return size, "a repetition of a repetition" if after_repeat else ""
