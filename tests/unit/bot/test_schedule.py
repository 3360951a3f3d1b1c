"""The truth is `wake_at` in the database: a new schedule on an old database wakes at the right second."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import schedule as schedules
from bot.engine import Engine, Outcome
from bot.errors import Transient
from bot.looks import Looks
from bot.schedule import Schedule
from storage.database import Database
from strategies.decision import Decision
from strategies.events import Event, Prepared, ScheduleRequested, WakeReached
from strategies.release import Phase, Release, Rules
from tests.builders import a_reading
from tests.fakes import FakeClock, FakeMesh, FakeMetrics, OffsetClock
from tests.patience import PATIENCE, comes_true
from tests.unit.bot.house import live_engine, request
from tests.unit.core.events_of import ALICE

CLOCK = OffsetClock()


@pytest.fixture
def alarms_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No sweep comes to help: what wakes in time was woken by its own alarm."""
    monkeypatch.setattr(schedules, "SWEEP", timedelta(hours=1))


def begin_at(engine: Engine, at: datetime, service: str = "reviews") -> Release:
    """A release that waits for its start."""
    outcome = engine.submit(replace(request(service), starts_at=at))
    assert isinstance(outcome, Decision)
    assert outcome.release.wake_at == at
    return outcome.release


@contextmanager
def running(
    engine: Engine,
    database: Database,
    holder: str = "one",
    swept: Callable[[Sequence[Release]], None] = lambda _: None,
) -> Iterator[Schedule]:
    """A schedule at work."""
    looks = Looks(engine, FakeMetrics(), FakeMesh.shop(), CLOCK)
    schedule = Schedule(engine, database, looks, CLOCK, holder, swept=swept)
    engine.on_commit(schedule.follow)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def shifting(engine: Engine) -> Release:
    """A release that is looked at every second."""
    asked = engine.submit(replace(request(), rules=Rules(look=timedelta(seconds=1))))
    assert isinstance(asked, Decision)
    shifted = engine.submit(Prepared(asked.release.id, "p", {"shop/reviews/http/main": "{}"}))
    assert isinstance(shifted, Decision)
    return shifted.release


def fail_first(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first wake finds no database."""
    failures: list[str] = []
    submit = engine.submit

    def failing(event: Event) -> Outcome:
        if isinstance(event, WakeReached) and not failures:
            failures.append("failed")
            raise Transient("The database does not answer: gone")
        return submit(event)

    monkeypatch.setattr(engine, "submit", failing)
    return failures


def entered(engine: Engine, release: Release) -> datetime:
    """When the release was woken into preparing."""
    assert comes_true(lambda: phase(engine, release) is Phase.PREPARING)
    woken = engine.release(release.id)
    assert woken is not None
    return woken.entered_at


def phase(engine: Engine, release: Release) -> Phase:
    """Where the release stands now."""
    found = engine.release(release.id)
    assert found is not None
    return found.phase


def test_a_release_is_woken_at_its_time_and_not_before(tmp_path: Path, alarms_alone: None) -> None:
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        due = CLOCK.in_seconds(1)
        release = begin_at(engine, due)
        assert entered(engine, release) >= due


def test_a_restart_in_the_middle_of_a_wait_wakes_at_the_right_second(tmp_path: Path, alarms_alone: None) -> None:
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        due = CLOCK.in_seconds(2)
        release = begin_at(engine, due)
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        assert entered(engine, release) >= due


def test_a_time_that_came_while_nobody_ran_is_handled_at_the_next_start(tmp_path: Path) -> None:
    due = CLOCK.in_seconds(1)
    with live_engine(tmp_path, CLOCK) as (_, engine):
        release = begin_at(engine, due)
    time.sleep(max(0.0, (due - CLOCK.now()).total_seconds()) + 0.1)
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        assert entered(engine, release) > due


def test_a_start_that_is_moved_wakes_at_its_new_time_only(tmp_path: Path, alarms_alone: None) -> None:
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database) as schedule:
        release = begin_at(engine, CLOCK.in_seconds(3_600))
        soon = CLOCK.in_seconds(2)
        moved = ScheduleRequested(release.id, "move", ALICE, soon, soon + timedelta(hours=1))
        assert isinstance(engine.submit(moved), Decision)
        alarms = [job.trigger.run_date for job in schedule._scheduler.get_jobs() if job.id.startswith("wake:")]
        assert alarms in ([soon], [])  # the latter on a machine that has taken two seconds for this
        assert entered(engine, release) >= soon


def test_the_sweep_wakes_what_another_replica_left_asleep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "SWEEP", timedelta(seconds=0.2))
    monkeypatch.setattr(schedules, "LATE", timedelta(seconds=0.1))
    with (
        live_engine(tmp_path, CLOCK) as (database, engine),
        running(engine, database),
        live_engine(tmp_path, CLOCK) as (_, elsewhere),
    ):
        release = begin_at(elsewhere, CLOCK.in_seconds(1))
        assert entered(engine, release) >= release.created_at


def test_a_time_that_came_hours_before_the_start_is_handled_by_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So late that the alarm itself is skipped.
    monkeypatch.setattr(schedules, "SWEEP", timedelta(seconds=0.2))
    long_ago = CLOCK.in_seconds(-2 * schedules.GRACE)
    with live_engine(tmp_path, FakeClock(long_ago)) as (_, engine):
        release = begin_at(engine, long_ago + timedelta(minutes=1))
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        assert comes_true(lambda: phase(engine, release) is Phase.PAUSED)


def test_two_replicas_wake_a_release_once(tmp_path: Path) -> None:
    with (
        live_engine(tmp_path, CLOCK) as (database, engine),
        running(engine, database, "one") as schedule,
        live_engine(tmp_path, CLOCK) as (other_database, other),
        running(other, other_database, "two") as another,
    ):
        due = CLOCK.in_seconds(1)
        release = begin_at(engine, due)
        assert entered(other, release) >= release.created_at
        # Whoever comes second, and however late, finds it woken.
        for replica in (schedule, another):
            replica._wake(release.id, due)
        with database.reading() as tx:
            wakes = [entry for entry in tx.journal.of(release.id) if entry.event == WakeReached.__name__]
    assert len(wakes) == 1


def test_looks_are_taken_tick_by_tick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks: list[timedelta] = []

    def take(_: Looks, every: timedelta) -> int:
        ticks.append(every)
        return 1

    monkeypatch.setattr(Looks, "take", take)
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        shifting(engine)
        assert comes_true(lambda: len(ticks) >= 3)
    assert set(ticks) == {timedelta(seconds=1)}


def test_each_tick_of_looks_is_taken_by_one_replica_of_two_and_the_next_of_a_killed_one_by_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, every, taken = FakeClock(), timedelta(seconds=1), list[Looks]()

    def take(looks: Looks, _: timedelta) -> int:
        taken.append(looks)
        return 1

    monkeypatch.setattr(Looks, "take", take)
    with live_engine(tmp_path, clock) as (database, engine):
        looks = [Looks(engine, FakeMetrics(), FakeMesh.shop(), clock) for _ in range(2)]
        one, two = (Schedule(engine, database, each, clock, name) for name, each in zip("ab", looks, strict=True))
        for schedule in (one, two):
            schedule._look(every, "looks:1")  # as its interval job does
        assert taken == looks[:1]
        clock.tick(seconds=1)
        two._look(every, "looks:1")
    assert taken == looks


def test_a_database_that_fails_a_wake_does_not_end_the_schedule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedules, "SWEEP", timedelta(seconds=0.2))
    monkeypatch.setattr(schedules, "LATE", timedelta(seconds=0.1))
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database):
        failures = fail_first(engine, monkeypatch)
        release = begin_at(engine, CLOCK.in_seconds(1))
        assert entered(engine, release) >= release.created_at
    assert failures == ["failed"]


def test_stopping_waits_for_the_job_at_hand_without_locking_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(schedules, "STOP", timedelta(seconds=PATIENCE))
    at_work, stopping = threading.Event(), threading.Event()

    def slow(releases: object) -> None:
        at_work.set()
        assert stopping.wait(PATIENCE)

    with live_engine(tmp_path, CLOCK) as (database, engine):
        release = begin_at(engine, CLOCK.in_seconds(1))
        engine.on_commit(slow)
        with running(engine, database):
            assert at_work.wait(PATIENCE)
            threading.Timer(0.3, stopping.set).start()
        assert "still run" not in caplog.text
        assert phase(engine, release) is Phase.PREPARING


def test_old_looks_are_forgotten_and_the_journal_is_kept(tmp_path: Path) -> None:
    with live_engine(tmp_path, CLOCK) as (database, engine):
        release = begin_at(engine, CLOCK.in_seconds(60))
        old, new = CLOCK.now() - schedules.KEPT - timedelta(days=1), CLOCK.now()
        with database.transaction() as tx:
            for at in (old, new):
                tx.evidence.add(release.id, at, 0, a_reading(at), ())
        schedule = Schedule(engine, database, Looks(engine, FakeMetrics(), FakeMesh(), CLOCK), CLOCK, "one")
        schedule._prune()  # an hourly job; the test does not wait for it
        with database.reading() as tx:
            assert len(tx.evidence.looks(release.id, 10)) == 1
            assert len(tx.journal.of(release.id)) == 1


def test_releases_of_other_replicas_are_heard_of_at_each_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "SWEEP", timedelta(seconds=0.2))
    heard: list[str] = []
    with (
        live_engine(tmp_path, CLOCK) as (database, engine),
        running(engine, database, swept=lambda releases: heard.extend(each.id for each in releases)),
        live_engine(tmp_path, CLOCK) as (_, elsewhere),
    ):
        release = begin_at(elsewhere, CLOCK.in_seconds(60))
        assert comes_true(lambda: release.id in heard)
