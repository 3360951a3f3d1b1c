"""YAML files read with the position of everything in them, so that their text can be edited in place."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from bot.mesh.documents import Document
from bot.offline.nodes import harm, repeated
from bot.offline.shapes import trouble

# Held by a test to those of the adapter, whose library takes too long to import.
VERSIONS = frozenset(f"networking.istio.io/{version}" for version in ("v1", "v1beta1", "v1alpha3"))
READ = frozenset({"VirtualService", "DestinationRule"})
TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Loader(yaml.SafeLoader):
    """YAML as the API server reads it: a date is text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


class Unreadable(Exception):
    """The file holds nothing that could be planned with; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object of a file: its value, and where in the text it stands."""

    source: str
    document: Document
    node: yaml.Node

    @property
    def kind(self) -> str:
        """`VirtualService`, when it is Istio's."""
        version = str(self.document.get("apiVersion") or "")
        return str(self.document.get("kind")) if version in VERSIONS else ""


@dataclass(frozen=True, slots=True)
class Source:
    """One file: how it is called, its text as it is, and the objects in it."""

    name: str
    text: str
    manifests: tuple[Manifest, ...]


def read(name: str, content: bytes) -> Source:
    """The file's objects, from all its documents and lists; Unreadable when it is no YAML or an object has no shape."""
    try:
        text = content.decode("utf-8")
        found = list(_objects(name, text))
    except UnicodeDecodeError as error:
        raise Unreadable(f"{name} is not UTF-8 text: {error.reason} at byte {error.start}.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable(
            f"{name} is not YAML at line {line}: it holds the character U+{error.character:04X}."
        ) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or str(error)
        raise Unreadable(f"{name} is not YAML{where}: {why}.") from error
    except RecursionError as error:
        raise Unreadable(f"{name} cannot be read: its lists or mappings lie too deep in each other.") from error
    except ValueError as error:
        raise Unreadable(f"{name} cannot be read: {error}.") from error
    for manifest in found:
        line, why = manifest.node.start_mark.line + 1, trouble(manifest.kind, manifest.document)
        if why:
            raise Unreadable(f"{name} line {line}: {manifest.kind} {why}.")
        twice = repeated(manifest.node) if manifest.kind in READ else None
        if twice is not None:
            raise Unreadable(f"{name} line {twice[1]}: the key {twice[0]} stands twice in one mapping.")
    return Source(name, text, tuple(found))


def values(text: str) -> list[Any]:
    """Every document of the text."""
    return list(yaml.load_all(text, Loader=Loader))


def _objects(name: str, text: str) -> Iterator[Manifest]:
    for value, node in _documents(text):
        if not isinstance(value, dict) or not isinstance(node, yaml.MappingNode):
            continue
        items = value.get("items")
        if isinstance(items, list) and str(value.get("kind")).endswith("List"):
            nodes = next(each for key, each in node.value if key.value == "items").value
            pairs = zip(items, nodes, strict=True)
            yield from (Manifest(name, item, each) for item, each in pairs if isinstance(item, dict))
        else:
            yield Manifest(name, value, node)


def _documents(text: str) -> Iterator[tuple[Any, yaml.Node]]:
    """Every document's value, and its node as it stands in the text."""
    if "<<" in text:
        # A merge rewrites the nodes that it is read from, so the nodes that show positions are read apart.
        nodes = [_harmless(node) for node in yaml.compose_all(text, Loader=Loader)]
        yield from zip(values(text), nodes, strict=True)
        return
    loader = Loader(text)
    try:
        while loader.check_node():
            if (node := loader.get_node()) is not None:
                yield loader.construct_document(_harmless(node)), node
    finally:
        loader.dispose()


def _harmless(node: yaml.Node) -> yaml.Node:
    """The node, unless reading it would never end; ValueError says why."""
    why = harm(node)
    if why:
        raise ValueError(why)
    return node
