"""The shape that the editors rely on; everything else about an object is the API server's question."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.mesh.documents import canonical

COMPARED = ("uri", "method", "authority")
COMPARED_BY_NAME = ("headers", "queryParams")


def trouble(kind: str, document: Mapping[str, Any]) -> str:
    """Why a VirtualService or DestinationRule cannot be read, such as `has no spec`; empty when it can."""
    if kind not in {"VirtualService", "DestinationRule"}:
        return ""
    try:
        canonical(document)
    except TypeError:
        return "holds values that JSON does not know"
    return next(_troubles(kind, document), "")


def _troubles(kind: str, document: Mapping[str, Any]) -> Iterator[str]:
    metadata, spec = document.get("metadata"), document.get("spec")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str) or not metadata["name"]:
        yield "has no metadata.name"
    elif not isinstance(metadata.get("namespace", "default"), str) or not metadata.get("namespace", "default"):
        yield "has no text in metadata.namespace"
    else:
        yield from _objects(metadata, "metadata", "annotations")
        yield from _list(metadata, "metadata.ownerReferences")
    if not isinstance(spec, dict):
        yield "has no spec"
    elif kind == "DestinationRule":
        yield from _subsets(spec)
    else:
        for protocol in ("http", "tcp", "tls"):
            yield from _routes(spec, f"spec.{protocol}")


def _subsets(spec: Mapping[str, Any]) -> Iterator[str]:
    yield from _list(spec, "spec.subsets")
    for n, subset in enumerate(spec.get("subsets") or []):
        yield from _objects(subset, f"spec.subsets[{n}]", "labels")
        if not isinstance(subset.get("name"), str) or not subset["name"]:
            yield f"has no text in spec.subsets[{n}].name"


def _routes(spec: Mapping[str, Any], path: str) -> Iterator[str]:
    yield from _list(spec, path)
    for n, route in enumerate(spec.get(path.rpartition(".")[2]) or []):
        here = f"{path}[{n}]"
        yield from _objects(route, here, "delegate", "mirror", "mirrorPercentage")
        yield from _list(route, f"{here}.route")
        for m, destination in enumerate(route.get("route") or []):
            yield from _objects(destination, f"{here}.route[{m}]", "destination")
        yield from _list(route, f"{here}.match")
        for m, block in enumerate(route.get("match") or []):
            yield from _objects(block, f"{here}.match[{m}]", *COMPARED, *COMPARED_BY_NAME, "sourceLabels")
            for field in COMPARED_BY_NAME:
                yield from _objects(block.get(field) or {}, f"{here}.match[{m}].{field}", *(block.get(field) or {}))


def _list(holder: Mapping[str, Any], path: str) -> Iterator[str]:
    found = holder.get(path.rpartition(".")[2])
    if found is not None and not (isinstance(found, list) and all(isinstance(each, dict) for each in found)):
        yield f"has no list of objects in {path}"


def _objects(holder: Mapping[str, Any], path: str, *fields: str) -> Iterator[str]:
    for field in fields:
        if not isinstance(holder.get(field) or {}, dict):
            yield f"has no object in {path}.{field}"
