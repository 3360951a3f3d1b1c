"""Does the queued effects: claims a job, does its duty, and turns the result into an event."""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from bot.bell import Bell
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
SOON = timedelta(milliseconds=5)  # what was due was taken by somebody else, or is due in a moment
PATIENCE = {
    Lane.ASK: timedelta(minutes=2),
    Lane.ROUTE: timedelta(minutes=2),
    Lane.METRICS: timedelta(minutes=2),
    Lane.HOOK: timedelta(hours=24),
    Lane.CHAT: timedelta(hours=24),
}
TRIES = 8  # even when patience is over: time in which nobody worked was no try
FIRST_PAUSE = timedelta(milliseconds=250)
LONGEST_PAUSE = {
    Lane.ASK: timedelta(seconds=5),
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
        self._bells = {lane: Bell() for lane in Lane}
        self._kept_free = Bell()  # of the thread that does rollbacks alone
        self._claiming = {lane: threading.Lock() for lane in Lane}
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
        for bell in (*self._bells.values(), self._kept_free):
            bell.ring(everybody=True)
        for thread in self._threads:
            thread.join(timeout=10)

    def wake(self, lanes: Iterable[Lane] = Lane) -> None:
        """Something was queued in these lanes: look into the outbox now."""
        for lane in lanes:
            if lane is Lane.ROUTE:
                self._kept_free.ring()
            self._bells[lane].ring()

    def step(self, lane: Lane, least: Urgency = Urgency.PROGRESS) -> bool:
        """Claim one job of `lane` and at least this urgency and do it; False when there was none."""
        job, _ = self._claim(lane, least)
        if job is not None:
            self._perform(job, lane)
        return job is not None

    def _perform(self, job: Job, lane: Lane) -> None:
        self._at_hand[job.id] = job
        try:
            self._do(job, lane)
        finally:
            del self._at_hand[job.id]

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
        bell = self._kept_free if is_kept_free else self._bells[lane]
        while not self._stopping.is_set():
            heard = bell.heard
            try:
                pause = self._turn(lane, is_kept_free=is_kept_free)
            except StorageError as error:
                log.warning("lane=%s outbox unreachable: %s", lane, error)
                pause = IDLE
            if pause is not None and not self._stopping.is_set():
                bell.sleep(heard, pause.total_seconds())

    def _turn(self, lane: Lane, *, is_kept_free: bool) -> timedelta | None:
        """Do one job; how long to sleep when there was none."""
        if is_kept_free:
            job, pause = self._claim(lane, Urgency.ROLLBACK)
        else:
            # One looks and claims at a time: a job that several threads go for costs each a turn at the database.
            with self._claiming[lane]:
                job, pause = self._claim(lane, Urgency.PROGRESS)
        if job is None:
            return pause
        # There may be more, and what comes due meanwhile is somebody else's to wait for.
        self._bells[lane].ring()
        self._perform(job, lane)
        if is_kept_free:
            # What waited behind this rollback is for the others.
            self._bells[lane].ring()
        return None

    def _claim(self, lane: Lane, least: Urgency) -> tuple[Job | None, timedelta]:
        """A job, or how long there will be none unless something is queued."""
        now = self._clock.now()
        quiet = self._quiet.get(lane, now)
        if now < quiet <= now + LONGEST_QUIET:
            return None, min(IDLE, quiet - now)
        # A look before the claim: an idle lane must not take the write lock.
        with self._database.reading() as tx:
            moment = tx.outbox.next_moment(lane, least)
        if moment is None or moment > now:
            return None, min(IDLE, max(moment - now, SOON)) if moment else IDLE
        name = f"{self._holder}:{threading.get_ident()}"
        with self._database.transaction() as tx:
            # What a worker that was killed had at hand goes on here.
            tx.outbox.release_expired(now)
            jobs = tx.outbox.claim(lane, name, now, LEASE, 1, least=least)
        return (jobs[0] if jobs else None), SOON

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
