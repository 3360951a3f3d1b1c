"""Runs the bench: `python -m tests.bench [PART ...] [--releases N] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.bench import commands, endurance, failover, histories, idle, many, one, pictures
from tests.bench.figures import Figure, document, table

PARTS = ("commands", "pictures", "one", "many", "four", "idle", "histories", "failover", "endurance")


def main() -> int:
    """Print the table on stderr and JSON on stdout; always 0, for a figure is read and not judged here."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--releases", type=int, default=1_000, help="active releases of many, four and idle")
    parser.add_argument("--wait", action="append", choices=idle.WAITS, help="of idle; default: each")
    parser.add_argument("--turns", type=int, default=2_400, help="short releases of endurance")
    parser.add_argument("--minutes", type=float, default=60, help="at most, of endurance")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    asked = parser.parse_args()
    figures: list[Figure] = []
    for part in asked.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
            found = _measured(part, Path(folder), asked)
        print(table(found), file=sys.stderr, flush=True)
        figures.extend(found)
    text = json.dumps(document(figures), indent=1)
    if asked.json:
        asked.json.write_text(text)
    print(text)
    return 0


def _measured(part: str, folder: Path, asked: argparse.Namespace) -> list[Figure]:
    match part:
        case "commands":
            return commands.measured(folder)
        case "pictures":
            return pictures.measured()
        case "one":
            return one.measured(folder)
        case "many":
            return [*many.measured(folder, asked.releases, 2), many.judging()]
        case "four":
            return many.measured(folder, asked.releases, 4)
        case "histories":
            return histories.measured(folder, asked.releases // 10)
        case "failover":
            return failover.measured(folder, min(asked.releases, 150))
        case "endurance":
            return endurance.measured(folder, asked.turns, asked.minutes)
        case _:
            return idle.measured(folder, asked.releases, asked.wait or idle.WAITS)


if __name__ == "__main__":
    raise SystemExit(main())
