"""A measured figure beside its budget, and how many of them are shown."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Figure:
    """`value` in `unit`; within budget when it is at most `budget`; `note` says under which circumstances."""

    name: str
    value: float
    unit: str
    budget: float | None = None
    note: str = ""

    @property
    def judgement(self) -> str:
        """Whether the budget is kept."""
        if self.budget is None:
            return ""
        return "ok" if self.value <= self.budget else "MISSED"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of all do not exceed."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 1000) // 1000))
    return ordered[rank - 1]


def load() -> str:
    """The machine's load, which a latency must be read with."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def of_runs(name: str, runs: Sequence[Sequence[float]], unit: str, budget: float | None) -> Figure:
    """The p99 of several runs of one latency: their median, with the lowest and the highest beside it."""
    each = sorted(percentile(run, 0.99) for run in runs)
    middle = percentile([value for run in runs for value in run], 0.5)
    spread = f"p99 of {len(runs)} runs x {len(runs[0])}: {', '.join(f'{value:.0f}' for value in each)}"
    return Figure(name, each[len(each) // 2], unit, budget, f"{spread}; median {middle:.0f}; {load()}")


def table(figures: Sequence[Figure]) -> str:
    """All figures, one line each."""
    rows = [
        (each.name, f"{each.value:,.2f} {each.unit}", "" if each.budget is None else f"<= {each.budget:g}")
        for each in figures
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}}  {budget:>{widths[2]}}  {each.judgement:<6}  {each.note}"
        for (name, value, budget), each in zip(rows, figures, strict=True)
    )


def document(figures: Sequence[Figure]) -> list[dict[str, object]]:
    """All figures as JSON."""
    return [asdict(each) | {"judgement": each.judgement} for each in figures]
