"""Who owns which field: managedFields, and server-side apply over them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.sandbox.kubernetes.schemas import Node

Path = tuple[str, ...]
Fields = frozenset[Path]

# The server's own fields have no owner.
UNOWNED: frozenset[Path] = frozenset(
    {
        ("f:apiVersion",),
        ("f:kind",),
        ("f:metadata",),
        *(
            ("f:metadata", f"f:{name}")
            for name in (
                "name",
                "namespace",
                "creationTimestamp",
                "selfLink",
                "uid",
                "resourceVersion",
                "generation",
                "managedFields",
                "deletionTimestamp",
                "deletionGracePeriodSeconds",
            )
        ),
    }
)


@dataclass(frozen=True)
class Owner:
    """One entry of managedFields."""

    manager: str
    operation: str
    api_version: str
    fields: Fields
    time: str = ""
    subresource: str = ""

    def same_writer(self, other: Owner) -> bool:
        """Whether the two entries are one writer's, whatever it owns."""
        return (self.manager, self.operation, self.subresource) == (
            other.manager,
            other.operation,
            other.subresource,
        ) and (self.operation == "Apply" or self.api_version == other.api_version)

    def title(self) -> str:
        """The writer as conflict messages name it."""
        named = json.dumps(self.manager)
        if self.subresource:
            named += f" with subresource {json.dumps(self.subresource)}"
        if self.operation == "Update":
            named += f" using {self.api_version}"
        return named

    def document(self) -> dict[str, Any]:
        """The entry as the wire carries it."""
        entry = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(self.fields),
        }
        entry |= {"time": self.time} if self.time else {}
        return {**entry, "subresource": self.subresource} if self.subresource else entry


def owners_of(document: dict[str, Any]) -> list[Owner]:
    """The entries of an object's managedFields."""
    return [
        Owner(
            each.get("manager", ""),
            each.get("operation", "Update"),
            each.get("apiVersion", ""),
            frozenset(_paths(each.get("fieldsV1") or {})),
            each.get("time", ""),
            each.get("subresource", ""),
        )
        for each in document["metadata"].get("managedFields") or ()
    ]


def with_owners(document: dict[str, Any], owners: Iterable[Owner]) -> dict[str, Any]:
    """The object with these entries, the empty ones left out, in the order the server gives them."""
    kept = [each for each in owners if each.fields]
    kept.sort(key=lambda each: (each.operation, each.time, each.manager, each.api_version, each.subresource))
    metadata = {key: value for key, value in document["metadata"].items() if key != "managedFields"}
    if kept:
        metadata["managedFields"] = [each.document() for each in kept]
    return {**document, "metadata": metadata}


def _tree(fields: Fields) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path in sorted(fields):
        here = tree
        for element in path:
            here = here.setdefault(element, {})
        here["."] = {}
    return _tidied(tree)


def _tidied(tree: dict[str, Any]) -> dict[str, Any]:
    """A leaf says itself by being empty; only an owned parent carries the dot."""
    return {key: {} if not inner or set(inner) == {"."} else _tidied(inner) for key, inner in tree.items()}


def _paths(tree: dict[str, Any], path: Path = ()) -> Iterator[Path]:
    for key, inner in tree.items():
        if key == ".":
            yield path
        elif not inner:
            yield (*path, key)
        else:
            yield from _paths(inner, (*path, key))


def _keyed(node: Node | None) -> bool:
    return node is not None and node.list_type in ("map", "set")


def _element(node: Node, value: Any) -> str:
    if node.list_type == "set":
        return "v:" + json.dumps(value, separators=(",", ":"))
    return "k:" + json.dumps(dict(node.key_of(value)), separators=(",", ":"))


def _granular(node: Node | None, value: Any) -> bool:
    """Whether ownership goes below this value."""
    if node is None or not value:
        return False
    if isinstance(value, dict):
        return not node.atomic_map
    return isinstance(value, list) and _keyed(node)


def _below(node: Node | None, value: Any) -> Iterator[tuple[str, Node | None, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            # An undeclared field of an open object is owned part by part, like a declared one.
            yield f"f:{key}", (node.child(key) or (node if node.open else None)) if node else None, inner
    elif node is not None:
        for inner in value:
            yield _element(node, inner), node.items, inner


def applied_fields(node: Node, document: dict[str, Any]) -> Fields:
    """What an apply of this document owns: its leaves, and each entry of maps and keyed lists."""
    return frozenset(_applied(node, document, ())) - UNOWNED


def _applied(node: Node | None, value: Any, path: Path) -> Iterator[Path]:
    if not _granular(node, value):
        yield path
        return
    for element, below, inner in _below(node, value):
        where = (*path, element)
        if element.startswith("k:"):
            yield where
        yield from _applied(below, inner, where)


@dataclass(frozen=True)
class Difference:
    """Paths that one document has and the other has not, or has otherwise."""

    written: Fields
    removed: Fields


def difference(node: Node, before: dict[str, Any], after: dict[str, Any]) -> Difference:
    """What a write changed, by the paths that ownership knows."""
    written: set[Path] = set()
    removed: set[Path] = set()
    _compare(node, before, after, (), written, removed)
    return Difference(frozenset(written) - UNOWNED, frozenset(removed) - UNOWNED)


def _compare(node: Node | None, before: Any, after: Any, path: Path, written: set[Path], removed: set[Path]) -> None:
    if before == after and type(before) is type(after):
        return
    deep_before, deep_after = _granular(node, before), _granular(node, after)
    if not deep_before and not deep_after:
        written.add(path)
        return
    old = {key: (below, inner) for key, below, inner in _below(node, before)} if deep_before else {}
    new = {key: (below, inner) for key, below, inner in _below(node, after)} if deep_after else {}
    for key, (below, inner) in new.items():
        if key in old:
            _compare(below, old[key][1], inner, (*path, key), written, removed)
        else:
            written.update(_whole(below, inner, (*path, key)))
    for key, (below, inner) in old.items():
        if key not in new:
            removed.update(_whole(below, inner, (*path, key)))


def _whole(node: Node | None, value: Any, path: Path) -> Iterator[Path]:
    yield path
    if _granular(node, value):
        for element, below, inner in _below(node, value):
            yield from _whole(below, inner, (*path, element))


def updated(owners: list[Owner], change: Difference, writer: Owner) -> list[Owner]:
    """Ownership after a plain write: what changed is the writer's now and nobody else's."""
    if not change.written and not change.removed:
        return owners
    result = []
    own = change.written
    for each in owners:
        if each.same_writer(writer):
            own |= each.fields - change.removed
        else:
            result.append(replace(each, fields=each.fields - change.written - change.removed))
    return [*result, replace(writer, fields=own)]


def conflicts(owners: list[Owner], change: Difference, writer: Owner) -> list[tuple[Owner, Path]]:
    """Fields that an apply would take from others."""
    return [
        (each, path) for each in owners if not each.same_writer(writer) for path in sorted(each.fields & change.written)
    ]


def merged(node: Node | None, live: Any, applied: Any) -> Any:
    """The live value with the applied one laid over it, by the schema's list and map types."""
    if type(live) is not type(applied) or not isinstance(applied, dict | list):
        return applied
    if node is None or node.atomic_map or (isinstance(applied, list) and not _keyed(node)):
        return applied
    if isinstance(applied, dict):
        result = dict(live)
        for key, inner in applied.items():
            child = node.child(key) or (node if node.open else None)
            result[key] = merged(child, live[key], inner) if key in live else inner
        return result
    held = {_element(node, each): each for each in live}
    fresh = {_element(node, each): each for each in applied}
    kept = [merged(node.items, each, fresh[key]) if key in fresh else each for key, each in held.items()]
    return kept + [each for key, each in fresh.items() if key not in held]


def without(node: Node | None, value: Any, dropped: Fields, owned: Fields, path: Path = ()) -> Any:
    """The value less the dropped places; a place stays while somebody owns it or a part of it."""
    if not _granular(node, value) or not _any_below(dropped, path):
        return value
    kept = []
    for element, below, inner in _below(node, value):
        where = (*path, element)
        if where in dropped and not _any_below(owned, where):
            continue
        left = without(below, inner, dropped, owned, where)
        if left != inner and left in ({}, []):
            continue
        kept.append((element, left))
    if isinstance(value, dict):
        return {element[2:]: inner for element, inner in kept}
    return [inner for _, inner in kept]


def _any_below(fields: Fields, path: Path) -> bool:
    return any(each[: len(path)] == path for each in fields)


def shown(path: Path) -> str:
    """A path as conflict messages print it."""
    text = ""
    for element in path:
        kind, _, rest = element.partition(":")
        match kind:
            case "f":
                text += f".{rest}"
            case "k":
                pairs = json.loads(rest).items()
                text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in pairs) + "]"
            case _:
                text += f"[={rest}]"
    return text
