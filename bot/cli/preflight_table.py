"""A preflight for people: a table of the gates, one of the stages, warnings and advice."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bot.preflight import Asked, Found
from bot.preflight_rows import GATE_COLUMNS, STAGE_COLUMNS, gate_rows, stage_rows, traffic


def show(asked: Asked, found: Found) -> None:
    """Print the preflight."""
    console = Console(highlight=False)
    target = asked.target
    console.print(
        f"Preflight of {target.host}: {target.baseline} -> {target.candidate}, {asked.plan.strategy}; {traffic(found)}",
        markup=False,
    )
    for columns, rows in ((GATE_COLUMNS, gate_rows(found)), (STAGE_COLUMNS, stage_rows(asked, found))):
        console.print()
        console.print(_table(columns, rows))
    console.print()
    for warning in found.warnings:
        console.print(f"! {warning}", markup=False)
    console.print(found.advice, markup=False)


def _table(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*row)
    return table
