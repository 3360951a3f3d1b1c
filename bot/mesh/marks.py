"""The annotations that say which release wrote an object, and at which revision."""

from collections.abc import Collection, Mapping
from typing import Any

from bot.mesh.documents import Document

RELEASE = "sluice/release"
REVISION = "sluice/revision"


def marks(document: Mapping[str, Any]) -> dict[str, int]:
    """Revision by release id. Several routes of one object may belong to several releases: `a-1,b-2` and `3,7`."""
    annotations = (document.get("metadata") or {}).get("annotations") or {}
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


def mark(document: Document, release: str, revision: int, active: Collection[str] = ()) -> None:
    """Set the mark of a release; it takes the place of an earlier one of the same service that is not `active`.

    A promoted release leaves its mark behind: it fences stalled writers while the baseline is kept warm.
    """
    service = _service(release)
    kept = {each: number for each, number in marks(document).items() if each in active or _service(each) != service}
    _write(document, kept | {release: revision})


def unmark(document: Document, release: str) -> None:
    """Take the mark of a release back, and the annotations with it when they were ours alone."""
    present = marks(document)
    if present.pop(release, None) is not None:
        _write(document, present)


def _service(release: str) -> str:
    return release.rpartition("-")[0]


def _write(document: Document, wanted: Mapping[str, int]) -> None:
    metadata = document.setdefault("metadata", {})
    annotations = dict(metadata.get("annotations") or {})
    ordered = dict(sorted(wanted.items()))
    if ordered:
        annotations[RELEASE] = ",".join(ordered)
        annotations[REVISION] = ",".join(str(revision) for revision in ordered.values())
    else:
        annotations.pop(RELEASE, None)
        annotations.pop(REVISION, None)
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)
