"""Kubernetes documents as plain dictionaries, and their canonical form."""

import json
from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


def canonical(value: object) -> str:
    """JSON that is equal exactly when the values are: sorted keys, no spaces, list order kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def namespace_of(document: Mapping[str, Any]) -> str:
    """The document's namespace, `default` where a file leaves it out."""
    return str((document.get("metadata") or {}).get("namespace") or "default")


def full_name(document: Mapping[str, Any]) -> str:
    """`namespace/name`, as orders and cards name an object."""
    return f"{namespace_of(document)}/{(document.get('metadata') or {}).get('name', '')}"


def labels_of(document: Mapping[str, Any]) -> Mapping[str, str]:
    """The document's labels, empty when it has none."""
    return (document.get("metadata") or {}).get("labels") or {}


def annotations_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document's annotations, empty when it has none."""
    return (document.get("metadata") or {}).get("annotations") or {}


def annotate(document: Document, name: str, text: str | None) -> None:
    """Set one annotation, or take it out with None; the last one leaves no empty mapping behind."""
    metadata = document.setdefault("metadata", {})
    annotations = dict(annotations_of(document))
    if text is None:
        annotations.pop(name, None)
    else:
        annotations[name] = text
    if annotations:
        metadata["annotations"] = annotations
    else:
        metadata.pop("annotations", None)


def version_number(document: Mapping[str, Any]) -> int:
    """The resourceVersion as the number that newer servers promise it to be; -1 when it is not one."""
    text = str((document.get("metadata") or {}).get("resourceVersion") or "")
    return int(text) if text.isdecimal() else -1


def controller_of(document: Mapping[str, Any]) -> str | None:
    """`Kind name` of the controller that owns the document and would undo our edit; None when nobody does."""
    for owner in (document.get("metadata") or {}).get("ownerReferences") or []:
        if owner.get("controller"):
            return f"{owner.get('kind')} {owner.get('name')}"
    return None
