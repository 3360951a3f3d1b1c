"""`sluice settings`: every environment variable with its meaning, default and present value."""

import os

from rich.console import Console
from rich.table import Table

from bot.cli.output import Exit, Format, FormatOption, print_json, stop


def settings(format: FormatOption = Format.TABLE) -> None:
    """List every SLUICE_* setting: meaning, default, and what the environment says now. Secrets are not shown."""
    from bot import settings as known  # noqa: PLC0415 - pydantic waits until it is wanted

    rows = []
    for field, info in known.Settings.model_fields.items():
        name = known.variable(field)
        given = os.environ.get(name)
        shown = "(set)" if field in known.SECRETS and given else given
        rows.append(
            {"name": name, "meaning": info.description, "default": _default(info.default), "value": shown},
        )
        if field in known.SECRETS:
            file = f"{name}_FILE"
            rows.append(
                {"name": file, "meaning": f"file that holds {name}", "default": "", "value": os.environ.get(file)}
            )
    if format is Format.JSON:
        print_json(rows)
    else:
        _print(rows)
    try:
        known.load(os.environ)
    except known.WrongSettings as error:
        stop(Exit.USAGE, *error.lines)


def _default(value: object) -> str:
    from datetime import timedelta  # noqa: PLC0415

    from bot import durations  # noqa: PLC0415

    if isinstance(value, timedelta):
        return durations.written(value)
    return "" if value in {None, ()} else str(value)


def _print(rows: list[dict[str, str | None]]) -> None:
    table = Table("Variable", "Meaning", "Default", "Now", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(row["name"], row["meaning"], row["default"], row["value"] or "")
    Console().print(table)
