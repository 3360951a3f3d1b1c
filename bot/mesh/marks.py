"""The annotations that say which release wrote which routes of an object, and at which revision."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bot.mesh.documents import Document, annotate, annotations_of
from strategies.routing import Route

RELEASE = "sluice/release"
REVISION = "sluice/revision"
ROUTES = "sluice/routes"


def marks(document: Mapping[str, Any]) -> dict[str, int]:
    """Revision by release id. Several routes of one object may belong to several releases: `a-1,b-2` and `3,7`."""
    annotations = annotations_of(document)
    releases = str(annotations.get(RELEASE) or "").split(",")
    revisions = str(annotations.get(REVISION) or "").split(",")
    found = {}
    for release, revision in zip(releases, revisions, strict=False):
        if release and revision.isdecimal():
            found[release] = int(revision)
    return found


def is_marked(document: Mapping[str, Any]) -> bool:
    """True when one of our releases wrote the object and did not take the mark back."""
    return bool(marks(document))


def mark(document: Document, release: str, revision: int, routes: Iterable[Route]) -> None:
    """Set the mark of a release on its routes; earlier ones of the same service give way on the same routes alone.

    A promoted release leaves its mark behind: it fences stalled writers while the baseline is kept warm. One that is
    under way on other routes of the object keeps its own.
    """
    service, own = _service(release), sorted({f"{route.protocol}/{route.name}" for route in routes})
    known = _routes(document)
    kept = {
        each: number
        for each, number in marks(document).items()
        if _service(each) != service or not set(own) & set(known.get(each, own))
    }
    _write(document, kept | {release: revision}, known | {release: own})


def unmark(document: Document, release: str) -> None:
    """Take the mark of a release back, and the annotations with it when they were ours alone."""
    present = marks(document)
    if present.pop(release, None) is not None:
        _write(document, present, _routes(document))


def _service(release: str) -> str:
    return release.rpartition("-")[0]


def _routes(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Routes by release; a release without a record was written by an earlier version, or its record is damaged."""
    try:
        found = json.loads(annotations_of(document).get(ROUTES) or "{}")
    except (ValueError, TypeError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(release): list(map(str, names)) for release, names in found.items() if isinstance(names, list)}


def _write(document: Document, wanted: Mapping[str, int], routes: Mapping[str, list[str]]) -> None:
    ordered = dict(sorted(wanted.items()))
    noted = {release: routes[release] for release in ordered if release in routes}
    texts = {
        RELEASE: ",".join(ordered),
        REVISION: ",".join(str(revision) for revision in ordered.values()),
        ROUTES: json.dumps(noted, separators=(",", ":")),
    }
    for name, text in texts.items():
        annotate(document, name, text if ordered else None)
