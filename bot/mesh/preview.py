"""What the first write would change, as YAML and as a unified diff, without a cluster."""

import copy
import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from bot.mesh.documents import Document, full_name
from bot.mesh.virtual_service import edit
from bot.ports import RouteOrder
from strategies.reasons import Refused

# Bookkeeping of the API server: nobody writes it in a file, and it says nothing about traffic.
SERVER_FIELDS = ("managedFields", "resourceVersion", "uid", "generation", "creationTimestamp", "selfLink")


def preview(manifest: Mapping[str, Any], orders: Sequence[RouteOrder]) -> tuple[Document, str] | Refused:
    """The manifest with every order applied, and the unified diff of both as YAML."""
    before = readable(manifest)
    after = edit(before, orders)
    if isinstance(after, Refused):
        return after
    name = full_name(manifest)
    lines = difflib.unified_diff(
        as_yaml(before).splitlines(keepends=True),
        as_yaml(after).splitlines(keepends=True),
        fromfile=f"{name} now",
        tofile=f"{name} planned",
    )
    return after, "".join(lines)


def readable(manifest: Mapping[str, Any]) -> Document:
    """A copy without the API server's own fields."""
    document = copy.deepcopy(dict(manifest))
    metadata = document.get("metadata") or {}
    for field in SERVER_FIELDS:
        metadata.pop(field, None)
    return document


def as_yaml(document: Mapping[str, Any]) -> str:
    """Block YAML in the document's own order."""
    return yaml.safe_dump(dict(document), sort_keys=False, default_flow_style=False, width=110)
