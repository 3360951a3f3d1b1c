"""Frozen dataclasses to JSON and back, by their type hints.

Reading is tolerant where an upgrade needs it: an unknown field is left out (and told of, so that whoever saves can
carry it along), a missing one takes its default. It is strict everywhere else: what a class refuses to be built with is
`Unreadable`, not half a value. Members of a union carry their class name under `$`. One plan per class is made once and
kept, since a thousand releases are read per tick.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from storage.errors import Unreadable

T = TypeVar("T")
Convert = Callable[[Any], Any]
TAG = "$"
_PLAIN = (str, int, bool)
as_text = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode


class _Unknown(threading.local):
    """Whether this thread has met a field that no class here has, since somebody last asked."""

    seen = False


_unknown = _Unknown()


class Codec(Generic[T]):
    """Reads and writes values of one dataclass, or of one union of dataclasses."""

    def __init__(self, shape: object) -> None:
        self._name = getattr(shape, "__name__", str(shape))
        self._shape = shape

    def dumps(self, value: T) -> str:
        """The value as JSON text."""
        return as_text(self.plain(value))

    def plain(self, value: T) -> Any:
        """The value as dictionaries, lists and scalars."""
        encode, _ = _converters(self._shape)
        return encode(value) if encode else value

    def loads(self, text: str) -> T:
        """The value; Unreadable when the text is not one this version can build."""
        try:
            document = json.loads(text)
        except ValueError as error:
            raise Unreadable(f"stored {self._name} is not JSON: {error}") from error
        return self.value(document)

    def read(self, text: str) -> tuple[T, Mapping[str, Any]]:
        """The value, and the whole document where a later version wrote fields into it that are not known here."""
        _unknown.seen = False
        value = self.loads(text)
        return value, json.loads(text) if _unknown.seen else {}

    def value(self, document: object) -> T:
        """The value of what `plain` gave; Unreadable when it is not one this version can build."""
        _, decode = _converters(self._shape)
        try:
            return cast("T", decode(document) if decode else document)
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise Unreadable(f"stored {self._name} cannot be read: {error}") from error


# A converter of None means that JSON has the value as it is; calling nothing is the fastest call.
Pair = tuple[Convert | None, Convert | None]


@cache
def _converters(hint: Any) -> Pair:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return _union(hint)
    if origin is not None:
        return _container(origin, get_args(hint))
    if hint in _PLAIN:
        return None, None
    if hint in _SCALARS:
        return _SCALARS[hint]
    if isinstance(hint, type) and is_dataclass(hint):
        return _dataclass(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {member.value: member for member in hint}
        return _value_of, members.__getitem__
    raise TypeError(f"no rule to store {hint!r}")


@cache
def _dataclass(cls: Any) -> tuple[Convert, Convert]:
    hints = get_type_hints(cls)
    names = tuple(field.name for field in fields(cls))
    pairs = {name: _converters(hints[name]) for name in names}
    writes = tuple((name, pairs[name][0]) for name in names)
    reads = tuple((name, pairs[name][1]) for name in names)
    needed = {f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING}

    def encode(value: Any) -> Any:
        return {name: getattr(value, name) if to is None else to(getattr(value, name)) for name, to in writes}

    def decode(document: Any) -> Any:
        if len(document) > len(names) and len(document) > len(names) + (TAG in document):
            _unknown.seen = True
        try:
            return cls(*[document[name] if to is None else to(document[name]) for name, to in reads])
        except KeyError as error:
            if error.args[0] not in pairs:
                raise
        if document.keys() - pairs.keys() - {TAG}:
            _unknown.seen = True
        known = {name: document[name] if to is None else to(document[name]) for name, to in reads if name in document}
        if lacking := sorted(needed - known.keys()):
            raise Unreadable(f"stored {cls.__name__} lacks {', '.join(lacking)}")
        return cls(**known)

    return encode, decode


def _union(hint: Any) -> Pair:
    members = [member for member in get_args(hint) if member is not NoneType]
    if len(members) == 1:
        return _optional(*_converters(members[0]))
    if not all(is_dataclass(member) for member in members):
        raise TypeError(f"a stored union holds dataclasses only: {hint!r}")
    plans = {member: _dataclass(member) for member in members}
    writes = {member: plan[0] for member, plan in plans.items()}
    reads = {member.__name__: plan[1] for member, plan in plans.items()}
    first = reads[members[0].__name__]

    def encode(value: Any) -> Any:
        return {TAG: value.__class__.__name__, **writes[value.__class__](value)}

    def decode(document: Any) -> Any:
        # A field that became a union later was written without a tag: it can only be the member it was before.
        return (reads[document[TAG]] if TAG in document else first)(document)

    return _optional(encode, decode) if len(members) < len(get_args(hint)) else (encode, decode)


def _optional(encode: Convert | None, decode: Convert | None) -> Pair:
    def unless_none(convert: Convert | None) -> Convert | None:
        return None if convert is None else (lambda value: None if value is None else convert(value))

    return unless_none(encode), unless_none(decode)


def _container(origin: Any, inner: tuple[Any, ...]) -> Pair:
    if origin is tuple and len(inner) == 2 and inner[1] is ...:
        encode, decode = _items(inner[0])
        return encode, lambda values: tuple(decode(values))
    if origin is frozenset:
        encode, decode = _items(inner[0])
        # Sorted, so that equal values are equal texts.
        return (lambda values: sorted(encode(values))), (lambda values: frozenset(decode(values)))
    if issubclass(origin, Mapping):
        return _mapping(*inner)
    raise TypeError(f"no rule to store {origin!r}")


def _items(hint: Any) -> tuple[Convert, Convert]:
    def each(convert: Convert | None) -> Convert:
        return list if convert is None else (lambda values: [convert(value) for value in values])

    encode, decode = _converters(hint)
    return each(encode), each(decode)


def _mapping(key: Any, value: Any) -> Pair:
    # JSON knows text keys only.
    key_to, key_from = (repr, key) if key in (int, float) else _converters(key)
    to, back = _converters(value)
    return _entries(key_to, to), _entries(key_from, back)


def _entries(key: Convert | None, value: Convert | None) -> Convert:
    if key is None:
        return dict if value is None else (lambda entries: {name: value(entry) for name, entry in entries.items()})
    if value is None:
        return lambda entries: {key(name): entry for name, entry in entries.items()}
    return lambda entries: {key(name): value(entry) for name, entry in entries.items()}


def _value_of(member: Any) -> Any:
    return member.value


def _number(value: float) -> float | str:
    return value if isfinite(value) else repr(value)


def _instant(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"a stored time needs a zone: {value}")
    return (value if value.tzinfo is UTC else value.astimezone(UTC)).isoformat()


def _seconds(value: timedelta) -> float:
    seconds = value.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _duration(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


_SCALARS: Mapping[Any, Pair] = {
    float: (_number, float),
    Decimal: (str, Decimal),
    datetime: (_instant, datetime.fromisoformat),
    timedelta: (_seconds, _duration),
}
