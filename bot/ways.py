"""The part of a profile that says how each strategy releases: matches, mirrored percents, preview, pipelines."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bot.hooks import smoke
from strategies import matches, steps
from strategies.pipeline import OPENING
from strategies.plan import SideEffects, StrategyName
from strategies.reasons import Refused
from strategies.routing import HUNDRED, Match

DEFAULT_MIRROR = (Decimal(1), Decimal(10), Decimal(50))  # a shadow starts low: its requests come on top of everybody's
Sticky = Literal["cookie"]


def step(value: object) -> object:
    """A percentage as people write it."""
    try:
        return Decimal(str(value).strip().removesuffix("%").strip())
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a percentage such as 5 or 0.5") from error


Step = Annotated[Decimal, BeforeValidator(step, json_schema_input_type=float)]


def _askable(address: str) -> str:
    trouble = smoke.trouble(address) if address else ""
    if trouble:
        raise ValueError(trouble)
    return address


def _several(value: object) -> object:
    """One alone may be written without a list."""
    return value if isinstance(value, list | tuple) else [value]


def _readable(written: tuple[str, ...]) -> tuple[str, ...]:
    for text in written:
        found = matches.read(text, "candidate")
        if isinstance(found, Refused):
            raise ValueError(found.text)
    return written


def _rising(shares: tuple[Decimal, ...]) -> tuple[Decimal, ...]:
    trouble = steps.trouble(shares, last=None)
    if trouble:
        raise ValueError(f"{trouble} Percents rise from above 0 to at most 100, for example 1, 10, 50")
    return shares


Matches = Annotated[
    tuple[str, ...], BeforeValidator(_several, json_schema_input_type=list[str] | str), AfterValidator(_readable)
]
Shares = Annotated[
    tuple[Step, ...], BeforeValidator(_several, json_schema_input_type=list[float] | float), AfterValidator(_rising)
]


class Ways(BaseModel):
    """What the strategies need beside steps and holds. Each key speaks to one strategy alone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Matches = Field((), description="ab: whose requests get the candidate, such as header:x-beta=1")
    inside: Shares = Field((HUNDRED,), description="ab: percents of the matched requests, rising")
    preview: Matches = Field(
        (), description="blue-green: the header or host that reaches the candidate before the switch"
    )
    mirror: Shares = Field(DEFAULT_MIRROR, description="shadow: percents of requests that are copied, rising")
    sticky: Sticky | None = Field(None, description="canary and phased: a cookie keeps each person at their version")
    smoke: Annotated[str, AfterValidator(_askable)] = Field(
        "", description="blue-green: address of a smoke test that decides the preview, asked by POST"
    )
    side_effects: SideEffects | None = Field(
        None, description="what mirrored requests do to data stores and external APIs; shadow is refused without it"
    )


def matches_of(written: Sequence[str], candidate: str) -> tuple[Match, ...]:
    """The matches that the profile's words say, leading to the candidate; they were read once already."""
    found = (matches.read(text, candidate) for text in written)
    return tuple(match for match in found if isinstance(match, Match))


def orderly(parts: Sequence[StrategyName]) -> None:
    """Raise ValueError for a pipeline that is none."""
    if len(parts) == 1:
        raise ValueError("a pipeline has at least two parts; one strategy alone is `strategy`")
    if len(set(parts)) < len(parts):
        raise ValueError("a strategy comes once in a pipeline")
    strange = next((part for part in parts[:-1] if part not in OPENING), None)
    if strange is not None:
        raise ValueError(f"{strange} can only come last; before it may stand {', '.join(sorted(OPENING))}")
