"""What a VirtualService sends where, read anew and without the bot's own readers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Document = dict[str, Any]
MATCHED = 0.2  # of the requests of the simulated callers have what a match names


def main(document: Document) -> Document | None:
    """The route that releases move."""
    return next((each for each in document["spec"].get("http") or [] if each.get("name") == "main"), None)


def inserted(document: Document) -> list[Document]:
    """The routes that the bot put before it."""
    found = document["spec"].get("http") or []
    return [each for each in found if str(each.get("name", "")).startswith("sluice-")]


def weights(route: Document) -> dict[str, float]:
    """Percent by subset; a lone destination has everything."""
    entries = route.get("route") or []
    if len(entries) == 1:
        return {entries[0]["destination"].get("subset", ""): 100.0}
    found: dict[str, float] = {}
    for each in entries:
        subset = each["destination"].get("subset", "")
        found[subset] = found.get(subset, 0) + each.get("weight", 0)
    return found


def share(document: Document, version: str) -> float:
    """The version's percent in the route that releases move."""
    route = main(document)
    return weights(route).get(version, 0.0) if route else 0.0


def mirrored(route: Document) -> dict[str, float]:
    """Percent of copies by subset."""
    found = {each["destination"].get("subset", ""): _value(each) for each in route.get("mirrors") or []}
    if "mirror" in route:
        found[route["mirror"].get("subset", "")] = route.get("mirrorPercentage", {}).get("value", 100)
    return found


def reach(document: Document, version: str) -> tuple[float, float, float]:
    """What gets to a version: by weight, inside matches at most, as copies."""
    route = main(document)
    if route is None:
        return 0.0, 0.0, 0.0
    matched = max((weights(each).get(version, 0.0) for each in inserted(document)), default=0.0)
    return weights(route).get(version, 0.0), matched, mirrored(route).get(version, 0.0)


def split(document: Document) -> Iterator[tuple[str, float, bool]]:
    """(subset, part of all requests, whether they are copies)."""
    left = 1.0
    for each in [*inserted(document), *filter(None, [main(document)])]:
        part = left * MATCHED if each is not main(document) else left
        left -= part
        yield from ((subset, part * percent / 100, False) for subset, percent in weights(each).items())
        yield from ((subset, part * percent / 100, True) for subset, percent in mirrored(each).items())


def foreign(plural: str, document: Document) -> Document:
    """The object without what a release may change and without what the server counts."""
    rest: Document = copy.deepcopy({key: document[key] for key in ("metadata", "spec")})
    for name in ("resourceVersion", "generation", "managedFields"):
        rest["metadata"].pop(name, None)
    notes = rest["metadata"].pop("annotations", None) or {}
    rest["metadata"]["annotations"] = {key: value for key, value in notes.items() if "sluice/" not in key}
    spec = rest["spec"]
    match plural:
        case "virtualservices":
            kept = [each for each in spec.get("http") or [] if not str(each.get("name", "")).startswith("sluice-")]
            spec["http"] = [_without_ours(each) if each.get("name") == "main" else each for each in kept]
        case "destinationrules":
            spec["subsets"] = [each for each in spec.get("subsets") or [] if each != _subset(each["name"])]
        case _:
            spec.pop("replicas", None)
    return rest


def _without_ours(route: Document) -> Document:
    kept = {key: value for key, value in route.items() if key not in {"mirror", "mirrorPercentage", "mirrors"}}
    kept["route"] = [each for each in route["route"] if each["destination"].get("subset") not in {"v1", "v2"}]
    return kept


def _subset(name: str) -> Document:
    return {"name": name, "labels": {"version": name}}


def _value(mirror: Document) -> float:
    found = (mirror.get("percentage") or {}).get("value", 100)
    return float(found)
