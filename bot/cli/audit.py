"""`sluice audit`: who did what to a release, when, why, on which evidence."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.output import Exit, Format, FormatOption, print_json, refuse, stop
from bot.cli.stored import stored_in
from strategies.reasons import ReasonCode, Refused

if TYPE_CHECKING:
    from storage.journal import Entry


def audit(
    release: Annotated[str, typer.Argument(help="Id of the release, such as reviews-1.")],
    format: FormatOption = Format.TABLE,
) -> None:
    """Print the journal of a release from the bot's database (SLUICE_DATABASE)."""
    from storage.database import Database  # noqa: PLC0415
    from storage.errors import BadDatabase, StorageError  # noqa: PLC0415

    url = stored_in()
    try:
        with Database(url) as database, database.reading() as tx:
            entries = tx.journal.of(release)
    except BadDatabase as error:
        stop(Exit.USAGE, f"SLUICE_DATABASE: {error}")
    except StorageError as error:
        stop(Exit.UNREACHABLE, f"The database does not answer: {error}")
    if not entries:
        refuse(Refused(ReasonCode.UNKNOWN_RELEASE, f"The journal knows no release {release!r}."), format)
    rows = [_row(entry) for entry in entries]
    if format is Format.JSON:
        print_json(rows)
        return
    table = Table("When (UTC)", "Who", "What", "Phase", "Why", box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(str(row["at"])[:19], str(row["actor"]), str(row["event"]), str(row["to"]), str(row["text"]))
    Console().print(table)


def _row(entry: "Entry") -> dict[str, object]:
    return {
        "at": entry.at.isoformat(timespec="seconds"),
        "actor": entry.actor_name,
        "event": entry.event,
        "from": entry.phase_before,
        "to": entry.phase_after,
        "revision": entry.revision,
        "reason_code": entry.reason_code,
        "text": entry.text,
        "evidence": entry.evidence,
    }
