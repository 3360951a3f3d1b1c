"""Wakes and looks on time: the truth is `wake_at` in the database, APScheduler only keeps the alarm clock."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from bot.engine import Engine
from bot.errors import Transient
from bot.looks import Looks, intervals
from bot.ports import Clock
from storage.database import Database
from storage.errors import StorageError
from strategies.events import WakeReached
from strategies.release import Release

log = logging.getLogger(__name__)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONG_AGO = timedelta(days=3_650)  # a clock is not set back by more
SWEEP = timedelta(seconds=5)
PRUNE = timedelta(hours=1)
KEPT = timedelta(days=30)  # looks, where nobody says otherwise
PRUNED_AT_ONCE = 500
BETWEEN_PRUNES = 0.05  # seconds, for whoever else wants to write
DONE_KEPT = timedelta(days=2)  # jobs of the outbox
HELD = 0.9  # of an interval: one replica takes each tick, and the next tick of a killed one is anybody's
GRACE = 3600  # seconds; a wake is never skipped for being late, the machine judges what is still allowed
STOP = timedelta(seconds=10)  # for the jobs at hand
LONGEST_RETRY = timedelta(minutes=11)  # nothing is put off for longer but by a clock that was set back since
LATE = timedelta(seconds=1)  # what the sweep takes over from a replica that did not wake its release


class Schedule:
    """One date job per waiting release, one interval job per look interval in use, one sweep."""

    def __init__(  # noqa: PLR0913 - the composition root is the only caller but tests
        self,
        engine: Engine,
        database: Database,
        looks: Looks,
        clock: Clock,
        holder: str,
        *,
        kept: timedelta = KEPT,
        swept: Callable[[Sequence[Release]], None] = lambda _: None,
    ) -> None:
        """`swept` hears of all active releases at each sweep: those of other replicas are heard of nowhere else."""
        self._engine = engine
        self._database = database
        self._looks = looks
        self._clock = clock
        self._holder = holder
        self._kept = kept
        self._swept = swept
        self._lock = threading.Lock()
        self._work = threading.Condition()
        self._running = 0
        self._is_stopping = False
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(4), "looks": ThreadPoolExecutor(2)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": GRACE},
        )

    def start(self) -> None:
        """Rebuild all alarms from the database and begin."""
        releases = self._engine.active()
        self.follow(releases)
        for name, run, every in (("sweep", self._sweep, SWEEP), ("prune", self._prune, PRUNE)):
            # Of another beginning than looks, and no two replicas at once.
            began = self._clock.now() - LONG_AGO
            self._scheduler.add_job(self._guarded(run), _every(every, began), id=name)
        self._scheduler.start()
        self._guarded(partial(self._hasten, LONGEST_RETRY))()

    def stop(self) -> None:
        """Let running jobs end and start no more."""
        with self._work:
            self._is_stopping = True
            self._work.notify_all()
        if self._scheduler.running:
            # APScheduler would wait under a lock that a running job needs to set its next alarm.
            self._scheduler.shutdown(wait=False)
        with self._work:
            if not self._work.wait_for(lambda: self._running == 0, timeout=STOP.total_seconds()):
                log.warning("%d jobs still run after %s", self._running, STOP)

    def follow(self, releases: Sequence[Release]) -> None:
        """Set, move or remove the alarms of releases that were just saved."""
        with self._lock:
            if self._is_stopping:
                return
            for release in releases:
                self._set_wake(release.id, release.wake_at)
            for every in intervals(releases):
                self._set_looks(every)

    def realign(self) -> None:
        """The clock was set back: what repeats, and what was put off, would wait until it is as late again."""
        with self._lock:
            for job in self._scheduler.get_jobs() if not self._is_stopping else ():
                if isinstance(job.trigger, IntervalTrigger):
                    with suppress(JobLookupError):
                        job.modify(next_run_time=job.trigger.get_next_fire_time(None, self._clock.now()))
        self._guarded(partial(self._hasten, timedelta(0)))()

    def _hasten(self, beyond: timedelta) -> None:
        with self._database.transaction() as tx:
            tx.outbox.hasten(self._clock.now(), beyond)

    def _set_wake(self, id: str, wake_at: datetime | None) -> None:
        job = f"wake:{id}"
        known = self._scheduler.get_job(job)
        if wake_at is None:
            if known:
                # It may go off between the question and the answer, and is gone then.
                with suppress(JobLookupError):
                    self._scheduler.remove_job(job)
        elif known is None or known.trigger.run_date != wake_at:
            run = self._guarded(lambda: self._wake(id, wake_at))
            # A second instance is harmless: the event's key is the wake's time.
            self._scheduler.add_job(run, DateTrigger(wake_at), id=job, replace_existing=True, max_instances=3)

    def _set_looks(self, every: timedelta) -> None:
        job = f"looks:{every.total_seconds():g}"
        if self._scheduler.get_job(job) is None:
            run = self._guarded(lambda: self._look(every, job))
            self._scheduler.add_job(run, _every(every), id=job, executor="looks")

    def _wake(self, id: str, due: datetime) -> None:
        self._engine.submit(WakeReached(id, f"wake:{id}:{due.isoformat()}", due))

    def _look(self, every: timedelta, lease: str) -> None:
        with self._database.transaction() as tx:
            mine = tx.leases.take(lease, self._holder, self._clock.now(), every * HELD)
        if mine and not self._looks.take(every):
            # Read before the lock is taken: commits wait for it, a rollback's among them.
            wanted = intervals(self._engine.active())
            with self._lock:
                if every not in wanted and self._scheduler.get_job(lease):
                    self._scheduler.remove_job(lease)

    def _sweep(self) -> None:
        """Wake what another replica left asleep, and take over its look intervals."""
        releases = self._engine.active()
        late = self._clock.now() - LATE
        for release in releases:
            if release.wake_at is not None and release.wake_at < late:
                # Each by itself: one that is being changed by others must not keep the rest asleep.
                self._guarded(partial(self._wake, release.id, release.wake_at))()
        self.follow(releases)
        self._swept(releases)

    def _prune(self) -> None:
        """Forget old looks and done jobs; the journal is kept."""
        now = self._clock.now()
        # In parts, with room between them: a rollback must not wait for the write lock until a month of looks is gone.
        while True:
            with self._database.transaction() as tx:
                forgotten = tx.evidence.prune(now - self._kept, PRUNED_AT_ONCE)
            if forgotten < PRUNED_AT_ONCE:
                break
            with self._work:
                if self._is_stopping or self._work.wait_for(lambda: self._is_stopping, BETWEEN_PRUNES):
                    return
        with self._database.transaction() as tx:
            tx.outbox.prune(now - DONE_KEPT)

    def _guarded(self, run: Callable[[], object]) -> Callable[[], None]:
        def guarded() -> None:
            with self._work:
                if self._is_stopping:
                    return
                self._running += 1
            try:
                run()
            except (Transient, StorageError) as error:
                # The sweep comes back every few seconds, and the truth is in the database.
                log.warning("put off: %s", error)
            finally:
                with self._work:
                    self._running -= 1
                    self._work.notify_all()

        return guarded


def _every(every: timedelta, began: datetime = EPOCH) -> IntervalTrigger:
    # Aligned to the epoch, so that replicas and restarts keep the same grid and releases share a tick.
    return IntervalTrigger(seconds=max(1, round(every.total_seconds())), start_date=began)
