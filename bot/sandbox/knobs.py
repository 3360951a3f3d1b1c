"""What a knob may be turned to."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bot.sandbox.bad_input import BadInputError, one_of

SLOWEST_MS = 60_000
MOST_PER_SECOND = 300
SHOP_FIELDS = ("rate", "dependency")
FIELDS = ("version", "error_rate", "delay_ms", "orders", "dead")


@dataclass(frozen=True, slots=True)
class KnobOrder:
    """How one version is to behave from now on; None leaves a knob as it is."""

    version: str
    error_rate: float | None = None
    delay_ms: float | None = None
    orders: float | None = None
    dead: bool | None = None


@dataclass(frozen=True, slots=True)
class ShopOrder:
    """What both versions feel from now on: requests a second, and the share that fails because a dependency does."""

    rate: float | None = None
    dependency: float | None = None


def read_shop(document: Mapping[str, object]) -> ShopOrder:
    """The order in a JSON object; BadInputError names the first field that is wrong."""
    for field in document:
        if field not in SHOP_FIELDS:
            raise BadInputError(field, document[field], one_of(SHOP_FIELDS))
    return ShopOrder(_number(document, "rate", MOST_PER_SECOND), _number(document, "dependency", 1))


def read(document: Mapping[str, object], versions: Collection[str]) -> KnobOrder:
    """The order in a JSON object; BadInputError names the first field that is wrong."""
    for field in document:
        if field not in FIELDS:
            raise BadInputError(field, document[field], one_of(FIELDS))
    version = document.get("version")
    if not isinstance(version, str) or version not in versions:
        raise BadInputError("version", version, one_of(versions))
    dead = document.get("dead")
    if dead is not None and not isinstance(dead, bool):
        raise BadInputError("dead", dead, "true or false")
    return KnobOrder(
        version,
        error_rate=_number(document, "error_rate", 1),
        delay_ms=_number(document, "delay_ms", SLOWEST_MS),
        orders=_number(document, "orders", 1),
        dead=dead,
    )


def _number(document: Mapping[str, object], field: str, most: int) -> float | None:
    value = document.get(field)
    if value is None:
        return None
    # A bool is an int to Python, and JSON as Python reads it may hold NaN, which no comparison holds.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise BadInputError(field, str(value) if value != value else value, f"a number from 0 to {most}")  # noqa: PLR0124
    return float(value)
