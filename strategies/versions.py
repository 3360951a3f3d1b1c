"""Versions in their natural order, for telling whether a needed one has been reached.

Comparable are numbers with dots, with or without a `v` or another word in front (`v3`, `2.14.0`, `release-7`), and with
an ending as semantic versioning has it (`3.0.0-rc.1` comes before `3.0.0`). A missing number counts as 0, so `v3` and
`v3.0` are one version. Two versions of different words, and names without an order (`blue`, a commit's hash), are not
comparable, and nobody guesses.
"""

import re
from itertools import zip_longest

_VERSION = re.compile(r"(?P<word>[a-z]+[-_.]?)??v?(?P<numbers>\d+(?:\.\d+)*)(?:-(?P<ending>[0-9a-z.-]+))?", re.ASCII)
_HASH = re.compile(r"(?=.*[a-f])(?=.*\d)[0-9a-f]{7,64}", re.ASCII)

Identifier = tuple[int, int, str]


def compare(one: str, other: str) -> int | None:
    """-1, 0 or 1 as `one` is before, equal to or behind `other`; None when they have no order."""
    if one == other:
        return 0
    left, right = _parsed(one), _parsed(other)
    if left is None or right is None or left[0] != right[0]:
        return None
    for a, b in zip_longest(left[1], right[1], fillvalue=0):
        if a != b:
            return -1 if a < b else 1
    return _by_ending(left[2], right[2])


def _parsed(text: str) -> tuple[str, tuple[int, ...], tuple[Identifier, ...]] | None:
    lower = text.lower()
    found = None if _HASH.fullmatch(lower) else _VERSION.fullmatch(lower)
    if found is None:
        return None
    word = (found["word"] or "").rstrip("-_.")
    endings = tuple(_identifier(each) for each in re.split(r"[.-]", found["ending"] or "") if each)
    return "" if word == "v" else word, tuple(int(each) for each in found["numbers"].split(".")), endings


def _identifier(text: str) -> Identifier:
    # Numbers come before words, as semantic versioning says.
    return (0, int(text), "") if text.isdigit() else (1, 0, text)


def _by_ending(one: tuple[Identifier, ...], other: tuple[Identifier, ...]) -> int:
    if one == other:
        return 0
    if not one or not other:
        return 1 if not one else -1
    return -1 if one < other else 1
