"""`sluice evidence`: every look at a release, with its counts, verdicts and odds."""

import csv
import json
import math
import sys
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.cli.output import Exit, Format, refuse, stop
from bot.cli.stored import stored_in
from strategies.reasons import ReasonCode, Refused

if TYPE_CHECKING:
    from storage.evidence import StoredLook
    from strategies.verdicts import Arm, Verdict

COLUMNS = (
    "at", "seconds", "stage", "baseline_requests", "baseline_errors", "candidate_requests", "candidate_errors",
    "unattributed_errors", "trouble", "gate", "outcome", "baseline", "candidate", "bound", "unit", "harm_odds",
    "safe_odds", "needed_requests", "missing", "reason",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class EvidenceFormat(StrEnum):
    """How looks are written to stdout."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def evidence(
    release: Annotated[str, typer.Argument(help="Id of the release, such as reviews-1.")],
    format: Annotated[
        EvidenceFormat, typer.Option("--format", help="json: JSON alone on stdout; csv: a line per look and gate.")
    ] = EvidenceFormat.TABLE,
) -> None:
    """Print every kept look at a release from the bot's database (SLUICE_DATABASE)."""
    from storage.database import Database  # noqa: PLC0415
    from storage.errors import BadDatabase, StorageError  # noqa: PLC0415

    url = stored_in()
    try:
        with Database(url) as database, database.reading() as tx:
            if tx.releases.get(release) is None:
                refused = Refused(ReasonCode.UNKNOWN_RELEASE, f"The database knows no release {release!r}.")
                refuse(refused, Format.JSON if format is EvidenceFormat.JSON else Format.TABLE)
            count = _print(release, tx.evidence.all_looks(release), format)
    except BadDatabase as error:
        stop(Exit.USAGE, f"SLUICE_DATABASE: {error}")
    except StorageError as error:
        stop(Exit.UNREACHABLE, f"The database does not answer: {error}")
    if not count:
        typer.echo(f"No look at {release} is kept: none was taken, or SLUICE_EVIDENCE_DAYS are over.", err=True)


def document(look: "StoredLook") -> dict[str, object]:
    """One look as plain values for JSON; None where nothing was measured."""
    reading = look.reading
    return {
        "at": look.at.isoformat(),
        "since": reading.since.isoformat(),
        "stage": look.stage,
        "baseline": _arm(reading.baseline),
        "candidate": _arm(reading.candidate),
        "unattributed_errors": reading.unattributed,
        "ready": dict(reading.ready) if reading.ready is not None else None,
        "is_mirrored": reading.is_mirrored,
        "trouble": reading.trouble,
        "troubles": dict(reading.troubles),
        "verdicts": [_verdict(verdict) for verdict in look.verdicts],
    }


def rows(look: "StoredLook") -> Iterator[dict[str, object]]:
    """One look as lines of a table, one per verdict; one without a gate where there is none."""
    reading = look.reading
    head = {
        "at": look.at.isoformat(timespec="seconds"),
        "seconds": (reading.at - reading.since).total_seconds(),
        "stage": look.stage,
        "baseline_requests": reading.baseline.requests,
        "baseline_errors": reading.baseline.errors,
        "candidate_requests": reading.candidate.requests,
        "candidate_errors": reading.candidate.errors,
        "unattributed_errors": reading.unattributed,
        "trouble": reading.trouble,
    }
    for verdict in look.verdicts:
        yield head | _verdict(verdict)
    if not look.verdicts:
        yield head


def _print(release: str, looks: "Iterable[StoredLook]", format: EvidenceFormat) -> int:
    match format:
        case EvidenceFormat.JSON:
            return _json(release, looks)
        case EvidenceFormat.CSV:
            return _csv(looks)
        case EvidenceFormat.TABLE:
            return _table(looks)


def _json(release: str, looks: "Iterable[StoredLook]") -> int:
    # A release of weeks has a hundred thousand looks: they are written as they are read.
    count = 0
    sys.stdout.write(f'{{"release": {json.dumps(release)}, "looks": [')
    for look in looks:
        text = json.dumps(document(look), ensure_ascii=False, allow_nan=False)
        sys.stdout.write(("," if count else "") + "\n" + text)
        count += 1
    sys.stdout.write("\n]}\n")
    return count


def _csv(looks: "Iterable[StoredLook]") -> int:
    writer, count = csv.DictWriter(sys.stdout, COLUMNS), 0
    writer.writeheader()
    for look in looks:
        writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows(look))
        count += 1
    return count


def _table(looks: "Iterable[StoredLook]") -> int:
    table, count = Table(box=None, header_style="bold", pad_edge=False), 0
    for name in ("When (UTC)", "Stage", "Baseline", "Candidate", "Gate", "Verdict", "Harm", "Safe", "Why"):
        table.add_column(name)
    for look in looks:
        for row in rows(look):
            arms = (
                f"{_figure(row[f'{arm}_errors'])} of {_figure(row[f'{arm}_requests'])}"
                for arm in ("baseline", "candidate")
            )
            odds = (_figure(row.get(name)) for name in ("harm_odds", "safe_odds"))
            told = row.get("reason") or row["trouble"]
            table.add_row(
                str(row["at"])[:19], str(look.stage + 1), *arms, str(row.get("gate", "")), str(row.get("outcome", "")),
                *odds, str(told),
            )  # fmt: skip
        count += 1
    Console().print(table, markup=False)
    return count


def _arm(arm: "Arm") -> dict[str, object]:
    return {
        "requests": arm.requests,
        "errors": arm.errors,
        "buckets": {
            f"{edge:g}" if edge < float("inf") else "+Inf": count for edge, count in sorted(arm.buckets.items())
        },
        "counts": {name: list(pair) for name, pair in arm.counts.items()},
        "gauges": {name: level if math.isfinite(level) else None for name, level in arm.gauges.items()},
    }


def _verdict(verdict: "Verdict") -> dict[str, object]:
    return {
        "gate": verdict.gate,
        "outcome": verdict.outcome.value,
        "baseline": verdict.baseline,
        "candidate": verdict.candidate,
        "bound": verdict.bound,
        "unit": verdict.unit,
        "harm_odds": verdict.harm_odds,
        "safe_odds": verdict.safe_odds,
        "needed_requests": verdict.needed_requests,
        "missing": verdict.missing,
        "reason": verdict.reason,
    }


def _cell(value: object) -> object:
    # Spreadsheets run what begins like a formula; names and errors come from outside.
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _figure(value: object) -> str:
    return f"{value:,.6g}" if isinstance(value, int | float) else "–"
