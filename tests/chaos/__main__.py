"""`python -m tests.chaos --seed N --minutes M`: a random run, and every promise that it found broken."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos import mesh_checks, process_checks, story_checks
from tests.chaos.driver import Driver
from tests.chaos.observer import Observer
from tests.chaos.world import Wish, World, world

if TYPE_CHECKING:
    from strategies.release import Release

SETTLED_SECONDS = 100


def main(arguments: list[str]) -> int:
    """0: every promise was kept; 1: the broken ones stand on stdout; 2: wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--services", type=int, default=10)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--keep", type=Path, help="a folder for the logs, made anew")
    found = parser.parse_args(arguments)
    if found.database == "sqlite" and found.replicas != 1:
        parser.error("SQLite takes one replica: --replicas 1")
    wish = Wish(
        seed=found.seed,
        minutes=found.minutes,
        replicas=found.replicas,
        database=found.database,
        services=found.services,
    )
    if found.keep:
        found.keep.mkdir(parents=True)
        return _told(wish, found.keep)
    with tempfile.TemporaryDirectory(prefix="sluice-chaos-") as folder:
        return _told(wish, Path(folder))


def _told(wish: Wish, folder: Path) -> int:
    with world(wish, folder) as made:
        observer = Observer(made.database)
        observer.start()
        driver = Driver(made, wish.seed)
        driver.run(wish.minutes * 60)
        driver.nature.heal()
        broken = [*_unsettled(made, observer), *_judged(made, observer), *_ended(made, observer)]
        print(_figures(wish, made, observer))
    for each in broken:
        print(f"BROKEN {each}")
    print(f"seed {wish.seed}: {len(broken)} broken")
    return 1 if broken else 0


def _unsettled(made: World, observer: Observer) -> list[str]:
    """Wait until every release rests; what does not."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while True:
        found = [(each, story_checks.unsettled(made, each)) for each in observer.read()]
        left = [(each, why) for each, why in found if why]
        if not left or time.monotonic() > deadline:
            return [f"{each.id} never came to rest: {why}" for each, why in left]
        time.sleep(0.5)


def _journal(made: World, observer: Observer) -> mesh_checks.Journal:
    with made.database.reading() as tx:
        return {id: tx.journal.of(id) for id in observer.releases}


def _judged(made: World, observer: Observer) -> list[str]:
    releases = observer.read()
    journal = _journal(made, observer)
    found = [*observer.trouble, *mesh_checks.trouble(made, observer, journal)]
    for each in releases:
        found += story_checks.told(each, journal[each.id], made.ledger)
    found += _shown(made, observer)
    found += mesh_checks.standing(made, observer)
    found += process_checks.held(made, made.url)
    found += process_checks.left_over(made)
    return found


def _shown(made: World, observer: Observer) -> list[str]:
    """Cards may follow a moment later."""
    deadline = time.monotonic() + 20
    while True:
        found = [text for each in observer.read() for text in story_checks.shown(made, each)]
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.5)


def _ended(made: World, observer: Observer) -> list[str]:
    """The end of every process, and what it left in its log."""
    observer.stop()
    for replica in made.replicas:
        replica.end(is_calm=True)
    return [*process_checks.ended(made), *process_checks.logged(made), *made.cluster.faults]


def _figures(wish: Wish, made: World, observer: Observer) -> str:
    releases = list(observer.releases.values())
    deaths = sum(len(each.pids) - 1 for each in made.replicas)
    outages = sum(not re.match(r"r\d+ is", each.what) for each in made.ledger.spells)
    asked = f"{wish.minutes:g} min, {wish.replicas} replicas on {wish.database}, {wish.services} services"
    back = [seconds for _, _, seconds in mesh_checks.ways_back(made, observer, _journal(made, observer))]
    lines = [
        f"seed {wish.seed}: {asked}",
        f"releases {len(releases)}: {_listed(Counter(str(each.phase) for each in releases))}",
        f"strategies: {_listed(Counter(_way(each) for each in releases))}",
        f"acts: {_listed(made.ledger.counts)}",
        f"outages and deletions {outages}, deaths {deaths}, writes seen {len(made.calls)}",
        f"ways back around which nothing was wrong {len(back)}, the slowest {max(back, default=0):.2f} s",
        f"expected errors: {_listed(process_checks.errors(made))}",
    ]
    return "\n".join(lines)


def _way(release: Release) -> str:
    return "+".join(str(part) for part in release.plan.parts)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
