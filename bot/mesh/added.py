"""The annotation that says what we wrote beside the weights, so that exactly this goes again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from bot.mesh.documents import Document, annotate, annotations_of
from strategies.routing import Match, Mirror, Sticky

ADDED = "sluice/added"


@dataclass(frozen=True, slots=True)
class Added:
    """What stands beside the weights of one route."""

    matches: tuple[Match, ...] = ()
    mirror: Mirror | None = None
    sticky: Sticky | None = None


NOTHING = Added()


def added(document: Mapping[str, Any], route: str) -> dict[str, Added]:
    """What each release noted of one route; an unreadable note is somebody else's edit and says nothing."""
    found = {}
    for release, routes in record(document).items():
        written = routes.get(route) if isinstance(routes, dict) else None
        try:
            if written:
                found[release] = _read(written)
        except (ValueError, TypeError, KeyError, AttributeError, InvalidOperation):
            continue
    return found


def record(document: Mapping[str, Any]) -> dict[str, Any]:
    """The whole annotation, empty when it is absent or unreadable."""
    text = annotations_of(document).get(ADDED)
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def note(document: Document, release: str, route: str, present: Added) -> None:
    """Make the record say this of the route; nothing leaves no trace."""
    known = record(document)
    noted = known.get(release)
    own = {name: each for name, each in noted.items() if name != route} if isinstance(noted, dict) else {}
    if present != NOTHING:
        own[route] = _plain(present)
    others = {name: routes for name, routes in known.items() if name != release}
    _write(document, others | ({release: own} if own else {}))


def forget(document: Document, release: str) -> None:
    """Take everything out of the record that the release noted."""
    if ADDED in annotations_of(document):
        _write(document, {name: routes for name, routes in record(document).items() if name != release})


def _read(written: Mapping[str, Any]) -> Added:
    mirror, sticky = written.get("mirror"), written.get("sticky")
    return Added(
        tuple(_match(each) for each in written.get("matches", [])),
        Mirror(mirror["to"], Decimal(mirror["percent"])) if mirror else None,
        Sticky(int(sticky["generation"]), Decimal(sticky["rise"])) if sticky else None,
    )


def _match(written: Mapping[str, str]) -> Match:
    return Match(
        on=written["on"],
        to=written["to"],
        exact=written.get("exact"),
        prefix=written.get("prefix"),
        regex=written.get("regex"),
        share=Decimal(written.get("share", "100")),
    )


def _plain(present: Added) -> dict[str, object]:
    plain: dict[str, object] = {}
    if present.matches:
        plain["matches"] = [_plain_match(match) for match in present.matches]
    if present.mirror is not None:
        plain["mirror"] = {"to": present.mirror.to, "percent": str(present.mirror.percent)}
    if present.sticky is not None:
        plain["sticky"] = {"generation": present.sticky.generation, "rise": str(present.sticky.rise)}
    return plain


def _plain_match(match: Match) -> dict[str, str]:
    operators = {"exact": match.exact, "prefix": match.prefix, "regex": match.regex}
    given = {name: value for name, value in operators.items() if value is not None}
    return {"on": match.on, **given, "to": match.to, "share": str(match.share)}


def _write(document: Document, wanted: Mapping[str, Any]) -> None:
    annotate(document, ADDED, json.dumps(wanted, separators=(",", ":"), sort_keys=True) if wanted else None)
