"""Label and field selectors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.sandbox.kubernetes.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.sandbox.kubernetes.kinds import Kind
    from bot.sandbox.kubernetes.store import Document

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_SET = re.compile(rf"({_NAME})\s+(in|notin)\s+\(([^()]*)\)")
_EQUALITY = re.compile(rf"({_NAME})\s*(==|=|!=)\s*({_VALUE})")
_EXISTS = re.compile(rf"(!?)\s*({_NAME})")
_BETWEEN = re.compile(r",(?![^(]*\))")
_OPERATORS = re.compile(r"==|!=|=")

# Beside these two, every kind answers to metadata.name and metadata.namespace alone.
_FIELDS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec.nodeName", "spec.restartPolicy", "spec.serviceAccountName", "status.phase", "status.podIP"),
    "Event": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "Namespace": ("status.phase",),
    "Secret": ("type",),
    "ReplicaSet": ("status.replicas",),
    "Service": ("spec.clusterIP", "spec.type"),
}


@dataclass(frozen=True)
class Selection:
    """Which objects a list or watch asks for."""

    tests: tuple[Callable[[Document], bool], ...]

    def takes(self, document: Document | None) -> bool:
        """Whether the object is asked for; an absent one is not."""
        return document is not None and all(test(document) for test in self.tests)


def selection(kind: Kind, *, labels: str, fields: str, namespace: str) -> Selection:
    """The parsed query; refused as a bad request when it cannot be read."""
    tests = [_label_test(part.strip()) for part in _BETWEEN.split(labels) if part.strip()]
    tests += [_field_test(kind, part.strip()) for part in fields.split(",") if part.strip()]
    if namespace:
        tests.append(lambda document: document["metadata"].get("namespace") == namespace)
    return Selection(tuple(tests))


def _label_test(requirement: str) -> Callable[[Document], bool]:
    if matched := _SET.fullmatch(requirement):
        key, operator, listed = matched.groups()
        values = {each.strip() for each in listed.split(",")}
        return lambda document: (_label(document, key) in values) is (operator == "in")
    if matched := _EQUALITY.fullmatch(requirement):
        key, operator, value = matched.groups()
        return lambda document: (_label(document, key) == value) is (operator != "!=")
    if matched := _EXISTS.fullmatch(requirement):
        absent, key = matched.groups()
        return lambda document: (_label(document, key) is None) is bool(absent)
    raise bad_request(f"unable to parse requirement: {requirement!r}")


def _label(document: Document, key: str) -> str | None:
    found: str | None = (document["metadata"].get("labels") or {}).get(key)
    return found


def _field_test(kind: Kind, requirement: str) -> Callable[[Document], bool]:
    operator = _OPERATORS.search(requirement)
    if operator is None:
        raise bad_request(f"invalid selector: '{requirement}'; can't understand '{requirement}'")
    path, value = requirement[: operator.start()], requirement[operator.end() :]
    if path not in ("metadata.name", "metadata.namespace", *_FIELDS.get(kind.name, ())):
        raise bad_request(f"field label not supported: {path}")
    wanted = operator.group() != "!="
    return lambda document: (_field(document, path) == value) is wanted


def _field(document: Document, path: str) -> str:
    found: object = document
    for key in path.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return "" if found is None else str(found)
