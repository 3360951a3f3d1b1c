"""How much a process keeps, sampled as it works, and whether that grows with what it has done."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.figures import Figure
from tests.bench.inspected import ASKED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.process import Process

SETTLED = 0.4  # of the samples are warming up: caches fill, pools get their threads
PER = 1_000
# What a thousand releases may add before it is called growth: two connections to a SQLite file, and of memory in use
# less than a small dictionary for each release.
ALLOWED = {
    "Python's blocks in use": 5_000.0,
    "C memory in use": 2.0,
    "objects": 4_000.0,
    "threads": 1.0,
    "file descriptors": 6.0,
}
# What is resident rises and falls with the pieces that lie free between what is in use: it has a height, no slope.
RESIDENT = 240.0
ENTRIES = 10.0
# What fills up to a limit of its own, which the bench may not reach.
LIMITED = {
    "bot.slack.outgoing.SlackChat._seen": "5,000 messages, here 500",
    "bot.guarding.Guarding._asked": "200 questions",
    "bot.metrics.prometheus.PrometheusMetrics._kept": "an hour, here a minute",
    "bot.mesh.istio.IstioMesh._tidying": "an hour, here a minute",
    "storage.releases.Decoded._missed": "a minute",
    "bot.unsent.Unsent._told": "1,000 messages, here 500",
}


@dataclass(frozen=True)
class Sample:
    """The state after `done` releases: `megabytes` as the kernel counts them, and what of them is in use.

    `blocks` are Python's, `native` the megabytes of C code without SQLite's `pages`. What was let go of and lies in
    pieces between what is in use is in neither of them.
    """

    done: int
    megabytes: float
    blocks: int
    native: float
    pages: float
    objects: int
    threads: int
    descriptors: int
    maps: Mapping[str, int]
    kinds: Mapping[str, int]
    tables: Mapping[str, tuple[int, int]]
    log: int
    wal: int

    def __str__(self) -> str:
        in_use = f"{self.blocks:,} blocks and {self.native:.1f} MB of C in use"
        return f"{self.done:,} releases: {self.megabytes:.1f} MB, {in_use}, {self.pages:.1f} MB of pages"


def taken(process: Process, folder: Path, done: int) -> Sample:
    """Ask the process and the kernel now."""
    answers, asked = folder / "answers.jsonl", time.monotonic()
    known, megabytes = _lines(answers), process.megabytes()
    os.kill(process.pid, ASKED)
    while len(found := _lines(answers)) == len(known):
        if time.monotonic() - asked > 60:
            raise TimeoutError(f"the process does not say what it keeps:\n{(folder / 'bot.log').read_text()[-2000:]}")
        time.sleep(0.05)
    told = json.loads(found[-1])
    here = Path(f"/proc/{process.pid}")
    return Sample(
        done,
        megabytes,
        told["blocks"],
        told["native"] / 1e6,
        told["pages"] / 1e6,
        told["objects"],
        len(list((here / "task").iterdir())),
        len(list((here / "fd").iterdir())),
        told["maps"],
        told["kinds"],
        tables(folder / "sluice.db"),
        (folder / "bot.log").stat().st_size,
        _size(folder / "sluice.db-wal"),
    )


def tables(file: Path) -> dict[str, tuple[int, int]]:
    """Rows and bytes of each table with its indexes."""
    database = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        sizes = dict(
            database.execute(
                "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name GROUP BY 1"
            )
        )
        return {
            name: (database.execute(f"SELECT count(*) FROM {name}").fetchone()[0], sizes.get(name, 0)) for name in names
        }
    finally:
        database.close()


def verdict(samples: Sequence[Sample]) -> list[Figure]:
    """What grows per thousand releases, by the slope of the samples after the warm-up."""
    late = samples[int(len(samples) * SETTLED) :]
    span = f"over {late[-1].done - late[0].done:,} releases, {len(late)} samples"
    highest = max(each.megabytes for each in samples)
    figures = [
        Figure("resident memory at its highest", highest, "MB", RESIDENT, f"{late[-1].megabytes:.0f} MB in the end"),
        Figure(f"resident memory per {PER:,} releases", slope(late, lambda each: each.megabytes), "MB", None, span),
        _growth("Python's blocks in use", late, lambda each: each.blocks, "", f"{late[-1].blocks:,} in the end"),
        _growth("C memory in use", late, lambda each: each.native, "MB", f"{late[-1].native:.1f} MB in the end"),
        Figure(f"SQLite's page caches per {PER:,}", slope(late, lambda each: each.pages), "MB", None, _cached(late)),
        _growth("objects", late, lambda each: each.objects, "", f"{late[-1].objects:,} in the end"),
        _growth("threads", late, lambda each: each.threads, "", f"{late[-1].threads} in the end"),
        _growth("file descriptors", late, lambda each: each.descriptors, "", f"{late[-1].descriptors} in the end"),
    ]
    return [*figures, _maps(late), *_stored(late), *_said(late)]


def _cached(late: Sequence[Sample]) -> str:
    return f"{late[0].pages:.1f} to {late[-1].pages:.1f} MB; at most 2 MB for each connection"


def _growth(name: str, late: Sequence[Sample], of: Callable[[Sample], float], unit: str, note: str) -> Figure:
    return Figure(f"{name} per {PER:,} releases", slope(late, of), unit, ALLOWED[name], note)


def _maps(late: Sequence[Sample]) -> Figure:
    names = sorted({name for each in late for name in each.maps})
    slopes = {name: slope(late, lambda each, name=name: each.maps.get(name, 0)) for name in names}  # type: ignore[misc]  # mypy has no types for defaults of a lambda
    grown = {name: value for name, value in slopes.items() if value > ENTRIES}
    said = [
        f"{name} +{value:.0f} to {late[-1].maps.get(name, 0)}" for name, value in grown.items() if name not in LIMITED
    ]
    filling = [f"{name} {late[-1].maps.get(name, 0)} of {LIMITED[name]}" for name in grown if name in LIMITED]
    note = "; ".join([*said, *filling]) or "none"
    return Figure(f"maps that grow without a limit, of {len(names)}", len(said), "", 0, note)


def _stored(late: Sequence[Sample]) -> list[Figure]:
    rows = []
    for name in sorted(late[-1].tables):
        count = slope(late, lambda each, name=name: each.tables[name][0])  # type: ignore[misc]  # as above
        size = slope(late, lambda each, name=name: each.tables[name][1]) / PER / 1024  # type: ignore[misc]  # as above
        if count > 0.5 or size > 0.01:
            rows.append(Figure(f"table {name}", size, "kB/release", None, f"{count / PER:.1f} rows per release"))
    return rows


def _said(late: Sequence[Sample]) -> list[Figure]:
    log = slope(late, lambda each: each.log) / PER / 1024
    wal = max(each.wal for each in late) / 1e6
    return [
        Figure("log per release", log, "kB", None),
        Figure("WAL file at its largest", wal, "MB", 32, f"{late[-1].wal / 1e6:.1f} MB in the end"),
    ]


def slope(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """By how much a figure grows per thousand releases, by least squares."""
    middle = sum(each.done for each in samples) / len(samples)
    spread = sum((each.done - middle) ** 2 for each in samples)
    return PER * sum((each.done - middle) * of(each) for each in samples) / spread if spread else 0.0


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text().splitlines() if line.endswith("}")] if file.exists() else []


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
