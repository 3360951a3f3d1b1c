"""Sizes that Sluice set for a release, and how they become again what they were."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.mesh.documents import Document, annotate, annotations_of, canonical

# On a Deployment or HorizontalPodAutoscaler whose size we set: by whom, what stood there (null: nothing), what we set.
HELD = "sluice/held"
REPLICAS, LEAST = "replicas", "minReplicas"


@dataclass(frozen=True, slots=True)
class Held:
    """One size of ours."""

    release: str
    was: int | None
    now: int


def held(document: Mapping[str, Any]) -> Held | None:
    """What we noted on the object; an unreadable note is somebody else's edit and says nothing."""
    text = annotations_of(document).get(HELD)
    try:
        noted = json.loads(text) if text else {}
        return Held(str(noted["release"]), noted["was"], int(noted["now"])) if noted else None
    except (ValueError, TypeError, KeyError):
        return None


def hold(document: Document, field: str, size: int, release: str) -> Document | None:
    """A copy whose `field` is at least `size`, with a note of what stood there; None when it is large enough."""
    present = document["spec"].get(field)
    if (1 if present is None else present) >= size:
        return None
    edited = copy.deepcopy(document)
    known = held(document)
    was = known.was if known is not None and known.now == present else present
    edited["spec"][field] = size
    note = {"release": release, "was": was, "now": size}
    annotate(edited, HELD, canonical(note))
    return edited


def free(document: Document, field: str, release: str, *, restores: bool) -> Document | None:
    """A copy without our note, and with what stood there before where nobody edited it since; None without a note."""
    known = held(document)
    if known is None or known.release != release:
        return None
    edited = copy.deepcopy(document)
    annotate(edited, HELD, None)
    if restores and document["spec"].get(field) == known.now:
        if known.was is None:
            del edited["spec"][field]
        else:
            edited["spec"][field] = known.was
    return edited
