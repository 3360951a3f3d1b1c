"""A release that waits for pods writes only when what it says changes."""

from dataclasses import replace

from bot.duties import Duties
from bot.waiting import Waiting
from strategies.effects import SetRoute
from strategies.events import WakeReached
from strategies.release import Phase, Release, Rules
from tests.fakes import FakeMesh, FakeMetrics, unguarded
from tests.unit.bot.house import House


class Short:
    """A release that lacks two of its three pods; every wake goes through the question whether it is needed."""

    def __init__(self, house: House, *, scale: bool = False) -> None:
        self.house, self.mesh = house, FakeMesh.shop()
        self.duties = Duties(house.engine, house.clock, self.mesh, FakeMetrics(), unguarded)
        self.waiting = Waiting(house.engine, self.mesh, house.clock)
        self.mesh.set_ready("v2", 0)
        shifted = house.shifted(rules=Rules(scale=scale))
        house.save(replace(shifted, sizes={"shop/reviews-v1": 3}))
        self.try_it()

    @property
    def release(self) -> Release:
        """As it is stored."""
        return self.house.stored("reviews-1")

    def try_it(self) -> None:
        """What the lane does."""
        self.duties.set_route(SetRoute("reviews-1", "shop/reviews"))

    def wakes(self, times: int) -> int:
        """How many of so many wakes, five seconds apart, were handed in; each of these is done to its end."""
        needed = 0
        for _ in range(times):
            self.house.clock.tick(seconds=5)
            due = self.release.wake_at
            if due is None or due > self.house.clock.now() or self.waiting("reviews-1") is not None:
                continue
            self.house.engine.submit(WakeReached("reviews-1", f"w:{due}", due))
            self.try_it()
            needed += 1
        return needed


def test_a_wait_in_which_nothing_changes_is_not_stored_again(house: House) -> None:
    short = Short(house)
    before = short.release
    assert before.note.startswith("v2 has 0 ready pods and needs 1")
    assert short.wakes(20) == 0
    assert short.release == before


def test_pods_that_come_are_seen_at_the_next_wake(house: House) -> None:
    short = Short(house)
    short.wakes(3)
    short.mesh.set_ready("v2", 3)
    assert short.wakes(1) == 1
    assert short.release.retry_at is None
    assert short.release.stage_began_at == house.clock.now()


def test_another_reason_is_stored_once(house: House) -> None:
    short = Short(house)
    short.wakes(3)
    house.save(replace(short.release, note="v2 has 0 ready pods: its image cannot be pulled"))
    assert short.wakes(10) == 1
    assert short.release.note == short.mesh.shortage(short.release)


def test_the_deadline_is_told_although_nothing_changed(house: House) -> None:
    short = Short(house)
    house.clock.tick(minutes=31)
    assert short.wakes(1) == 1
    assert short.release.reminded
    assert short.wakes(10) == 0


def test_a_candidate_that_somebody_scales_down_again_is_scaled_up_again(house: House) -> None:
    short = Short(house, scale=True)
    assert short.wakes(5) == 0
    deployment = short.mesh.find("Deployment", "shop/reviews-v2")
    assert deployment is not None
    short.mesh.put({**deployment, "spec": {**deployment["spec"], "replicas": 0}})
    assert short.wakes(5) <= 2  # one that scales, and one that finds the pods
    scaled = short.mesh.find("Deployment", "shop/reviews-v2")
    assert scaled is not None
    assert scaled["spec"]["replicas"] >= 1


def test_who_waits_for_something_else_is_woken(house: House) -> None:
    waiting = Waiting(house.engine, FakeMesh.shop(), house.clock)
    release = house.begin()
    assert release.phase is Phase.PREPARING
    assert waiting(release.id) is None
    assert waiting("ghost-1") is None
