"""Does the queued effects: claims a job, does its duty, and turns the result into an event."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bot.errors import Fault, SluiceError, Transient
from bot.ports import Clock
from storage.database import Database
from storage.errors import StorageError
from storage.outbox import Job
from strategies.effects import Effect, Lane, SetRoute, Urgency

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=9)  # of a job at hand, renewed while its worker lives; then anybody takes it over
HEARTBEAT = LEASE / 3
IDLE = timedelta(seconds=5)  # how long a lane sleeps when nothing is due and nobody wakes it
PATIENCE = {
    Lane.ROUTE: timedelta(minutes=2),
    Lane.METRICS: timedelta(minutes=2),
    Lane.HOOK: timedelta(hours=24),
    Lane.CHAT: timedelta(hours=24),
}
TRIES = 8  # even when patience is over: time in which nobody worked was no try
FIRST_PAUSE = timedelta(milliseconds=250)
LONGEST_PAUSE = {
    Lane.ROUTE: timedelta(seconds=5),
    Lane.METRICS: timedelta(seconds=30),
    Lane.HOOK: timedelta(seconds=15),
    Lane.CHAT: timedelta(minutes=1),
}
LONGEST_QUIET = timedelta(seconds=5)  # of a lane whose neighbour limits it; decisions wait no longer behind cards

Duty = Callable[[Effect], None]
GaveUp = Callable[[Effect, str, str], None]


class Worker:
    """Threads that work one lane each; a lane never waits for another.

    Of several threads on routes the first does rollbacks alone: an API server that answers slowly may hold all others.

    `duty` does an effect and may be repeated; it raises Transient to be called again and Fault when that is no use.
    `gave_up(effect, key, text)` is told once when an effect ends undone; a rollback's write is told, and goes on.
    While it cannot take that in, the effect is tried on.
    """

    def __init__(
        self, database: Database, clock: Clock, holder: str, duty: Duty, gave_up: GaveUp, threads: Mapping[Lane, int]
    ) -> None:
        self._database = database
        self._clock = clock
        self._holder = holder
        self._duty = duty
        self._gave_up = gave_up
        self._counts = threads
        self._stopping = threading.Event()
        self._bells = {lane: threading.Condition() for lane in Lane}
        self._rung = dict.fromkeys(Lane, 0)
        self._quiet: dict[Lane, datetime] = {}
        self._threads: list[threading.Thread] = []
        self._at_hand: dict[int, Job] = {}

    def start(self) -> None:
        """Work each lane with its number of threads."""
        self._threads.append(threading.Thread(target=self._renew_for_ever, name="leases", daemon=True))
        self._threads[-1].start()
        for lane, count in self._counts.items():
            for n in range(count):
                thread = threading.Thread(target=self._run, args=(lane, n), name=f"{lane}-{n}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def stop(self) -> None:
        """Finish the jobs at hand and claim no more; what is left stays in the outbox."""
        self._stopping.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout=10)

    def wake(self) -> None:
        """Something was committed: look into the outbox now."""
        for lane, bell in self._bells.items():
            with bell:
                self._rung[lane] += 1
                bell.notify_all()

    def step(self, lane: Lane, least: Urgency = Urgency.PROGRESS) -> bool:
        """Claim one job of `lane` and at least this urgency and do it; False when there was none."""
        job = self._claim(lane, least)
        if job is None:
            return False
        self._at_hand[job.id] = job
        try:
            self._do(job, lane)
        finally:
            del self._at_hand[job.id]
        return True

    def renew(self) -> None:
        """Keep what is at hand: a duty may take longer than a lease, a worker that is gone keeps nothing."""
        jobs = list(self._at_hand.values())
        if jobs:
            until = self._clock.now() + LEASE
            with self._database.transaction() as tx:
                for job in jobs:
                    tx.outbox.renew(job, until)

    def _renew_for_ever(self) -> None:
        while not self._stopping.wait(HEARTBEAT.total_seconds()):
            try:
                self.renew()
            except StorageError as error:
                log.warning("leases not renewed: %s", error)

    def _run(self, lane: Lane, n: int) -> None:
        is_kept_free = lane is Lane.ROUTE and n == 0 and self._counts[lane] > 1
        least = Urgency.ROLLBACK if is_kept_free else Urgency.PROGRESS
        while not self._stopping.is_set():
            with self._bells[lane]:
                heard = self._rung[lane]
            try:
                busy = self.step(lane, least)
                pause = timedelta(0) if busy else self._until_due(lane, least)
            except StorageError as error:
                log.warning("lane=%s outbox unreachable: %s", lane, error)
                busy, pause = False, IDLE
            if not busy:
                with self._bells[lane]:
                    if self._rung[lane] == heard and not self._stopping.is_set():
                        self._bells[lane].wait(pause.total_seconds())

    def _claim(self, lane: Lane, least: Urgency) -> Job | None:
        now = self._clock.now()
        if now < self._quiet.get(lane, now):
            return None
        # A look before the claim: an idle lane must not take the write lock.
        due = self._next(lane, least)
        if due is None or due > now:
            return None
        name = f"{self._holder}:{threading.get_ident()}"
        with self._database.transaction() as tx:
            # What a worker that was killed had at hand goes on here.
            tx.outbox.release_expired(now)
            jobs = tx.outbox.claim(lane, name, now, LEASE, 1, least=least)
        return jobs[0] if jobs else None

    def _until_due(self, lane: Lane, least: Urgency) -> timedelta:
        due = self._next(lane, least)
        if due is None:
            return IDLE
        due = max(due, self._quiet.get(lane, due))
        return min(IDLE, max(due - self._clock.now(), timedelta(milliseconds=5)))

    def _next(self, lane: Lane, least: Urgency) -> datetime | None:
        """When there is something to claim: a job is due, or somebody's claim runs out."""
        with self._database.reading() as tx:
            return tx.outbox.next_moment(lane, least)

    def _do(self, job: Job, lane: Lane) -> None:
        try:
            self._duty(job.effect)
        except Transient as error:
            self._again(job, lane, str(error), error.retry_after)
        except Fault as error:
            self._undone(job, lane, str(error))
        except StorageError as error:
            log.warning("effect=%s release=%s database: %s", _name(job), job.release, error)
            self._again(job, lane, str(error), None)
        except Exception as error:
            # The one broad except: whatever a duty did not foresee is recorded and told, never lost.
            log.exception("effect=%s release=%s failed unforeseen", _name(job), job.release)
            self._undone(job, lane, f"{_name(job)} failed: {type(error).__name__}: {error}")
        else:
            with self._database.transaction() as tx:
                tx.outbox.done(job)
            log.info("done effect=%s release=%s attempts=%d", _name(job), job.release, job.attempts)

    def _again(self, job: Job, lane: Lane, text: str, retry_after: float | None) -> None:
        now = self._clock.now()
        waited = now - job.first_queued_at
        tried_enough = waited >= PATIENCE[lane] and job.attempts >= TRIES
        if retry_after is None and tried_enough and not _is_rollback(job.effect):
            self._undone(job, lane, f"{text} (tried for {int(waited.total_seconds())} s)")
            return
        if retry_after is not None and lane is Lane.CHAT:
            # The limit is the neighbour's, not the job's: a thousand cards must not each ask and be refused.
            self._quiet[lane] = now + min(timedelta(seconds=retry_after), LONGEST_QUIET)
        self._put_off(job, now + _pause(job, lane, retry_after), text)

    def _undone(self, job: Job, lane: Lane, text: str) -> None:
        now = self._clock.now()
        try:
            self._gave_up(job.effect, f"failed:{job.id}", text)
        except (SluiceError, StorageError) as error:
            # A failure that nobody was told of is none yet: its release would wait for it for ever.
            log.error("effect=%s release=%s: failed, and not told: %s", _name(job), job.release, error)
            self._put_off(job, now + LONGEST_PAUSE[lane], text)
            return
        if _is_rollback(job.effect):
            # A rollback's write has no limit: it goes on while people are called.
            self._put_off(job, now + LONGEST_PAUSE[lane], text)
            return
        log.error("gave up effect=%s release=%s: %s", _name(job), job.release, text)
        with self._database.transaction() as tx:
            tx.outbox.fail(job, text)

    def _put_off(self, job: Job, at: datetime, text: str) -> None:
        log.info("again effect=%s release=%s attempts=%d: %s", _name(job), job.release, job.attempts, text)
        with self._database.transaction() as tx:
            tx.outbox.retry(job, at, text)


def _pause(job: Job, lane: Lane, retry_after: float | None) -> timedelta:
    # A rollback does not wait as long as a busy neighbour would like.
    if retry_after is not None and not _is_rollback(job.effect):
        return min(timedelta(seconds=retry_after), timedelta(minutes=10))
    doublings = min(job.attempts, 10)
    pause = min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE[lane])
    return max(pause, min(timedelta(seconds=retry_after or 0), LONGEST_PAUSE[lane]))


def _is_rollback(effect: Effect) -> bool:
    return isinstance(effect, SetRoute) and effect.urgency is Urgency.ROLLBACK


def _name(job: Job) -> str:
    return type(job.effect).__name__
