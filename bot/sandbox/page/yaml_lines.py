"""The VirtualService as YAML lines, those that changed since the start marked."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

# What the API server keeps for itself.
HIDDEN = ("managedFields", "resourceVersion", "uid", "creationTimestamp", "generation")


def text(document: Mapping[str, Any]) -> str:
    """The object as a person would write it; nothing of an object that is not there."""
    if not document:
        return ""
    metadata = {key: value for key, value in document.get("metadata", {}).items() if key not in HIDDEN}
    shown = {
        "apiVersion": document.get("apiVersion"),
        "kind": document.get("kind"),
        "metadata": metadata,
        "spec": document.get("spec", {}),
    }
    return yaml.safe_dump(shown, sort_keys=False, width=100)


def marked(original: str, now: str) -> list[tuple[str, str]]:
    """Each line with ` ` when it was there from the start, `+` when it is new, `-` when it went."""
    before, after = original.splitlines(), now.splitlines()
    lines: list[tuple[str, str]] = []
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, from_start, from_end, to_start, to_end in matcher.get_opcodes():
        if kind == "equal":
            lines += _each(" ", after[to_start:to_end])
            continue
        lines += _each("-", before[from_start:from_end])
        lines += _each("+", after[to_start:to_end])
    return lines


def _each(sign: str, lines: Sequence[str]) -> list[tuple[str, str]]:
    return [(sign, line) for line in lines]
