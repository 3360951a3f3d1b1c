"""Effects are done until they are done: retried with patience, given up loudly, and a rollback never."""

import itertools
import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import pytest

from bot.errors import Fault, Transient
from bot.worker import LEASE, LONGEST_PAUSE, PATIENCE, TRIES, Worker
from storage.database import Transaction
from storage.errors import DatabaseDown
from storage.outbox import Job
from strategies.effects import Effect, Lane, Prepare, RefreshCard, SetCapacity, SetRoute, Urgency
from tests.patience import PATIENCE as LONG
from tests.patience import comes_true
from tests.unit.bot.house import House
from tests.unit.bot.sleepers import Sleepers

WRITE = SetRoute("reviews-1", "shop/reviews")
ROLLBACK = SetRoute("reviews-1", "shop/reviews", Urgency.ROLLBACK)
CARD = RefreshCard("reviews-1", Urgency.STAGE)


@dataclass
class Duty:
    """Does every effect as `trouble` says, and remembers which."""

    trouble: Callable[[Effect], None] = lambda effect: None
    done: list[Effect] = field(default_factory=list)
    given_up: list[tuple[Effect, str, str]] = field(default_factory=list)

    def __call__(self, effect: Effect) -> None:
        self.done.append(effect)
        self.trouble(effect)

    def gave_up(self, effect: Effect, key: str, text: str) -> None:
        self.given_up.append((effect, key, text))


def worker(house: House, duty: Duty, **threads: int) -> Worker:
    """A worker of this house."""
    lanes = {Lane(lane): count for lane, count in threads.items()}
    return Worker(house.database, house.clock, "here", duty, duty.gave_up, lanes)


def queue(house: House, *effects: Effect, revision: int = 1) -> None:
    """Effects as a decision leaves them."""
    with house.database.transaction() as tx:
        tx.outbox.put(effects, house.clock.now(), revision)


def raising(error: Exception) -> Callable[[Effect], None]:
    """Every try ends in this error."""

    def raise_it(effect: Effect) -> None:
        raise error

    return raise_it


def work(house: House, duty: Duty, lane: Lane, seconds: float) -> list[float]:
    """Work a lane for so long by the fake clock; the moments of the tries, in seconds from the start."""
    at_work, start, tries = worker(house, duty), house.clock.now(), []
    while (house.clock.now() - start).total_seconds() <= seconds:
        if at_work.step(lane):
            tries.append((house.clock.now() - start).total_seconds())
        house.clock.tick(seconds=0.25)
    return tries


def left(house: House) -> list[Job]:
    """What is still open for the release."""
    return house.jobs("reviews-1")


def test_an_effect_is_done_once_and_forgotten(house: House) -> None:
    duty = Duty()
    queue(house, WRITE)
    assert worker(house, duty).step(Lane.ROUTE)
    assert not worker(house, duty).step(Lane.ROUTE)
    assert (duty.done, left(house)) == ([WRITE], [])


def test_a_passing_trouble_is_tried_again_with_growing_pauses(house: House) -> None:
    duty = Duty(raising(Transient("timed out")))
    queue(house, WRITE)
    tries = work(house, duty, Lane.ROUTE, 20)
    pauses = [later - sooner for sooner, later in itertools.pairwise(tries)]
    assert pauses[:4] == [0.25, 0.5, 1.0, 2.0]
    assert max(pauses) <= LONGEST_PAUSE[Lane.ROUTE].total_seconds()
    assert duty.given_up == []


def test_after_its_patience_an_effect_is_given_up_once_with_its_reason(house: House) -> None:
    duty = Duty(raising(Transient("timed out")))
    queue(house, WRITE)
    tries = work(house, duty, Lane.ROUTE, 140)
    assert [effect for effect, _, _ in duty.given_up] == [WRITE]
    assert duty.given_up[0][2].startswith("timed out (tried for 12")
    assert tries[-1] >= PATIENCE[Lane.ROUTE].total_seconds()
    assert left(house) == []


def test_time_in_which_nobody_worked_is_no_try(house: House) -> None:
    duty = Duty(raising(Transient("timed out")))
    queue(house, WRITE)
    house.clock.tick(hours=3)
    for _ in range(TRIES):
        assert worker(house, duty).step(Lane.ROUTE)
        house.clock.tick(seconds=10)
    assert duty.given_up == []


def test_a_rollback_is_never_given_up_and_never_waits_longer_than_five_seconds(house: House) -> None:
    duty = Duty(raising(Transient("timed out")))
    queue(house, ROLLBACK)
    tries = work(house, duty, Lane.ROUTE, 600)
    pauses = [later - sooner for sooner, later in itertools.pairwise(tries)]
    assert max(pauses) == LONGEST_PAUSE[Lane.ROUTE].total_seconds() == 5
    assert tries[-1] > 590
    assert duty.given_up == []
    assert len(left(house)) == 1


def test_a_rollback_does_not_wait_as_long_as_a_busy_neighbour_asks(house: House) -> None:
    duty = Duty(raising(Transient("too many requests", retry_after=600)))
    queue(house, ROLLBACK)
    tries = work(house, duty, Lane.ROUTE, 30)
    assert max(later - sooner for sooner, later in itertools.pairwise(tries)) <= 5


def test_a_fault_of_a_rollback_is_told_and_the_write_goes_on(house: House) -> None:
    duty = Duty(raising(Fault("forbidden")))
    queue(house, ROLLBACK)
    tries = work(house, duty, Lane.ROUTE, 30)
    assert len(tries) >= 6
    assert {(effect, text) for effect, _, text in duty.given_up} == {(ROLLBACK, "forbidden")}
    assert len({key for _, key, _ in duty.given_up}) == 1
    assert len(left(house)) == 1


def test_a_fault_is_given_up_at_once(house: House) -> None:
    duty = Duty(raising(Fault("forbidden")))
    queue(house, WRITE)
    assert len(work(house, duty, Lane.ROUTE, 10)) == 1
    assert [(effect, text) for effect, _, text in duty.given_up] == [(WRITE, "forbidden")]


def test_what_nobody_foresaw_is_recorded_and_told(house: House, caplog: pytest.LogCaptureFixture) -> None:
    duty = Duty(raising(KeyError("spec")))
    queue(house, Prepare("reviews-1"))
    with caplog.at_level(logging.ERROR):
        worker(house, duty).step(Lane.ASK)
    assert duty.given_up[0][2] == "Prepare failed: KeyError: 'spec'"
    assert "failed unforeseen" in caplog.text
    assert left(house) == []


def test_a_neighbour_that_names_a_time_is_asked_again_at_that_time(house: House) -> None:
    duty = Duty(raising(Transient("rate limited", retry_after=30)))
    queue(house, CARD)
    assert work(house, duty, Lane.CHAT, 65) == [0, 30, 60]


def test_a_neighbour_that_limits_one_job_is_spared_all_others_for_a_moment(house: House) -> None:
    duty = Duty(raising(Transient("rate limited", retry_after=2)))
    queue(house, *(RefreshCard(f"reviews-{number}", Urgency.STAGE) for number in range(1, 50)))
    tries = work(house, duty, Lane.CHAT, 20)
    assert tries == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]


def test_an_urgent_card_does_not_wait_long_behind_a_limited_one(house: House) -> None:
    duty = Duty(raising(Transient("rate limited", retry_after=600)))
    queue(house, CARD, RefreshCard("reviews-2", Urgency.DECISION))
    assert work(house, duty, Lane.CHAT, 20) == [0, 5]


def test_a_database_that_does_not_answer_during_a_duty_is_tried_again(house: House) -> None:
    duty = Duty(raising(DatabaseDown("locked")))
    queue(house, WRITE)
    assert len(work(house, duty, Lane.ROUTE, 3)) >= 3
    assert duty.given_up == []


def test_a_chat_that_is_down_never_delays_a_route(house: House) -> None:
    def chat_is_down(effect: Effect) -> None:
        if effect.lane is Lane.CHAT:
            raise Transient("no answer")

    duty = Duty(chat_is_down)
    queue(house, CARD, WRITE)
    at_work = worker(house, duty)
    assert at_work.step(Lane.CHAT)
    assert at_work.step(Lane.ROUTE)
    assert [job.effect for job in left(house)] == [CARD]


def test_a_chat_that_hangs_never_delays_a_rollback(house: House) -> None:
    hung, written = threading.Event(), threading.Event()

    def hang(effect: Effect) -> None:
        if effect.lane is Lane.CHAT:
            hung.wait()
        else:
            written.set()

    duty = Duty(hang)
    queue(house, CARD, ROLLBACK)
    at_work = worker(house, duty, route=1, chat=1)
    at_work.start()
    try:
        assert written.wait(LONG)
    finally:
        hung.set()
        at_work.stop()


def test_a_rollback_overtakes_what_its_release_has_queued(house: House) -> None:
    duty = Duty()
    queue(house, Prepare("reviews-1"), WRITE)
    queue(house, ROLLBACK, revision=2)
    worker(house, duty).step(Lane.ROUTE)
    assert duty.done == [ROLLBACK]


def test_a_commit_wakes_a_sleeping_lane(house: House, sleepers: Sleepers) -> None:
    written = threading.Event()
    duty = Duty(lambda effect: written.set())
    at_work = worker(house, duty, route=1)
    at_work.start()
    try:
        sleepers.until(1)
        queue(house, WRITE)
        at_work.wake()
        assert written.wait(LONG)
    finally:
        at_work.stop()


def test_what_one_commit_queues_is_done_by_several_threads_at_once(house: House, sleepers: Sleepers) -> None:
    together = threading.Barrier(3, timeout=LONG)

    def meet(effect: Effect) -> None:
        together.wait()

    duty = Duty(meet)
    at_work = worker(house, duty, route=4)
    at_work.start()
    try:
        sleepers.until(4)
        queue(house, *(SetRoute(f"reviews-{number}", "shop/reviews") for number in range(2)))
        at_work.wake([Lane.ROUTE])
        together.wait()
    finally:
        at_work.stop()
    assert duty.given_up == []


def test_what_stood_behind_a_rollback_is_done_when_it_is(house: House, sleepers: Sleepers) -> None:
    sized = threading.Event()

    def trouble(effect: Effect) -> None:
        if isinstance(effect, SetCapacity):
            sized.set()
        else:
            queue(house, SetCapacity("reviews-1"))
            sleepers.until(1)  # the other one has looked and found it blocked

    duty = Duty(trouble)
    at_work = worker(house, duty, route=2)
    at_work.start()
    try:
        sleepers.until(2)
        queue(house, ROLLBACK)
        at_work.wake([Lane.ROUTE])
        assert sized.wait(LONG)
    finally:
        at_work.stop()


def test_a_lane_that_got_nothing_is_not_woken(
    house: House, sleepers: Sleepers, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = worker(house, Duty(), route=5, metrics=1, hook=2, chat=1)
    at_work.start()
    try:
        sleepers.until(9)
        asked: list[str] = []
        reading = house.database.reading

        def noted() -> AbstractContextManager[Transaction]:
            asked.append(threading.current_thread().name)
            return reading()

        monkeypatch.setattr(house.database, "reading", noted)
        at_work.wake([Lane.CHAT])
        assert comes_true(lambda: asked)
        sleepers.until(9)
        assert asked == ["chat-0"]
    finally:
        at_work.stop()


def test_what_a_killed_worker_had_at_hand_goes_on_elsewhere(house: House) -> None:
    queue(house, WRITE)
    with house.database.transaction() as tx:
        assert tx.outbox.claim(Lane.ROUTE, "killed", house.clock.now(), LEASE, 1)
    duty = Duty()
    assert not worker(house, duty).step(Lane.ROUTE)
    house.clock.tick(seconds=LEASE.total_seconds() + 1)
    assert worker(house, duty).step(Lane.ROUTE)
    assert duty.done == [WRITE]


def test_a_living_worker_keeps_what_it_has_at_hand(house: House) -> None:
    other = Duty()

    def takes_long(effect: Effect) -> None:
        house.clock.tick(seconds=LEASE.total_seconds() - 1)
        slow.renew()
        house.clock.tick(seconds=2)
        assert not worker(house, other).step(Lane.ROUTE)

    slow = worker(house, Duty(takes_long))
    queue(house, WRITE)
    assert slow.step(Lane.ROUTE)
    assert (other.done, left(house)) == ([], [])


def test_stopping_leaves_what_is_queued_for_the_next_start(house: House) -> None:
    duty = Duty()
    at_work = worker(house, duty, route=2, chat=1)
    at_work.start()
    at_work.stop()
    queue(house, WRITE)
    assert duty.done == []
    assert [job.effect for job in left(house)] == [WRITE]
