"""Istio's match blocks: ours, and what is left of a route's own when ours is asked on top."""

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.mesh.documents import Document
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Match

Text = Mapping[str, Any]
_MAPS = {"header": "headers", "cookie": "headers", "query": "queryParams", "source_label": "sourceLabels"}


def product(own: Sequence[Document] | None, ours: Sequence[Match]) -> list[Document] | Refused:
    """The requests that a route with the blocks `own` takes and one of `ours` names; never more than either.

    Refused with BAD_INPUT when there are none, and when two conditions on one thing cannot be held together.
    """
    found: list[Document] = []
    for block in own or [{}]:
        for match in ours:
            narrowed = _narrowed(block, match)
            if isinstance(narrowed, Refused):
                return narrowed
            if narrowed is not None and narrowed not in found:
                found.append(narrowed)
    if not found:
        listed = ", ".join(str(match) for match in ours)
        return Refused(
            ReasonCode.BAD_INPUT, f"The route never takes requests of {listed}: its own match excludes them."
        )
    return found


def _narrowed(block: Document, match: Match) -> Document | Refused | None:
    """A copy of the block that asks for the match too; None when no request fits both."""
    narrowed = copy.deepcopy(block)
    field = _MAPS.get(match.part, match.part)
    holder, key = narrowed, field
    if match.part in _MAPS:
        holder = narrowed[field] = dict(narrowed.get(field) or {})
        key = _key(holder, match)
    present = holder.get(key)
    if match.part == "uri" and narrowed.pop("ignoreUriCase", False) and present:
        return _unclear(match, "its uri in any case")
    both = _label(present, match) if match.part == "source_label" else _both(present, _text(match), match)
    if both is None or isinstance(both, Refused):
        return both
    holder[key] = both
    return narrowed


def _key(holder: Mapping[str, Any], match: Match) -> str:
    if match.part == "cookie":
        return next((each for each in holder if each.lower() == "cookie"), "cookie")
    if match.part == "header":
        return next((each for each in holder if each.lower() == match.name), match.name)
    return match.name


def _text(match: Match) -> dict[str, str]:
    """The comparison as Istio writes it; one cookie is a pattern over the whole header."""
    if match.part == "cookie":
        return {"regex": f"^(.*;\\s*)?{re.escape(match.name)}={_cookie_value(match)}(;.*)?$"}
    if match.exact is not None:
        return {"exact": match.exact}
    return {"prefix": match.prefix} if match.prefix is not None else {"regex": match.regex or ""}


def _cookie_value(match: Match) -> str:
    if match.exact is not None:
        return re.escape(match.exact)
    return f"{re.escape(match.prefix)}[^;]*" if match.prefix is not None else f"({match.regex})"


def _label(present: object, match: Match) -> str | None:
    return match.exact if present in {None, match.exact} else None


def _both(present: Text | None, ours: Text, match: Match) -> Text | Refused | None:
    """One comparison that asks for both; None when they exclude each other."""
    if not present or present == ours:
        # An empty comparison asks only that the thing is there, which ours does too.
        return ours
    (own_kind, own), (kind, text) = next(iter(present.items())), next(iter(ours.items()))
    if match.part == "uri" and (own_kind, own) == ("prefix", "/"):
        return ours
    match own_kind, kind:
        case "exact", "exact":
            return None
        case "exact", "prefix":
            return present if own.startswith(text) else None
        case "prefix", "exact":
            return ours if text.startswith(own) else None
        case "prefix", "prefix":
            longer, shorter = (ours, own) if len(text) > len(own) else (present, text)
            return longer if next(iter(longer.values())).startswith(shorter) else None
        case _:
            return _unclear(match, f"{match.on} by {own_kind} {own!r}")


def _unclear(match: Match, by: str) -> Refused:
    text = (
        f"The route itself matches on {by}; what it shares with {match} cannot be written as one match. Name another."
    )
    return Refused(ReasonCode.BAD_INPUT, text)
