"""The decisions of a proxy in Python: which route takes a request, and where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

import re2

from bot.sandbox.mesh.routing import (
    Compare,
    Condition,
    HeaderEdits,
    Match,
    MeshState,
    Part,
    Rewrite,
    Route,
    Share,
    Text,
    VirtualHost,
)


@dataclass(frozen=True)
class Asked:
    """A request as routes see it; header names are in lower case, with the pseudo-headers among them."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


def find_host(state: MeshState, authority: str) -> VirtualHost | None:
    """The virtual host of an authority."""
    wanted = authority.lower()
    return next((one for one in state.hosts if wanted in one.domains), None)


def find_route(host: VirtualHost, asked: Asked) -> Route | None:
    """The first route that takes the request."""
    return next((one for one in host.routes if holds(one.match, asked)), None)


def holds(match: Match, asked: Asked) -> bool:
    """Whether all of a match agrees."""
    return path_agrees(match, asked.path) and all(_condition(one, asked) for one in match.conditions)


def path_agrees(match: Match, path: str) -> bool:
    """Whether the path agrees; case is ignored for all but regular expressions, as Istio has it."""
    text = match.path
    if match.ignores_case and text.compare is not Compare.REGEX:
        return agrees(Text(text.compare, text.value.lower()), path.lower())
    return agrees(text, path)


def agrees(text: Text, value: str | None) -> bool:
    """Whether a value that may be absent agrees."""
    if value is None:
        return False
    match text.compare:
        case Compare.EXACT:
            return value == text.value
        case Compare.PREFIX:
            return value.startswith(text.value)
        case Compare.REGEX:
            return re2.fullmatch(text.value, value) is not None
        case Compare.PRESENT:
            return True
        case _:
            assert_never(text.compare)


def choose(shares: tuple[Share, ...], luck: float) -> Share | None:
    """The destination for a number in [0, 1); a single one takes everything, none of weight 0 takes anything."""
    if len(shares) == 1:
        return shares[0]
    mark = luck * sum(one.weight for one in shares)
    for one in shares:
        if mark < one.weight:
            return one
        mark -= one.weight
    return None


def rewritten(rewrite: Rewrite, match: Match, path: str) -> str:
    """The path for the upstream."""
    if rewrite.pattern:
        pattern, substitution = rewrite.pattern
        result: str = re2.sub(pattern, substitution, path)
        return result
    if rewrite.path is None:
        return path
    if match.path.compare is Compare.PREFIX:
        return rewrite.path + path[len(match.path.value) :]
    return rewrite.path


def edited(headers: Mapping[str, str], *edits: HeaderEdits) -> dict[str, str]:
    """Headers after the edits, in their order."""
    result = dict(headers)
    for one in edits:
        for key, value in one.set:
            _drop(result, key)
            result[key] = value
        for key, value in one.add:
            before = next((result[name] for name in result if name.lower() == key.lower()), None)
            _drop(result, key)
            result[key] = value if before is None else f"{before},{value}"
        for key in one.remove:
            _drop(result, key)
    return result


def _drop(headers: dict[str, str], key: str) -> None:
    for name in [name for name in headers if name.lower() == key.lower()]:
        del headers[name]


def _condition(condition: Condition, asked: Asked) -> bool:
    source = asked.headers if condition.part is Part.HEADER else asked.query
    return agrees(condition.text, source.get(condition.name)) != condition.inverted
