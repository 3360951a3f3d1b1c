"""A dataclass as JSON text, field by field, so that only what changed is written anew."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Generic, TypeVar, get_type_hints

from storage.codec import Codec, as_text

T = TypeVar("T")
Pieces = Mapping[str, tuple[object, str]]
"""Each field's value and its text."""
_NOTHING = (None, "null")  # half of a release's fields, most of the time: one for all of them


class Piecewise(Generic[T]):
    """Writes what `Codec` reads. A look changes four of a release's forty fields; its plan is written once."""

    def __init__(self, shape: type[T]) -> None:
        hints = get_type_hints(shape)
        self._codecs: Mapping[str, Codec[Any]] = {field.name: Codec(hints[field.name]) for field in fields(shape)}  # type: ignore[arg-type]  # dataclasses only

    def pieces(self, value: T, before: Pieces | None = None) -> Pieces:
        """The text of each field; fields that are the very same object as `before` keep its text."""
        if before is None:
            return {name: _written(codec, getattr(value, name)) for name, codec in self._codecs.items()}
        found = {
            name: before[name] if before[name][0] is (new := getattr(value, name)) else _written(codec, new)
            for name, codec in self._codecs.items()
        }
        return found if len(before) == len(found) else {**before, **found}

    def carried(self, value: T, document: Mapping[str, Any]) -> Pieces:
        """The pieces of `value` as they stand in `document`, with what only a later version knows.

        A field that does not change keeps its text, whatever stands in it; a field that is not known here stays.
        """
        kept = {name: (getattr(value, name, None), as_text(found)) for name, found in document.items()}
        return {**self.pieces(value), **kept}


def text_of(pieces: Pieces) -> str:
    """The whole document."""
    return "{" + ",".join(f'"{name}":{text}' for name, (_, text) in pieces.items()) + "}"


def _written(codec: Codec[Any], value: object) -> tuple[object, str]:
    return _NOTHING if value is None else (value, codec.dumps(value))
