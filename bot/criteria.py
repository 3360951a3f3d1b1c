"""What a profile asks of one metric: its bounds, and for a metric of the owner's own how it is read."""

import difflib
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot import margins, templates
from strategies.plan import Better, Kind, MetricGate

LATENCY = ("latency_p50", "latency_p95", "latency_p99")
UNITS = {"errors": "ratio", "outgoing_errors": "ratio", "cpu": "cores", "memory": "bytes"} | dict.fromkeys(
    LATENCY, "ms"
)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WORD = re.compile(r"[A-Za-z€$£¥/]{1,12}")
# What a raw counter is not: we subtract ourselves, and lose no first event of a new series.
_DERIVED = re.compile(r"\b(rate|irate|increase|delta|idelta|deriv)\s*\(")


def _text(value: object) -> object:
    # YAML reads a bare number as one; without its unit it is refused in the same words as any other.
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Bound = Annotated[str, BeforeValidator(_text)]


class Criterion(BaseModel):
    """Bounds of a metric (`limit` absolute, `allowed` and `tolerated` against the baseline), and its query."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Bound | None = Field(None, description="never worse than this, such as 0.1%, 250ms, 0.8 cores")
    allowed: Bound | None = Field(None, description="no worse than the baseline by this, such as +0.1pp, +10%, -2%")
    tolerated: Bound | None = Field(None, description="what must be ruled out before going on; larger than allowed")
    query: str | None = Field(
        None, description="PromQL of a metric of your own, with {{service}} {{version}} {{namespace}} {{look}}"
    )
    per: str | None = Field(None, description="PromQL of what counts are out of; the version's requests if absent")
    kind: Literal["counts", "gauge"] | None = Field(
        None, description="counts: raw counters of events out of requests or per; gauge: one number per version"
    )
    better: Better = Field(Better.LOWER, description="which direction is good")
    unit: str | None = Field(None, description="unit of a gauge of your own, for absolute bounds and for people")

    def gate(self, name: str) -> MetricGate:
        """The gate, bounds in the metric's unit; ValueError names the field and what is allowed."""
        if name in UNITS:
            _refuse_own(self, name)
            return _bounded(self, name, UNITS[name], None)
        _refuse_unreadable(self, name)
        kind = Kind(self.kind or ("gauge" if self.per is None else "counts"))
        return _bounded(self, name, "ratio" if kind is Kind.COUNTS else self.unit or "1", kind)


def _refuse_own(asked: Criterion, name: str) -> None:
    own = [field for field in ("query", "per", "kind", "unit") if getattr(asked, field) is not None]
    if own or asked.better is not Better.LOWER:
        field = own[0] if own else "better"
        raise ValueError(f"metrics.{name}.{field}: {name} is measured by Sluice; give your own another name")


def _refuse_unreadable(asked: Criterion, name: str) -> None:
    if asked.query is None:
        near = difflib.get_close_matches(name, UNITS, 1)
        hint = f"did you mean {near[0]}? A" if near else f"known are {', '.join(UNITS)}; a"
        raise ValueError(f"metrics.{name} is not a metric; {hint} metric of your own needs a query")
    if not _NAME.fullmatch(name):
        raise ValueError(f"metrics.{name}: a metric's name is written in small letters, digits and _, such as orders")
    for field, text in (("query", asked.query), ("per", asked.per)):
        if text is None:
            continue
        try:
            templates.check(text)
        except ValueError as error:
            raise ValueError(f"metrics.{name}.{field}: {error}") from error
        derived = _DERIVED.search(text) if asked.kind != "gauge" and (asked.per or asked.kind) else None
        if derived:
            raise ValueError(
                f"metrics.{name}.{field}: has {derived[1]}(…); counts want the raw counter, such as "
                'orders_total{version="{{version}}"}, and subtract themselves'
            )
    if asked.kind == "gauge" and asked.per is not None:
        raise ValueError(f"metrics.{name}.per: a gauge is one number; per is what counts are out of")
    if asked.unit is not None and (asked.kind == "counts" or asked.per is not None):
        raise ValueError(f"metrics.{name}.unit: counts are told as percent; unit is for a gauge")
    if asked.unit is not None and not _WORD.fullmatch(asked.unit):
        raise ValueError(f"metrics.{name}.unit: {asked.unit!r} is not a word of at most 12 letters, such as EUR")


def _bounded(asked: Criterion, name: str, unit: str, kind: Kind | None) -> MetricGate:
    if asked.limit is None and asked.allowed is None:
        raise ValueError(f"metrics.{name}: needs limit, allowed, or both")
    field = "limit"
    try:
        limit = None if asked.limit is None else margins.limit(asked.limit, unit)
        field = "allowed"
        allowed = None if asked.allowed is None else margins.margin(asked.allowed, unit, asked.better)
        field = "tolerated"
        tolerated = None if asked.tolerated is None else margins.margin(asked.tolerated, unit, asked.better)
    except ValueError as error:
        raise ValueError(f"metrics.{name}.{field}: {error}") from error
    if allowed and tolerated and allowed.relative == tolerated.relative and tolerated.value < allowed.value:
        raise ValueError(
            f"metrics.{name}.tolerated: {asked.tolerated!r} is less than what is allowed, {asked.allowed!r}; "
            "it is the worsening that must be ruled out"
        )
    return MetricGate(name, unit, asked.better, limit, allowed, tolerated, asked.query, asked.per, kind)
