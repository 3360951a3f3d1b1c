"""A clock that is set back stops nothing: looks, sweeps and what was put off go on by the new time."""

from datetime import timedelta
from pathlib import Path

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from bot.setbacks import Setbacks
from strategies.effects import Lane, SetRoute, Urgency
from tests.builders import NOW
from tests.fakes import FakeClock
from tests.unit.bot.house import House, live_engine
from tests.unit.bot.test_schedule import CLOCK, running, shifting

HOUR = timedelta(hours=1)


class Watch:
    """A clock to be set, and the seconds that passed all the same."""

    def __init__(self) -> None:
        self.clock, self.seconds, self.told = FakeClock(), 0.0, 0
        self.setbacks = Setbacks(self.clock, self._tell, lambda: self.seconds)

    def after(self, shown: float, passed: float) -> int:
        """How often was told, once the clock shows and the world had so many seconds more."""
        self.clock.tick(seconds=shown)
        self.seconds += passed
        self.setbacks.look()
        return self.told

    def _tell(self) -> None:
        self.told += 1


@pytest.mark.parametrize(("shown", "told"), [(5.0, 0), (4.1, 0), (3.9, 1), (-3600.0, 1), (3600.0, 0)])
def test_a_clock_that_is_behind_what_passed_is_told(shown: float, told: int) -> None:
    assert Watch().after(shown, 5.0) == told


def test_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    watch = Watch()
    assert [watch.after(-3600.0, 5.0), watch.after(5.0, 5.0)] == [1, 1]
    assert "set back by 1:00:05" in caplog.text


def test_what_repeats_is_due_within_its_interval_again(tmp_path: Path) -> None:
    with live_engine(tmp_path, CLOCK) as (database, engine), running(engine, database) as schedule:
        shifting(engine)
        repeating = [each for each in schedule._scheduler.get_jobs() if isinstance(each.trigger, IntervalTrigger)]
        for job in repeating:
            job.modify(next_run_time=CLOCK.now() + 24 * HOUR)
        schedule.realign()
        late = [each.id for each in repeating if each.next_run_time > CLOCK.now() + each.trigger.interval]
        assert (sorted(each.id for each in repeating), late) == (["looks:1", "prune", "sweep"], [])


def test_a_rollback_that_was_put_off_by_the_old_clock_is_due(house: House) -> None:
    back = SetRoute("r-1", "shop/r", Urgency.ROLLBACK)
    with house.database.transaction() as tx:
        tx.outbox.put([back], NOW + HOUR, 1)
        assert tx.outbox.claim(Lane.ROUTE, "worker", NOW, HOUR, 1) == []
        tx.outbox.hasten(NOW)
        assert [job.effect for job in tx.outbox.claim(Lane.ROUTE, "worker", NOW, HOUR, 1)] == [back]


def test_what_is_put_off_as_usual_is_left_alone(house: House) -> None:
    with house.database.transaction() as tx:
        tx.outbox.put([SetRoute("r-1", "shop/r")], NOW + timedelta(minutes=10), 1)
        tx.outbox.hasten(NOW, timedelta(minutes=11))
        assert tx.outbox.claim(Lane.ROUTE, "worker", NOW, HOUR, 1) == []


def test_a_claim_of_the_old_clock_runs_out(house: House) -> None:
    with house.database.transaction() as tx:
        tx.outbox.put([SetRoute("r-1", "shop/r")], NOW, 1)
        tx.outbox.claim(Lane.ROUTE, "gone", NOW, HOUR, 1)
        tx.outbox.hasten(NOW)
        assert tx.outbox.release_expired(NOW) == 1
