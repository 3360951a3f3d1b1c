"""Edits of a file's text by the positions of its YAML nodes; every line that need not change stays as it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from bot.mesh.names import release_of
from bot.offline.rendering import Manner, flowing, manner_of, mapping_lines, sequence_lines


class CannotEdit(Exception):
    """The change cannot be written into this text without touching more of it."""


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in place of what stands between two offsets."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One object of the text, as it is and as it should become."""

    node: yaml.Node
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def edited(text: str, changes: Sequence[Change]) -> str:
    """The text with every change in it; CannotEdit when one takes something away, or has no place of its own."""
    found: list[Edit] = []
    for change in changes:
        writer = _Writer(text, manner_of(text, change.node))
        found += writer.edits(change.node, change.before, change.after)
    pieces, at = [], 0
    # Of two insertions at one place the deeper one was found first and stays first.
    for edit in sorted(found, key=lambda each: each.start):
        pieces += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join((*pieces, text[at:]))


class _Writer:
    """Finds the edits of one object in one text."""

    def __init__(self, text: str, manner: Manner) -> None:
        self._text = text
        self._manner = manner

    def edits(self, node: yaml.Node, before: object, after: object) -> Iterator[Edit]:
        if before == after and type(before) is type(after):
            return
        match node, before, after:
            case yaml.MappingNode(), dict(), dict():
                yield from self._mapping(node, before, after)
            case yaml.SequenceNode(), list(), list():
                yield from self._sequence(node, before, after)
            case yaml.ScalarNode(), _, _ if not isinstance(before, dict | list):
                yield self._scalar(node, after)
            case _:
                raise CannotEdit(f"line {node.start_mark.line + 1} would become something of another kind")

    def _scalar(self, node: yaml.ScalarNode, after: object) -> Edit:
        start, end = node.start_mark.index, node.end_mark.index
        # An empty value has no place of its own: it begins right behind the colon.
        space = " " if start == end else ""
        return Edit(start, end, space + flowing(after, is_json=self._is_json(node)))

    def _mapping(self, node: yaml.MappingNode, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Edit]:
        if before.keys() - after.keys():
            raise CannotEdit(f"line {node.start_mark.line + 1} would lose {', '.join(before.keys() - after.keys())}")
        values = {key.value: value for key, value in node.value}
        if before.keys() - values.keys():
            raise CannotEdit(
                f"line {node.start_mark.line + 1} takes {', '.join(before.keys() - values.keys())} elsewhere"
            )
        for key in before:
            yield from self.edits(values[key], before[key], after[key])
        new = {key: value for key, value in after.items() if key not in before}
        if not new:
            return
        if node.flow_style:
            is_json = self._is_json(node)
            pairs = [f"{flowing(key, is_json=is_json)}: {flowing(each, is_json=is_json)}" for key, each in new.items()]
            yield self._flow_append(node, pairs)
            return
        yield self._below(node, mapping_lines(new, node.start_mark.column, self._manner))

    def _sequence(self, node: yaml.SequenceNode, before: Sequence[Any], after: Sequence[Any]) -> Iterator[Edit]:
        if len(after) < len(before):
            raise CannotEdit(f"line {node.start_mark.line + 1} would lose an entry")
        left = list(after)
        for n, each in enumerate(before):
            new = []
            while len(left) > len(before) - n and isinstance(left[0], dict) and release_of(left[0]):
                new.append(left.pop(0))
            if new:
                yield self._above(node, n, new)
            yield from self.edits(node.value[n], each, left.pop(0))
        if left and node.flow_style:
            yield self._flow_append(node, [flowing(each, is_json=self._is_json(node)) for each in left])
        elif left:
            yield self._below(node, sequence_lines(left, node.start_mark.column, self._manner))

    def _above(self, node: yaml.SequenceNode, n: int, new: Sequence[object]) -> Edit:
        """Put entries before the one with number `n`, above the comments that belong to it."""
        start = node.value[n].start_mark.index
        if node.flow_style:
            indent = self._indent_of(start)
            between = ", " if indent is None else f",{self._manner.newline}{indent}"
            text = "".join(flowing(each, is_json=self._is_json(node)) + between for each in new)
            return Edit(start, start, text)
        column = node.start_mark.column
        dash = self._text.rfind("-", 0, start)
        line = self._text.rfind("\n", 0, dash) + 1
        if dash - line != column or self._text[line:dash].strip():
            raise CannotEdit(f"line {node.value[n].start_mark.line + 1} does not begin with its dash")
        while (above := self._comment_above(line, column)) is not None:
            line = above
        rendered = sequence_lines(new, column, self._manner)
        return Edit(line, line, "".join(each + self._manner.newline for each in rendered))

    def _below(self, node: yaml.CollectionNode, lines: Sequence[str]) -> Edit:
        """Put lines under the last line of a block."""
        newline = self._manner.newline
        end = self._text.find("\n", self._end_of(node))
        if end < 0:
            return Edit(len(self._text), len(self._text), newline + newline.join(lines))
        return Edit(end + 1, end + 1, "".join(each + newline for each in lines))

    def _flow_append(self, node: yaml.CollectionNode, items: Sequence[str]) -> Edit:
        """Put items behind the last one inside brackets, on lines of their own where the others are."""
        if not node.value:
            at = node.start_mark.index + 1
            return Edit(at, at, ", ".join(items))
        last = node.value[-1]
        first = last[0] if isinstance(last, tuple) else last
        end = self._end_of(last[1] if isinstance(last, tuple) else last)
        indent = self._indent_of(first.start_mark.index)
        between = ", " if indent is None else f",{self._manner.newline}{indent}"
        return Edit(end, end, "".join(between + each for each in items))

    def _end_of(self, node: yaml.Node) -> int:
        """The offset behind the node's last character; PyYAML lets a block end at whatever comes next."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return max(self._end_of(each) for each in (last if isinstance(last, tuple) else (last,)))
        end = node.end_mark.index
        return len(self._text[:end].rstrip()) if getattr(node, "style", None) in {"|", ">"} else end

    def _indent_of(self, start: int) -> str | None:
        """The white space before an offset that begins its line, None where something stands before it."""
        before = self._text[self._text.rfind("\n", 0, start) + 1 : start]
        return None if before.strip() or start == len(before) else before

    def _comment_above(self, line: int, column: int) -> int | None:
        """The beginning of the line above when it is a comment in the same column."""
        above = self._text.rfind("\n", 0, max(line - 1, 0)) + 1
        text = self._text[above:line]
        is_comment = text.lstrip().startswith("#") and len(text) - len(text.lstrip()) == column
        return above if line and is_comment else None

    def _is_json(self, node: yaml.Node) -> bool:
        """True inside brackets whose keys are quoted, where a bare word might be no value."""
        start = self._text.lstrip("\ufeff \t\r\n")[:1]
        return start in {"{", "["} or self._text[node.start_mark.index : node.start_mark.index + 2] == '{"'
