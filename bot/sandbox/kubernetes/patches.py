"""Merge patch, JSON patch and strategic merge patch on plain documents."""

from __future__ import annotations

import copy
from typing import Any

from bot.sandbox.kubernetes.problems import bad_request, patch_rejected
from bot.sandbox.kubernetes.schemas import ANY, Node

DIRECTIVE = "$patch"
DELETE_PRIMITIVES = "$deleteFromPrimitiveList/"
ELEMENT_ORDER = "$setElementOrder/"
RETAIN_KEYS = "$retainKeys"


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: maps are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def json_patch(target: dict[str, Any], operations: list[Any]) -> dict[str, Any]:
    """RFC 6902, all or nothing."""
    document: Any = copy.deepcopy(target)
    for operation in operations:
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise bad_request("error decoding patch: each operation needs op and path")
        try:
            document = _operated(document, operation)
        except (KeyError, IndexError, ValueError, TypeError) as wrong:
            raise patch_rejected() from wrong
    if not isinstance(document, dict):
        raise patch_rejected()
    return document


def _tokens(pointer: str) -> list[str]:
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ValueError(pointer)
    return [each.replace("~1", "/").replace("~0", "~") for each in pointer[1:].split("/")]


def _index(holder: list[Any], token: str, *, end: int) -> int:
    if not token.isdigit() or int(token) > end:
        raise IndexError(token)
    return int(token)


def _at(document: Any, tokens: list[str]) -> Any:
    for token in tokens:
        document = document[_index(document, token, end=len(document) - 1) if isinstance(document, list) else token]
    return document


def _operated(document: Any, operation: dict[str, Any]) -> Any:
    tokens = _tokens(operation["path"])
    match operation.get("op"):
        case "test":
            if not _equal(_at(document, tokens), operation.get("value")):
                raise ValueError(operation["path"])
            return document
        case "add":
            return _added(document, tokens, operation["value"])
        case "replace":
            _at(document, tokens)
            return _added(_removed(document, tokens), tokens, operation["value"])
        case "remove":
            return _removed(document, tokens)
        case "move":
            source = _tokens(operation["from"])
            moved = _at(document, source)
            return _added(_removed(document, source), tokens, moved)
        case "copy":
            return _added(document, tokens, copy.deepcopy(_at(document, _tokens(operation["from"]))))
        case other:
            raise ValueError(other)


def _equal(one: Any, other: Any) -> bool:
    # true and 1 are equal in Python and differ in JSON.
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _added(document: Any, tokens: list[str], value: Any) -> Any:
    if not tokens:
        return value
    holder, last = _at(document, tokens[:-1]), tokens[-1]
    if isinstance(holder, list):
        holder.insert(len(holder) if last == "-" else _index(holder, last, end=len(holder)), value)
    elif isinstance(holder, dict):
        holder[last] = value
    else:
        raise TypeError(last)
    return document


def _removed(document: Any, tokens: list[str]) -> Any:
    if not tokens:
        return None
    holder, last = _at(document, tokens[:-1]), tokens[-1]
    if isinstance(holder, list):
        del holder[_index(holder, last, end=len(holder) - 1)]
    else:
        del holder[last]
    return document


def strategic(target: Any, patch: Any, node: Node = ANY) -> Any:
    """Like a merge, but lists with a merge key are merged element by element and `$patch` directives are obeyed."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get(DIRECTIVE)
    if directive == "delete":
        return {}
    plain = {key: value for key, value in patch.items() if not key.startswith("$")}
    if directive == "replace":
        return plain
    result = dict(target) if isinstance(target, dict) else {}
    _delete_primitives(result, patch)
    for key, value in plain.items():
        below = node.child(key) or ANY
        if value is None:
            result.pop(key, None)
        elif isinstance(value, list) and "merge" in below.strategies:
            result[key] = _merged_list(result.get(key) or [], value, below)
        elif isinstance(value, dict) and "replace" in below.strategies:
            result[key] = value
        else:
            result[key] = strategic(result.get(key), value, below)
    _reorder(result, patch, node)
    retained = patch.get(RETAIN_KEYS)
    return {key: value for key, value in result.items() if key in retained} if retained else result


def _delete_primitives(result: dict[str, Any], patch: dict[str, Any]) -> None:
    for key, values in patch.items():
        if key.startswith(DELETE_PRIMITIVES):
            name = key.removeprefix(DELETE_PRIMITIVES)
            result[name] = [each for each in result.get(name, []) if each not in values]


def _reorder(result: dict[str, Any], patch: dict[str, Any], node: Node) -> None:
    for key, order in patch.items():
        if not key.startswith(ELEMENT_ORDER):
            continue
        name = key.removeprefix(ELEMENT_ORDER)
        below = node.child(name)
        merge_key = below.merge_key if below else None
        wanted = [each.get(merge_key) if merge_key else each for each in order]
        place = {value: position for position, value in enumerate(wanted)}

        def position(element: Any, place: dict[Any, int] = place, by: str | None = merge_key) -> int:
            return place.get(element.get(by) if by else element, len(place))

        result[name] = sorted(result.get(name, []), key=position)


def _merged_list(target: list[Any], patch: list[Any], node: Node) -> list[Any]:
    if node.merge_key is None:
        return [*target, *(each for each in patch if each not in target)]
    key = node.merge_key
    if any(each.get(DIRECTIVE) == "replace" for each in patch):
        return [each for each in patch if DIRECTIVE not in each]
    held = {each.get(key): each for each in target}
    written: dict[Any, Any] = {}
    for each in patch:
        if key not in each:
            raise bad_request(f"map: {each} does not contain declared merge key: {key}")
        if each.get(DIRECTIVE) == "delete":
            held.pop(each[key], None)
        else:
            written[each[key]] = strategic(held.get(each[key], {}), each, node.items or ANY)
    return _woven(written, held)


def _woven(written: dict[Any, Any], held: dict[Any, Any]) -> list[Any]:
    """Patched elements in the patch's order, untouched ones where the server had them, new ones first."""
    order = {value: place for place, value in enumerate(held)}
    left, right = list(written), [value for value in held if value not in written]
    woven = []
    while left and right:
        later = order.get(left[0], -1) > order[right[0]]
        woven.append(held[right.pop(0)] if later else written[left.pop(0)])
    return woven + [written[value] for value in left] + [held[value] for value in right]
