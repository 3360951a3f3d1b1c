"""New pieces of YAML in the manner of the file that they go into."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

WIDEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Manner:
    """How far the file indents a nested mapping, and the dash of a list behind its key; how its lines end."""

    step: int = 2
    dash: int = 2
    newline: str = "\n"


def manner_of(text: str, root: yaml.Node) -> Manner:
    """The manner of the first nested mapping and the first list behind a key that the object has."""
    steps: list[int] = []
    dashes: list[int] = []
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        if not isinstance(node, yaml.MappingNode) or node.flow_style:
            continue
        for _, value in node.value:
            waiting.append(value)
            if value.start_mark.line > node.start_mark.line and isinstance(value, yaml.CollectionNode):
                indent = value.start_mark.column - node.start_mark.column
                if not value.flow_style and indent >= 0:
                    (dashes if isinstance(value, yaml.SequenceNode) else steps).append(indent)
    newline = "\r\n" if "\r\n" in text else "\n"
    return Manner((steps or [2])[0] or 2, (dashes or [2])[0], newline)


def mapping_lines(value: Mapping[str, object], column: int, manner: Manner) -> list[str]:
    """The mapping as lines of block YAML whose keys stand in `column`."""
    lines: list[str] = []
    for key, each in value.items():
        head = f"{' ' * column}{scalar(key)}:"
        if isinstance(each, dict) and each:
            lines += [head, *mapping_lines(each, column + manner.step, manner)]
        elif isinstance(each, list) and each:
            lines += [head, *sequence_lines(each, column + manner.dash, manner)]
        else:
            lines.append(f"{head} {scalar(each)}")
    return lines


def sequence_lines(value: Sequence[object], column: int, manner: Manner) -> list[str]:
    """The list as lines of block YAML whose dashes stand in `column`."""
    lines: list[str] = []
    for each in value:
        if isinstance(each, dict) and each:
            first, *rest = mapping_lines(each, column + 2, manner)
            lines += [f"{' ' * column}- {first.lstrip()}", *rest]
        else:
            lines.append(f"{' ' * column}- {scalar(each)}")
    return lines


def scalar(value: object) -> str:
    """The value on one line of a block; a list or a mapping inside brackets."""
    return _inside(value) if isinstance(value, dict | list) else _leaf(value).removesuffix("\n...")


def _inside(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_inside(key)}: {_inside(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inside(each) for each in value) + "]"
    # A word that may stand alone may not stand inside brackets as it is.
    return _leaf([value]).removeprefix("[").removesuffix("]")


def _leaf(value: object) -> str:
    # Between double quotes every character has a way to be written on one line.
    text = value[0] if isinstance(value, list) else value
    quotes = '"' if isinstance(text, str) and not text.isprintable() else None
    dumped: str = yaml.safe_dump(
        value, default_style=quotes, default_flow_style=True, width=WIDEST, allow_unicode=not quotes
    )
    return dumped.strip()


def flowing(value: object, *, is_json: bool) -> str:
    """The value on one line inside brackets."""
    return json.dumps(value, ensure_ascii=False) if is_json else _inside(value)
