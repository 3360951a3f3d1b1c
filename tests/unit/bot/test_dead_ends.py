"""Nothing waits for ever unseen, and nothing keeps a rollback waiting."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from apscheduler.jobstores.base import JobLookupError

from bot import schedule as schedules
from bot.app import THREADS
from bot.drift import DriftWatch
from bot.duties import Duties
from bot.engine import Outcome
from bot.errors import Fault, Transient
from bot.looks import Looks
from bot.mesh.documents import Document
from bot.ports import RouteOrder, Written
from bot.schedule import Schedule
from bot.worker import LONGEST_PAUSE, Worker
from strategies.effects import Effect, Lane, Prepare, SetRoute, Urgency
from strategies.events import Event
from strategies.release import Drift, Phase
from tests.builders import a_reading
from tests.fakes import FakeMesh, FakeMetrics, unguarded
from tests.patience import PATIENCE
from tests.unit.bot.house import House
from tests.unit.bot.sleepers import Sleepers


def test_a_failure_that_could_not_be_told_is_told_later(house: House) -> None:
    release, tries = house.begin(), 0
    told: list[tuple[Effect, str]] = []

    def forbidden(effect: Effect) -> None:
        nonlocal tries
        tries += 1
        raise Fault("forbidden")

    def gave_up(effect: Effect, key: str, text: str) -> None:
        if tries == 1:
            raise Transient("The database does not answer.")
        told.append((effect, text))

    worker = Worker(house.database, house.clock, "here", forbidden, gave_up, {})
    while not told and tries < 5:
        worker.step(Lane.ASK)
        house.clock.tick(seconds=LONGEST_PAUSE[Lane.ASK].total_seconds())
    assert told == [(Prepare(release.id), "forbidden")]


def a_schedule(house: House) -> Schedule:
    """A schedule that was not started."""
    return Schedule(
        house.engine, house.database, Looks(house.engine, FakeMetrics(), FakeMesh(), house.clock), house.clock, "x"
    )


def test_an_alarm_that_goes_off_while_it_is_taken_away_harms_no_commit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule, release = a_schedule(house), house.observed()
    schedule.follow([release])

    def gone(job: str) -> None:
        raise JobLookupError(job)

    monkeypatch.setattr(schedule._scheduler, "remove_job", gone)
    schedule.follow([replace(release, wake_at=None)])
    assert release.wake_at is not None


def test_one_release_that_cannot_be_woken_keeps_no_other_asleep(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = house.observed(), house.observed("ratings")
    house.clock.tick(hours=2)
    woken, submit = [], house.engine.submit

    def busy(event: Event) -> Outcome:
        woken.append(event.release)
        if event.release == first.id:
            raise Transient("It is being changed by others.")
        return submit(event)

    monkeypatch.setattr(house.engine, "submit", busy)
    a_schedule(house)._sweep()  # every five seconds; the test does not wait for it
    assert sorted(woken) == sorted([first.id, second.id])


def test_old_looks_are_forgotten_in_parts(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    release, old = house.observed(), house.clock.now() - schedules.KEPT - timedelta(days=1)
    with house.database.transaction() as tx:
        for number in range(5):
            at = old + timedelta(seconds=number)
            tx.evidence.add(release.id, at, 0, a_reading(at), ())
    monkeypatch.setattr(schedules, "PRUNED_AT_ONCE", 2)
    a_schedule(house)._prune()  # hourly
    with house.database.reading() as tx:
        assert tx.evidence.looks(release.id, 10) == []


def test_a_hand_edit_is_seen_by_each_release_with_a_route_in_the_object(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []
    mesh, one, other = FakeMesh(), house.observed(), house.observed("ratings")
    watch = DriftWatch(house.engine, mesh, Duties(house.engine, house.clock, mesh, FakeMetrics(), unguarded))
    monkeypatch.setattr(watch, "_compare", lambda id, name: compared.append(id))
    shared = replace(other, targets=one.targets)
    watch.follow([one, shared])
    watch.changed("shop/reviews")
    watch.follow([replace(shared, phase=Phase.COMPLETED)])
    watch.changed("shop/reviews")
    assert compared == [other.id, one.id, one.id]


def test_an_api_server_that_hangs_on_splits_leaves_a_thread_for_rollbacks(house: House) -> None:
    hung, taken, written = threading.Event(), threading.Event(), threading.Event()

    def hang(effect: Effect) -> None:
        if effect.urgency is Urgency.ROLLBACK:
            written.set()
        else:
            taken.set()
            hung.wait()

    with house.database.transaction() as tx:
        tx.outbox.put([SetRoute(f"slow-{number}", "shop/slow") for number in range(9)], house.clock.now(), 1)
    worker = Worker(house.database, house.clock, "here", hang, lambda *_: None, {Lane.ROUTE: 3})
    worker.start()
    try:
        assert taken.wait(PATIENCE)
        with house.database.transaction() as tx:
            tx.outbox.put([SetRoute("reviews-1", "shop/reviews", Urgency.ROLLBACK)], house.clock.now(), 1)
        worker.wake()
        assert written.wait(PATIENCE)
    finally:
        hung.set()
        worker.stop()


def test_neighbours_that_hang_on_starts_hold_no_thread_of_other_routes(house: House, sleepers: Sleepers) -> None:
    hung, written = threading.Event(), threading.Event()
    begun: list[Effect] = []

    def hang(effect: Effect) -> None:
        if isinstance(effect, Prepare):
            begun.append(effect)
            hung.wait()
        else:
            written.set()

    with house.database.transaction() as tx:
        tx.outbox.put([Prepare(f"slow-{number}") for number in range(9)], house.clock.now(), 1)
    worker = Worker(house.database, house.clock, "here", hang, lambda *_: None, THREADS)
    worker.start()
    try:
        sleepers.until(sum(THREADS.values()) - THREADS[Lane.ASK])  # whoever may take a Prepare has taken one
        with house.database.transaction() as tx:
            tx.outbox.put([SetRoute("reviews-1", "shop/reviews")], house.clock.now(), 1)
        worker.wake([Lane.ROUTE])
        assert written.wait(PATIENCE)
        assert len(begun) == THREADS[Lane.ASK]
    finally:
        hung.set()
        worker.stop()


def test_a_release_whose_route_is_gone_before_it_began_is_called_off(house: House) -> None:
    release, mesh = house.begin(), FakeMesh.shop()
    mesh.delete("VirtualService", "shop/reviews")
    duties = Duties(house.engine, house.clock, mesh, FakeMetrics(), unguarded)
    duties.prepare(Prepare(release.id))
    assert house.stored(release.id).phase is Phase.ROLLING_BACK
    duties.set_route(SetRoute(release.id, "shop/reviews", Urgency.ROLLBACK))
    assert house.stored(release.id).phase is Phase.ROLLED_BACK


class Reverting(FakeMesh):
    """A cluster where somebody puts 40 % back right behind every write."""

    def set_route(self, name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        written = super().set_route(name, orders)
        self.edit("VirtualService", name, set_forty)
        return written


def set_forty(document: Document) -> None:
    for destination, weight in zip(document["spec"]["http"][0]["route"], (60, 40), strict=True):
        destination["weight"] = weight


def test_an_edit_right_behind_our_write_is_seen(house: House) -> None:
    release, mesh = house.begin(), Reverting.shop()
    duties = Duties(house.engine, house.clock, mesh, FakeMetrics(), unguarded)
    duties.prepare(Prepare(release.id))
    duties.set_route(SetRoute(release.id, "shop/reviews"))
    stored = house.stored(release.id)
    assert (stored.phase, stored.written) == (Phase.PAUSED, 0)
    assert stored.drift is not None
    assert "now v1 60 %, v2 40 %" in stored.drift.difference
