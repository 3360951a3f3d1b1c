"""The real schedule with its alarms rung by hand: what is due is decided by APScheduler's own triggers."""

from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.date import DateTrigger

from bot.ports import Clock
from bot.schedule import Schedule

TICK = timedelta(microseconds=1)


class Alarms:
    """The jobs that the schedule keeps, run one after the other when their time has come."""

    def __init__(self, schedule: Schedule, clock: Clock) -> None:
        self.schedule = schedule
        self._clock = clock
        self._rung: dict[str, datetime] = {}
        # Started but paused, APScheduler keeps its jobs like a running one and runs none by itself.
        self._scheduler: Any = schedule._scheduler
        start = self._scheduler.start
        self._scheduler.start = lambda: start(paused=True)

    def start(self) -> None:
        """Rebuild the alarms from the database."""
        began = self._clock.now()
        self.schedule.start()
        for job in self._scheduler.get_jobs():
            if job.id in ("sweep", "prune"):  # they count from the machine's time
                job.trigger.start_date = began + job.trigger.interval

    def ring(self) -> bool:
        """Run the first job that is due; False when none is."""
        now = self._clock.now()
        for id, at, job in self._due():
            if at <= now:
                self._rung[id] = now
                job.func()
                return True
        return False

    def ahead(self) -> list[datetime]:
        """When the alarms ring next."""
        return [at for _, at, _ in self._due()]

    def _due(self) -> list[tuple[str, datetime, Any]]:
        found = []
        for job in self._scheduler.get_jobs():
            # A wake that was moved to another time is another job.
            id = f"{job.id} {getattr(job.trigger, 'run_date', '')}"
            at = self._at(id, job.trigger)
            if at is not None:
                found.append((id, at, job))
        return sorted(found, key=lambda each: each[:2])

    def _at(self, id: str, trigger: Any) -> datetime | None:
        last = self._rung.get(id)
        if isinstance(trigger, DateTrigger):
            at: datetime | None = None if last else trigger.run_date
        else:
            at = trigger.get_next_fire_time(None, last + TICK if last else self._clock.now())
        return at
