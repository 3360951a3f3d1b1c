"""Istio's match blocks read from documents."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.sandbox.cluster.client import Document
from bot.sandbox.mesh.routing import Compare, Condition, Match, Part, Text

MESH = "mesh"  # Istio's word for all sidecars
PSEUDO_HEADERS = {"method": ":method", "authority": ":authority", "scheme": ":scheme"}


@dataclass(frozen=True)
class Caller:
    """Whose proxy reads the routes: its `sourceLabels` and `sourceNamespace`, and whether it is an ingress gateway."""

    namespace: str
    labels: tuple[tuple[str, str], ...]
    is_gateway: bool = False

    def is_among(self, gateways: Sequence[str]) -> bool:
        """Whether what names these gateways is meant for it. Every gateway but the mesh itself is the one there is."""
        if self.is_gateway:
            return any(name != MESH for name in gateways)
        return not gateways or MESH in gateways


def read_matches(route: Document, caller: Caller) -> tuple[Match, ...]:
    """The alternatives of a route; none at all when every one is meant for other callers."""
    blocks = route.get("match")
    if not blocks:
        return (Match(),)
    return tuple(_match(block) for block in blocks if _is_for(block, caller))


def _is_for(block: Document, caller: Caller) -> bool:
    gateways = block.get("gateways")
    if gateways and not caller.is_among(gateways):
        return False
    if block.get("sourceNamespace", caller.namespace) != caller.namespace:
        return False
    return set(block.get("sourceLabels", {}).items()) <= set(caller.labels)


def _match(block: Document) -> Match:
    conditions = [
        Condition(Part.HEADER, name, _text(block[field])) for field, name in PSEUDO_HEADERS.items() if field in block
    ]
    for field, inverted in (("headers", False), ("withoutHeaders", True)):
        for name, text in block.get(field, {}).items():
            conditions.append(Condition(Part.HEADER, name.lower(), _text(text), inverted))
    for name, text in block.get("queryParams", {}).items():
        conditions.append(Condition(Part.QUERY, name, _text(text)))
    path = _text(block["uri"]) if block.get("uri") else Match.path
    return Match(path, bool(block.get("ignoreUriCase", False)), tuple(conditions))


def _text(text: Document | None) -> Text:
    """An empty comparison asks only that the thing is there."""
    for compare in (Compare.EXACT, Compare.PREFIX, Compare.REGEX):
        if text and text.get(compare.value):
            return Text(compare, text[compare.value])
    return Text(Compare.PRESENT)
