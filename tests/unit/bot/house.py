"""The engine on a real database, with the neighbours that a test needs in memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.engine import Engine
from bot.ports import Clock
from storage.database import Database
from storage.journal import Entry
from storage.outbox import Job
from strategies.decision import Decision
from strategies.events import Event, Prepared, ReleaseRequested, RouteConfirmed
from strategies.plan import Plan
from strategies.release import Phase, Release, Rules
from tests.builders import a_plan, a_target
from tests.fakes import FakeClock
from tests.unit.core.events_of import ALICE, PASSES, a_look


@dataclass
class House:
    """An engine, its database and its clock."""

    database: Database
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.engine = Engine(self.database, self.clock)

    def decide(self, event: Event) -> Release:
        """The release after an event that must not be refused."""
        outcome = self.engine.submit(event)
        assert isinstance(outcome, Decision), outcome
        return outcome.release

    def begin(self, service: str = "reviews", plan: Plan | None = None, rules: Rules | None = None) -> Release:
        """A release of this service, being prepared."""
        return self.decide(request(service, plan, rules))

    def shifted(self, service: str = "reviews", rules: Rules | None = None) -> Release:
        """A release that has asked for its first split."""
        release = self.begin(service, rules=rules)
        route = f"shop/{service}/http/main"
        return self.decide(Prepared(release.id, f"prepared:{release.id}", {route: "{}"}))

    def written(self, service: str = "reviews", rules: Rules | None = None) -> Release:
        """A release whose first split was read back."""
        release = self.shifted(service, rules)
        confirmed = RouteConfirmed(
            release.id, f"c:{release.id}:{release.revision}", f"shop/{service}", release.revision
        )
        return self.decide(confirmed)

    def observed(self, service: str = "reviews", rules: Rules | None = None) -> Release:
        """A release whose first split was seen in traffic a second after it was written."""
        release = self.written(service, rules)
        at = self.clock.tick(seconds=1)
        release = self.decide(a_look(release, PASSES, at))
        assert release.phase is Phase.OBSERVING
        return release

    def journal(self, release: str) -> list[Entry]:
        """What the journal says of a release."""
        with self.database.reading() as tx:
            return tx.journal.of(release)

    def jobs(self, release: str) -> list[Job]:
        """What is still to be done for a release."""
        with self.database.reading() as tx:
            return tx.outbox.pending(release)

    def save(self, release: Release) -> None:
        """Put the release where a test needs it."""
        with self.database.transaction() as tx:
            known = tx.releases.get(release.id)
            assert known is not None
            tx.releases.save(release, known.row_version)

    def stored(self, release: str) -> Release:
        """The release as the database has it."""
        found = self.engine.release(release)
        assert found is not None
        return found


def request(service: str = "reviews", plan: Plan | None = None, rules: Rules | None = None) -> ReleaseRequested:
    """Alice asks for a service's v2."""
    plan = plan or a_plan(service=service)
    return ReleaseRequested("", f"ask:{service}", ALICE, (a_target(service),), plan, rules or Rules(), "C1")


@cache
def _migrated() -> bytes:
    """An empty database of the present schema; migrating takes longer than most tests."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "template.db"
        with Database(f"sqlite:///{file}") as database:
            database.migrate()
        with closing(sqlite3.connect(file)) as connection:
            return connection.serialize()


def open_database(folder: Path) -> Database:
    """A migrated SQLite file in `folder`; the one that is there already is opened as it is."""
    file = folder / "sluice.db"
    if not file.exists():
        file.write_bytes(_migrated())
    database = Database(f"sqlite:///{file}")
    database.migrate()
    return database


@contextmanager
def live_engine(folder: Path, clock: Clock) -> Iterator[tuple[Database, Engine]]:
    """A database and an engine whose clock runs."""
    with open_database(folder) as database:
        yield database, Engine(database, clock)
