"""Label sets: immutable, sorted by name, with their hash kept."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NAME = "__name__"
BUCKET = "le"


class Labels:
    """The labels of one series; an empty value is the same as no label."""

    __slots__ = ("_hash", "_values", "pairs")

    def __init__(self, values: Mapping[str, str]) -> None:
        self.pairs = tuple(sorted((name, value) for name, value in values.items() if value))
        self._values = dict(self.pairs)
        # Kept because every look-up of a projection hashes the same 25 pairs again.
        self._hash = hash(self.pairs)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Labels):
            return NotImplemented
        return self is other or self.pairs == other.pairs

    def __str__(self) -> str:
        """The way Prometheus writes a series in its messages."""
        inside = ", ".join(f'{name}="{_escaped(value)}"' for name, value in self.pairs if name != NAME)
        name = self.get(NAME)
        return f"{name}{{{inside}}}" if inside or not name else name

    def get(self, name: str) -> str:
        """The value, or an empty text as Prometheus treats a missing label."""
        return self._values.get(name, "")

    def as_dict(self) -> dict[str, str]:
        """A copy for JSON."""
        return dict(self.pairs)

    def with_values(self, changes: Mapping[str, str]) -> Labels:
        """The same labels with some set; an empty value removes one."""
        return Labels({**self._values, **changes})


EMPTY = Labels({})


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


# The projections are what an aggregation does to every sample of every query: a few hundred
# series times a few label lists, asked for again every second.
@lru_cache(maxsize=65_536)
def only(labels: Labels, names: tuple[str, ...]) -> Labels:
    """The named labels alone (`by`, `on`)."""
    return Labels({name: labels.get(name) for name in names})


@lru_cache(maxsize=65_536)
def without(labels: Labels, names: tuple[str, ...]) -> Labels:
    """All labels but the named ones (`without`, `ignoring`)."""
    return Labels({name: value for name, value in labels.pairs if name not in names})


def nameless(labels: Labels) -> Labels:
    """The labels without the metric's name, as most functions return them."""
    return without(labels, (NAME,))


def first_repeated(all_labels: Iterable[Labels]) -> Labels | None:
    """The first label set that occurs twice, if any does."""
    seen: set[Labels] = set()
    for labels in all_labels:
        if labels in seen:
            return labels
        seen.add(labels)
    return None
