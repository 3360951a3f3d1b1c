"""What all commands share: formats, exit codes, and how a refusal is printed."""

import json
import sys
from enum import IntEnum, StrEnum
from typing import Annotated, NoReturn

import typer

from strategies.reasons import Refused


class Format(StrEnum):
    """How an answer is written to stdout."""

    TABLE = "table"
    JSON = "json"


class Exit(IntEnum):
    """Exit codes, the same for every command."""

    DONE = 0
    OUR_FAULT = 1
    USAGE = 2
    REFUSED = 3
    ROLLED_BACK = 4
    UNREACHABLE = 5


FormatOption = Annotated[Format, typer.Option("--format", help="json: JSON alone on stdout, messages on stderr.")]


def print_json(value: object) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")


def stop(code: Exit, *lines: str) -> NoReturn:
    """Say why on stderr and exit."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def refuse(refused: Refused, format: Format) -> NoReturn:
    """Print a refusal where the caller reads it, and exit 3."""
    if format is Format.JSON:
        print_json({"reason_code": refused.reason_code, "text": refused.text})
        raise typer.Exit(Exit.REFUSED)
    stop(Exit.REFUSED, f"{refused.text} ({refused.reason_code})")
