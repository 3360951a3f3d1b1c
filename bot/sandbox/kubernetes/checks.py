"""What an object must satisfy before it is stored."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.problems import ApiError, Cause, bad_request, invalid, untyped
from bot.sandbox.kubernetes.schemas import component
from bot.sandbox.kubernetes.shapes import pruned, violations, wrong_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sandbox.kubernetes.kinds import Kind
    from bot.sandbox.kubernetes.store import Document

SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_NAME = re.compile(SUBDOMAIN)
_NOT_A_NAME = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    f"'{SUBDOMAIN}')"
)
_IMMUTABLE = "field is immutable"
_GO_TYPES = {"integer": "int32", "boolean": "bool", "number": "float64", "object": "map", "array": "slice"}
_SELECTED = ("Deployment", "ReplicaSet", "StatefulSet")


class StrictDecodingError(ApiError):
    """400: fields that the kind does not have, under strict validation."""

    def __init__(self, kind: Kind, version: str, told: str) -> None:
        super().__init__(
            400, "BadRequest", f'{kind.name} in version "{version}" cannot be handled as a {kind.name}: {told}'
        )
        self._told = told

    def of_patch(self) -> ApiError:
        """422: the same, brought about by a patch."""
        return invalid("", "", "", [Cause("patch", "FieldValueInvalid", f"Invalid value: {self._told}")])


def typed(kind: Kind, version: str, applied: Document) -> None:
    """Refuse an applied document of another kind, or with fields or types the schema does not have."""
    api_version, name = applied.get("apiVersion"), applied.get("kind")
    if api_version != kind.api_version(version) or name != kind.name:
        group, _, told = str(api_version or "").rpartition("/")
        raise bad_request(f"invalid object type: {group}/{told}, Kind={name or ''}")
    metadata = applied.get("metadata") or {}
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    place = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}; {api_version}, Kind={name}"
    node = component(kind.schema)
    wrong = next(wrong_types(node, applied), None)
    if wrong is not None:
        raise untyped(place, f".{wrong.field}: expected another type: {wrong.message}")
    unknown: list[str] = []
    pruned(node, applied, unknown=unknown)
    if unknown:
        raise untyped(place, f".{unknown[0]}: field not declared in schema")


def decoded(kind: Kind, version: str, document: Document) -> tuple[Document, list[str]]:
    """The document in the kind's shape, and the fields it lost; refused when it is another kind or version."""
    expected = kind.api_version(version)
    told = document.get("apiVersion") or (expected if not kind.custom else None)
    if kind.custom and isinstance(document.get("kind"), str) and document["kind"] != kind.name:
        wrong = f'Invalid value: "{document["kind"]}": must be {kind.name}'
        name = (document.get("metadata") or {}).get("name", "")
        raise invalid(document["kind"], kind.group, name, [Cause("kind", "FieldValueInvalid", wrong)])
    if document.get("kind", None if kind.custom else kind.name) != kind.name or told is None:
        shown = json.dumps(document, separators=(",", ":"))
        found = document.get("kind")
        why = f"Object 'Kind' is missing in '{shown}'" if found is None else f"unexpected kind {found}"
        raise bad_request(f"the object provided is unrecognized (must be of type {kind.name}): {why}")
    if told != expected:
        raise bad_request(f"the API version in the data ({told}) does not match the expected API version ({expected})")
    node = component(kind.schema)
    if not kind.custom:
        _refuse_wrong_types(kind, version, document)
    elif not isinstance(document.get("metadata", {}), dict):
        raise bad_request(f"metadata of {kind.name} must be an object")
    unknown: list[str] = []
    kept = pruned(node, document, unknown=unknown)
    return {**kept, "apiVersion": expected, "kind": kind.name, "metadata": kept.get("metadata", {})}, unknown


def strict(kind: Kind, version: str, unknown: list[str], *, level: str) -> list[str]:
    """The warnings about unknown fields; refused when the caller asked for `Strict`."""
    told = [f'unknown field "{path}"' for path in sorted(unknown)]
    if told and level == "Strict":
        raise StrictDecodingError(kind, version, f"strict decoding error: {', '.join(told)}")
    return told if level == "Warn" else []


def accept(kind: Kind, document: Document, *, before: Document | None = None) -> None:
    """Refuse an object that a real server refuses, with all its causes at once."""
    causes = list(_metadata(document["metadata"]))
    if before is not None:
        causes += _immutable(kind, document, before)
    if kind.custom:
        causes += violations(component(kind.schema), document)
    elif kind.name in _SELECTED:
        causes += _workload(document["spec"])
    elif kind.name == "Pod":
        causes += _containers(document["spec"], "spec")
    if causes:
        raise invalid(kind.name, kind.group, document["metadata"].get("name", ""), causes)


def not_negative(value: int, path: str) -> Iterator[Cause]:
    """Counts of replicas start at nought."""
    if value < 0:
        told = f"Invalid value: {value}: must be greater than or equal to 0"
        yield Cause(path, "FieldValueInvalid", told)


def _refuse_wrong_types(kind: Kind, version: str, document: Document) -> None:
    wrong = next(wrong_types(component(kind.schema), document), None)
    if wrong is None:
        return
    # The decoder of the built-in kinds stops at the first value it cannot take, unlike a definition's schema.
    found = wrong.message.rsplit('"', 2)[1]
    declared = wrong.message.rsplit("of type ", 1)[1].split(":", 1)[0]
    raise ApiError(
        400,
        "BadRequest",
        f'{kind.name} in version "{version}" cannot be handled as a {kind.name}: json: cannot unmarshal '
        f"{found} into Go struct field {kind.name}.{wrong.field} of type {_GO_TYPES.get(declared, declared)}",
    )


def _metadata(metadata: Document) -> Iterator[Cause]:
    name = metadata.get("name", "")
    if not name:
        yield Cause("metadata.name", "FieldValueRequired", "Required value: name or generateName is required")
    elif not _NAME.fullmatch(name) or len(name) > 253:
        told = f"Invalid value: {json.dumps(name)}: {_NOT_A_NAME}"
        yield Cause("metadata.name", "FieldValueInvalid", told)


def _immutable(kind: Kind, document: Document, before: Document) -> Iterator[Cause]:
    uid = document["metadata"].get("uid")
    if uid != before["metadata"]["uid"]:
        told = f"Invalid value: {json.dumps(uid)}: {_IMMUTABLE}"
        yield Cause("metadata.uid", "FieldValueInvalid", told)
    if before["metadata"].get("deletionTimestamp"):
        held = before["metadata"].get("finalizers") or []
        fresh = [each for each in document["metadata"].get("finalizers") or [] if each not in held]
        if fresh:
            listed = ", ".join(json.dumps(each) for each in fresh)
            told = (
                "Forbidden: no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{listed}}}"
            )
            yield Cause("metadata.finalizers", "FieldValueForbidden", told)
    if kind.name in _SELECTED and document["spec"].get("selector") != before["spec"].get("selector"):
        shown = json.dumps(document["spec"].get("selector"), separators=(",", ":"), sort_keys=True)
        yield Cause("spec.selector", "FieldValueInvalid", f"Invalid value: {shown}: {_IMMUTABLE}")


def _workload(spec: Document) -> Iterator[Cause]:
    yield from not_negative(spec.get("replicas", 0), "spec.replicas")
    selector = spec.get("selector")
    labels = spec["template"].get("metadata", {}).get("labels")
    if selector is None:
        yield Cause("spec.selector", "FieldValueRequired", "Required value")
    if selector is None or not _selects(selector, labels or {}):
        shown = json.dumps(labels, separators=(",", ":"))
        told = f"Invalid value: {shown}: `selector` does not match template `labels`"
        yield Cause("spec.template.metadata.labels", "FieldValueInvalid", told)
    yield from _containers(spec["template"]["spec"], "spec.template.spec")


def _selects(selector: Document, labels: dict[str, str]) -> bool:
    matched = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return matched and all(_expression(each, labels) for each in selector.get("matchExpressions", ()))


def _expression(expression: dict[str, Any], labels: dict[str, str]) -> bool:
    held, values = labels.get(expression["key"]), expression.get("values", ())
    match expression["operator"]:
        case "In":
            return held in values
        case "NotIn":
            return held not in values
        case "Exists":
            return held is not None
        case _:
            return held is None


def _containers(spec: Document, path: str) -> Iterator[Cause]:
    containers = spec.get("containers")
    if not containers:
        yield Cause(f"{path}.containers", "FieldValueRequired", "Required value")
    for n, each in enumerate(containers or ()):
        for field in ("name", "image"):
            if not each.get(field):
                yield Cause(f"{path}.containers[{n}].{field}", "FieldValueRequired", "Required value")
