"""Small checks that combine into the grammar of Slack's JSON and point at what is wrong."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

Check: TypeAlias = Callable[[object, str], Iterator[str]]


def at(pointer: str, message: str) -> str:
    """A problem in the form of Slack's messages."""
    return f"{message} [json-pointer:{pointer}]"


def string(most: int, least: int = 1) -> Check:
    """A string of `least` to `most` characters."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield at(pointer, "must provide a string")
        elif len(value) < least:
            yield at(pointer, f"must be more than {least - 1} characters")
        elif len(value) > most:
            yield at(pointer, f"must be less than {most + 1} characters")

    return check


def boolean(value: object, pointer: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield at(pointer, "must be a boolean")


def integer(value: object, pointer: str) -> Iterator[str]:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        yield at(pointer, "must be an integer")


def anything(value: object, pointer: str) -> Iterator[str]:
    """Whatever Slack itself does not look into here."""
    del value, pointer
    return iter(())


def one_of(*allowed: str) -> Check:
    """One of these words."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield at(pointer, f"must be a valid enum value, one of {', '.join(allowed)}")

    return check


def array(item: Check, most: int, least: int = 1) -> Check:
    """A list of `least` to `most` items."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield at(pointer, "must be an array")
            return
        if len(value) > most:
            yield at(pointer, f"no more than {most} items allowed")
        if len(value) < least:
            yield at(pointer, f"no less than {least} items allowed")
        for index, element in enumerate(value):
            yield from item(element, f"{pointer}/{index}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check]) -> Check:
    """An object with these fields and no others."""
    known = {**required, **optional}

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield at(pointer, "must be an object")
            return
        for name in required.keys() - value.keys():
            yield at(pointer, f"missing required field: {name}")
        for name, content in value.items():
            if name not in known:
                yield at(pointer, f"invalid additional property: {name}")
            else:
                yield from known[name](content, f"{pointer}/{name}")

    return check


def tagged(kinds: Callable[[], Mapping[str, Check]]) -> Check:
    """An object whose `type` says which check applies; `kinds` is asked late, for recursion."""

    def check(value: object, pointer: str) -> Iterator[str]:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            yield at(pointer, "missing required field: type")
        elif kind not in kinds():
            yield at(f"{pointer}/type", f"unsupported type: {kind}")
        else:
            yield from kinds()[kind](value, pointer)

    return check


def also(first: Check, *rules: Callable[[dict[str, object]], Iterable[str]]) -> Check:
    """A check and then rules over the whole object; a rule yields bare messages."""

    def check(value: object, pointer: str) -> Iterator[str]:
        yield from first(value, pointer)
        if isinstance(value, dict):
            for rule in rules:
                for message in rule(value):
                    yield at(pointer, message)

    return check


def exactly_one(*names: str) -> Callable[[dict[str, object]], Iterable[str]]:
    """A rule: of these fields one is present."""

    def rule(value: dict[str, object]) -> Iterable[str]:
        if sum(name in value for name in names) != 1:
            yield f"must define either {' or '.join(f'`{name}`' for name in names)}"

    return rule


def at_least_one(*names: str) -> Callable[[dict[str, object]], Iterable[str]]:
    """A rule: of these fields at least one is present."""

    def rule(value: dict[str, object]) -> Iterable[str]:
        if not any(name in value for name in names):
            yield f"must define either {' or '.join(f'`{name}`' for name in names)}"

    return rule
