"""The published OpenAPI schemas as a tree of nodes, read once."""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

REFERENCE = "#/components/schemas/"


class Node:
    """One place of a schema; children are resolved when first asked for."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        self.type: str | None = raw.get("type")
        self.nullable: bool = raw.get("nullable", False)
        self.int_or_string = bool(raw.get("x-kubernetes-int-or-string")) or raw.get("format") == "int-or-string"
        self.list_type: str = raw.get("x-kubernetes-list-type", "atomic")
        self.list_keys: tuple[str, ...] = tuple(raw.get("x-kubernetes-list-map-keys", ()))
        self.merge_key: str | None = raw.get("x-kubernetes-patch-merge-key")
        self.strategies: frozenset[str] = frozenset(raw.get("x-kubernetes-patch-strategy", "").split(","))
        self.atomic_map = raw.get("x-kubernetes-map-type") == "atomic"

    @functools.cached_property
    def properties(self) -> dict[str, Node]:
        """The named fields of an object."""
        return {name: node(raw) for name, raw in self.raw.get("properties", {}).items()}

    @functools.cached_property
    def values(self) -> Node | None:
        """The schema of a free map's values."""
        raw = self.raw.get("additionalProperties")
        return node(raw) if isinstance(raw, dict) else None

    @functools.cached_property
    def items(self) -> Node | None:
        """The schema of a list's elements."""
        raw = self.raw.get("items")
        return node(raw) if raw is not None else None

    @property
    def open(self) -> bool:
        """Fields nobody declared are kept here."""
        if self.raw.get("x-kubernetes-preserve-unknown-fields"):
            return True
        return self.type == "object" and not self.raw.get("properties") and self.values is None

    def child(self, key: str) -> Node | None:
        """The node below a map's key."""
        return self.properties.get(key) or self.values

    def key_of(self, element: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
        """What tells a keyed list's element from the others; absent keys take their declared default."""
        found = []
        for key in sorted(self.list_keys):
            declared = self.items.properties.get(key) if self.items else None
            default = declared.raw.get("default") if declared else None
            value = element.get(key, default)
            if value is not None:
                found.append((key, value))
        return tuple(found)


ANY = Node({"x-kubernetes-preserve-unknown-fields": True})


@functools.cache
def components() -> dict[str, dict[str, Any]]:
    """All schemas by name, as they were published."""
    text = resources.files(__package__).joinpath("schemas.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, Any]] = json.loads(text)
    return loaded


@functools.cache
def component(name: str) -> Node:
    """The schema of this name; each exists once."""
    return Node(components()[name])


def node(raw: dict[str, Any]) -> Node:
    """The node of a schema, its reference followed and overlaid with what stands beside it."""
    branches = raw.get("allOf", [])
    reference = raw.get("$ref") or (branches[0].get("$ref") if len(branches) == 1 else None)
    if reference is None:
        return Node(raw)
    target = component(reference.removeprefix(REFERENCE))
    beside = {key: value for key, value in raw.items() if key not in ("allOf", "$ref", "default")}
    return Node({**target.raw, **beside}) if beside else target
