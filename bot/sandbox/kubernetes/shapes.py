"""Objects held against their schema: unknown fields pruned, wrong values named."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from bot.sandbox.kubernetes.problems import Cause

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.sandbox.kubernetes.schemas import Node

UNCHECKED = Cause(
    "<nil>",
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
)
_INT_RANGES = {"int32": 2**31, "int64": 2**63}
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = re.compile(r"[+-]?(?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h))+")
_PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)")


def pruned(node: Node, value: Any, *, path: str = "", unknown: list[str]) -> Any:
    """The value without undeclared fields, whose paths go to `unknown`, and without nulls that are not allowed."""
    if isinstance(value, dict) and node.type == "object":
        kept = {}
        for key, inner in value.items():
            where = f"{path}.{key}" if path else key
            child = node.child(key)
            if child is None:
                if node.open:
                    kept[key] = inner
                else:
                    unknown.append(where)
            elif inner is not None or child.nullable:
                kept[key] = pruned(child, inner, path=where, unknown=unknown)
        return kept
    if isinstance(value, list) and node.items is not None:
        items = node.items
        return [pruned(items, each, path=f"{path}[{n}]", unknown=unknown) for n, each in enumerate(value)]
    return value


def wrong_types(node: Node, value: Any, path: str = "") -> Iterator[Cause]:
    """A cause for each value whose JSON type is not the declared one."""
    if value is None:
        return
    if not _fits(node, value):
        found = _type_name(value)
        message = f'Invalid value: "{found}": {path} in body must be of type {node.type}: "{found}"'
        yield Cause(path, "FieldValueTypeInvalid", message)
    elif isinstance(value, dict):
        for key, inner in value.items():
            child = node.child(key)
            if child is not None:
                yield from wrong_types(child, inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and node.items is not None:
        for n, inner in enumerate(value):
            yield from wrong_types(node.items, inner, f"{path}[{n}]")


def violations(node: Node, value: Any, path: str = "") -> list[Cause]:
    """All that a definition's own schema refuses; its rules run only on an object that has the right shape."""
    shape = list(wrong_types(node, value, path)) + list(_breaches(node, value, path))
    if shape:
        return [*shape, UNCHECKED]
    return list(_broken_rules(node, value, path))


def _type_name(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case _:
            return "null"


def _fits(node: Node, value: Any) -> bool:
    if node.int_or_string:
        return isinstance(value, int | str) and not isinstance(value, bool)
    match node.type:
        case "integer":
            if isinstance(value, bool) or not (isinstance(value, int) or _is_whole(value)):
                return False
            limit = _INT_RANGES.get(node.raw.get("format", ""), 2**63)
            return bool(-limit <= value < limit)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool)
        case None:
            return True
        case declared:
            return _type_name(value) == declared


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _children(node: Node, value: Any, path: str) -> Iterator[tuple[Node, Any, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            child = node.child(key)
            if child is not None and inner is not None:
                yield child, inner, f"{path}.{key}" if path else key
    elif isinstance(value, list) and node.items is not None:
        for n, inner in enumerate(value):
            yield node.items, inner, f"{path}[{n}]"


def _breaches(node: Node, value: Any, path: str) -> Iterator[Cause]:
    """Required fields, enums, bounds and one-of groups, here and below."""
    if not _fits(node, value):
        return
    raw = node.raw
    if isinstance(value, dict):
        for name in raw.get("required", ()):
            if name not in value:
                yield Cause(f"{path}.{name}" if path else name, "FieldValueRequired", "Required value")
    if "enum" in raw and value not in raw["enum"]:
        known = ", ".join(json.dumps(each) for each in raw["enum"])
        message = f"Unsupported value: {json.dumps(value)}: supported values: {known}"
        yield Cause(path, "FieldValueNotSupported", message)
    yield from _out_of_bounds(raw, value, path)
    yield from _not_one_of(raw, value, path)
    for child, inner, where in _children(node, value, path):
        yield from _breaches(child, inner, where)


def _out_of_bounds(raw: dict[str, Any], value: Any, path: str) -> Iterator[Cause]:
    def said(what: str) -> Cause:
        return Cause(path, "FieldValueInvalid", f"Invalid value: {json.dumps(value)}: {path} in body {what}")

    if isinstance(value, int | float) and not isinstance(value, bool):
        if "minimum" in raw and value < raw["minimum"]:
            yield said(f"should be greater than or equal to {raw['minimum']}")
        if "maximum" in raw and value > raw["maximum"]:
            yield said(f"should be less than or equal to {raw['maximum']}")
    if isinstance(value, str) and len(value) > raw.get("maxLength", len(value)):
        message = f"Too long: may not be more than {raw['maxLength']} bytes"
        yield Cause(path, "FieldValueTooLong", message)
    if isinstance(value, list | dict):
        limit = raw.get("maxItems" if isinstance(value, list) else "maxProperties", len(value))
        if len(value) > limit:
            yield Cause(path, "FieldValueTooMany", f"Too many: {len(value)}: must have at most {limit} items")


def _not_one_of(raw: dict[str, Any], value: Any, path: str) -> Iterator[Cause]:
    groups = [each for each in (raw, *raw.get("allOf", ())) if "oneOf" in each]
    for group in groups:
        if group.get("x-kubernetes-int-or-string") or group.get("format") == "int-or-string":
            continue
        valid = sum(_holds(branch, value) for branch in group["oneOf"])
        if valid != 1:
            found = f" Found {valid} valid alternatives" if valid else " Found none valid"
            message = f'Invalid value: "": "{path}" must validate one and only one schema (oneOf).{found}'
            yield Cause("<nil>", "FieldValueInvalid", message)


def _holds(condition: dict[str, Any], value: Any) -> bool:
    """The part of JSON schema that Istio's one-of groups use: required, anyOf, not."""
    if not isinstance(value, dict):
        return True
    if any(name not in value for name in condition.get("required", ())):
        return False
    if "anyOf" in condition and not any(_holds(each, value) for each in condition["anyOf"]):
        return False
    return "not" not in condition or not _holds(condition["not"], value)


def seconds(text: str) -> float | None:
    """The length of a Go duration such as `1m30s`; None when it is not one."""
    if text == "0":
        return 0.0
    if not _DURATION.fullmatch(text):
        return None
    size = sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))
    return -size if text.startswith("-") else size


def _at_least_a_millisecond(value: Any) -> bool:
    length = seconds(value)
    return length is not None and length >= _UNITS["ms"]


# The rules that Istio's definitions carry, spelt out: the sandbox has no CEL, and a new rule must not pass unseen.
RULES: dict[str, Callable[[Any], bool]] = {
    "duration(self) >= duration('1ms')": _at_least_a_millisecond,
    '!self.contains("*")': lambda value: "*" not in value,
    'self.all(key, !key.contains("*"))': lambda value: all("*" not in key for key in value),
    "self.all(key, key.size() != 0)": lambda value: all(value_key != "" for value_key in value),
}


def _broken_rules(node: Node, value: Any, path: str) -> Iterator[Cause]:
    for rule in node.raw.get("x-kubernetes-validations", ()):
        if not RULES[rule["rule"]](value):
            shown = json.dumps(value) if not isinstance(value, dict | list) else '"object"'
            yield Cause(path, "FieldValueInvalid", f"Invalid value: {shown}: {rule['message']}")
    for child, inner, where in _children(node, value, path):
        yield from _broken_rules(child, inner, where)
