"""What a YAML tree may not do to whoever reads it: hold itself, grow without end by its aliases, or say a key twice."""

from collections.abc import Iterator

import yaml

# A file may repeat itself by aliases; one that stands for more values than this was written to do harm.
MOST_REPEATED = 100_000


def harm(root: yaml.Node) -> str:
    """Why the tree is not read, with its line; empty when it can be."""
    sizes: dict[int, int] = {}
    open_: set[int] = set()
    # By hand, not by recursion: how deep it goes is the file's choice.
    stack: list[tuple[yaml.Node, bool]] = [(root, False)]
    while stack:
        node, is_left = stack.pop()
        if is_left:
            open_.discard(id(node))
            sizes[id(node)] = 1 + sum(sizes[id(child)] for child in _children(node))
            continue
        if id(node) in open_:
            return f"line {node.start_mark.line + 1} holds itself by an alias"
        if id(node) in sizes:
            continue
        open_.add(id(node))
        stack.append((node, True))
        stack += [(child, False) for child in _children(node)]
    if sizes[id(root)] > max(MOST_REPEATED, 2 * len(sizes)):
        return f"its aliases stand for {sizes[id(root)]:,} values"
    return ""


def repeated(root: yaml.Node) -> tuple[str, int] | None:
    """A key that stands twice in one mapping, with the line of the second; the API server would not take it either."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += _children(node)
        keys: set[str] = set()
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if isinstance(key, yaml.ScalarNode) and key.value in keys:
                return key.value, key.start_mark.line + 1
            keys |= {key.value} if isinstance(key, yaml.ScalarNode) else set()
    return None


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
