"""Each change of a watched object is held against what its release wrote."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from bot import drift as drifts
from bot.drift import DriftWatch
from bot.duties import Duties
from bot.errors import Transient
from strategies.events import PauseRequested, RollbackRequested
from strategies.release import Drift, Phase, Release
from tests.fakes import FakeMesh, FakeMetrics, unguarded
from tests.patience import PATIENCE, comes_true
from tests.unit.bot.house import House
from tests.unit.core.events_of import ALICE, CAROL

EDIT = Drift("shop/reviews", "weight 5 -> 40", "kubectl-edit", None)


@dataclass
class Observing:
    """A mesh that finds what the test put there."""

    found: Drift | None = EDIT
    error: Transient | None = None
    asked: list[str] = field(default_factory=list)

    def observe(self, name: str, orders: object) -> Drift | None:
        self.asked.append(name)
        if self.error:
            raise self.error
        return self.found


def watch(house: House, mesh: Observing, release: Release) -> DriftWatch:
    """A watch that knows this release."""
    duties = Duties(house.engine, house.clock, FakeMesh(), FakeMetrics(), unguarded)
    drift = DriftWatch(house.engine, mesh, duties)  # type: ignore[arg-type]
    drift.follow([release])
    return drift


def test_a_hand_edit_pauses_its_release(house: House) -> None:
    release = house.observed()
    watch(house, Observing(), release).changed("shop/reviews")
    stored = house.stored(release.id)
    assert (stored.phase, stored.drift) == (Phase.PAUSED, EDIT)


def test_the_same_edit_seen_twice_is_one_event(house: House) -> None:
    release = house.observed()
    drift = watch(house, Observing(), release)
    drift.changed("shop/reviews")
    drift.changed("shop/reviews")
    assert [entry.event for entry in house.journal(release.id)].count("DriftFound") == 1


def test_a_change_of_a_rule_asks_about_the_objects_of_its_host(house: House) -> None:
    release = house.observed()
    mesh = Observing()
    drift = watch(house, mesh, release)
    drift.rule_changed("ratings.shop.svc.cluster.local")
    assert mesh.asked == []
    drift.rule_changed("reviews.shop.svc.cluster.local")
    assert house.stored(release.id).drift == EDIT
    drift.follow([replace(release, phase=Phase.ROLLED_BACK)])
    mesh.asked.clear()
    drift.rule_changed("reviews.shop.svc.cluster.local")
    assert mesh.asked == []


def test_what_another_replica_ended_is_forgotten_with_the_next_change(house: House) -> None:
    release = house.observed()
    drift = watch(house, Observing(), release)
    house.save(replace(release, phase=Phase.ROLLED_BACK))
    drift.changed("shop/reviews")
    assert (drift._objects, drift._hosts) == ({}, {})


def test_a_change_that_leaves_our_fields_alone_is_nothing(house: House) -> None:
    release = house.observed()
    mesh = Observing(found=None)
    watch(house, mesh, release).changed("shop/reviews")
    assert mesh.asked == ["shop/reviews"]
    assert house.stored(release.id) == release


def test_an_object_of_no_release_is_not_asked_about(house: House) -> None:
    mesh = Observing()
    watch(house, mesh, house.observed()).changed("shop/other")
    assert mesh.asked == []


def test_a_write_under_way_is_not_taken_for_a_hand_edit(house: House) -> None:
    release = house.shifted()
    mesh = Observing()
    watch(house, mesh, release).changed("shop/reviews")
    assert mesh.asked == []


def test_a_rollback_is_not_held_up_by_a_hand_edit(house: House) -> None:
    release = house.decide(RollbackRequested(house.observed().id, "rb", CAROL))
    mesh = Observing()
    watch(house, mesh, release).changed("shop/reviews")
    assert mesh.asked == []


def test_the_objects_of_an_ended_release_are_forgotten(house: House) -> None:
    release = house.decide(PauseRequested(house.observed().id, "p", ALICE))
    mesh = Observing()
    drift = watch(house, mesh, release)
    drift.follow([replace(release, phase=Phase.ROLLED_BACK)])
    drift.changed("shop/reviews")
    assert mesh.asked == []


def test_an_ended_release_does_not_take_the_object_of_the_next_one(house: House) -> None:
    release = house.observed()
    mesh = Observing()
    drift = watch(house, mesh, release)
    drift.follow([replace(release, id="reviews-0", phase=Phase.COMPLETED)])
    drift.changed("shop/reviews")
    assert mesh.asked == ["shop/reviews"]


def test_trouble_while_comparing_is_logged_and_found_again(house: House, caplog: pytest.LogCaptureFixture) -> None:
    release = house.observed()
    mesh = Observing(error=Transient("no answer"))
    drift = watch(house, mesh, release)
    drift.changed("shop/reviews")
    assert "not compared: no answer" in caplog.text
    mesh.error = None
    drift.changed("shop/reviews")
    assert house.stored(release.id).drift == EDIT


def started(drift: DriftWatch, holds: Callable[[], bool]) -> bool:
    """Whether it came true after a start."""
    drift.start()
    drift.listed()
    found = comes_true(holds)
    drift.stop()
    return found


class Asked(threading.Event):
    """An event that tells whether somebody has begun to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self.for_it = threading.Event()

    def wait(self, timeout: float | None = None) -> bool:
        self.for_it.set()
        return super().wait(timeout)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """No long waits."""
    monkeypatch.setattr(drifts, "SETTLED", 0.1)


@pytest.mark.usefixtures("hasty")
def test_what_was_edited_while_nobody_watched_is_found_at_the_start(house: House) -> None:
    release = house.observed()
    assert started(watch(house, Observing(), release), lambda: house.stored(release.id).drift == EDIT)


@pytest.mark.usefixtures("hasty")
def test_nothing_is_compared_before_the_cluster_was_listed(house: House) -> None:
    release = house.observed()
    mesh = Observing()
    drift = watch(house, mesh, release)
    asked = Asked()
    drift._listed = asked
    drift.start()
    assert asked.for_it.wait(PATIENCE)
    assert mesh.asked == []
    drift.stop()


@pytest.mark.usefixtures("hasty")
def test_what_another_replica_has_just_written_is_no_edit_once_it_is_heard_of(house: House) -> None:
    release = house.observed()

    class Late(Observing):
        def observe(self, name: str, orders: object) -> Drift | None:
            super().observe(name, orders)
            return EDIT if len(self.asked) == 1 else None

    mesh = Late()
    assert started(watch(house, mesh, release), lambda: len(mesh.asked) == 2)
    assert house.stored(release.id).drift is None
