"""A release that waits for pods costs nothing while nothing changes, and is asked again as soon as something does."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bot import waiting as waitings
from bot.duties import Duties
from bot.engine import Outcome
from bot.errors import Transient
from bot.waiting import Waiting
from bot.worker import Worker
from strategies.effects import Effect, Lane, Prepare, SetRoute
from strategies.events import ClusterChanged, Event, RollbackRequested
from strategies.reasons import ReasonCode, Refused
from strategies.release import Phase, Release, Rules
from tests.fakes import FakeMesh, FakeMetrics, unguarded
from tests.patience import comes_true
from tests.unit.bot.house import House
from tests.unit.core.events_of import CAROL

V2 = {"app": "reviews", "version": "v2"}
LACKS = "v2 has no ready pod: no pod has been created yet."


class Shop:
    """A shop whose reviews v2 has no pod, and what is asked of it; each answer is heard by who compares."""

    def __init__(self, house: House, guard: Callable[[Release], Refused | None] = unguarded) -> None:
        self.house, self.mesh = house, FakeMesh.shop()
        self.mesh.set_ready("v2", 0)
        self.duties = Duties(house.engine, house.clock, self.mesh, FakeMetrics(), guard)
        self.worker = Worker(house.database, house.clock, "here", self._do, lambda *_: None, {})
        self.waiting = self.replica()
        house.engine.on_commit(self.waiting.follow)
        self.asked: list[str] = []

    def replica(self) -> Waiting:
        """Somebody who knows nothing yet."""
        return Waiting(self.house.engine, self.mesh, self.house.clock)

    def preparing(self) -> Release:
        """A release that waits for a ready pod."""
        self.house.begin()
        return self.settled()

    def short(self, *, scale: bool = False) -> Release:
        """A release that waits for the pods of its first share."""
        shifted = self.house.shifted(rules=Rules(scale=scale))
        self.house.save(replace(shifted, sizes={"shop/reviews-v1": 3}))
        return self.settled()

    def settled(self, *replicas: Waiting) -> Release:
        """The release once everything that follows was done; `asked` says what that was."""
        self.asked.clear()
        for _ in range(10):
            assert all(each.step() for each in replicas or (self.waiting,))
            worked = [self.worker.step(lane) for lane in (Lane.ASK, Lane.ROUTE)]
            if not any(worked):
                return self.house.stored("reviews-1")
        raise AssertionError(f"turns in circles: {self.asked}")

    def _do(self, effect: Effect) -> None:
        self.asked.append(type(effect).__name__)
        self.house.clock.tick(seconds=1)
        if isinstance(effect, Prepare):
            self.duties.prepare(effect)
        if isinstance(effect, SetRoute):
            self.duties.set_route(effect)


def test_a_wait_in_which_nothing_changes_costs_no_statement(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(house)
    before = shop.preparing()
    assert (before.phase, before.note) == (Phase.PREPARING, LACKS)
    monkeypatch.setattr(house.database, "reading", None)
    monkeypatch.setattr(house.database, "transaction", None)
    for _ in range(20):
        shop.waiting.changed("shop", V2)
        assert shop.waiting.step()


def test_a_pod_that_becomes_ready_lets_the_release_begin(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    shop.mesh.set_ready("v2", 1)
    shop.waiting.changed("shop", V2)
    assert shop.settled().phase is Phase.SHIFTING


@pytest.mark.parametrize(
    ("namespace", "labels"),
    [("cart", V2), ("shop", {**V2, "version": "v3"}), ("shop", {**V2, "app": "ratings"}), ("shop", {"app": "reviews"})],
)
def test_pods_of_others_are_no_news(house: House, namespace: str, labels: dict[str, str]) -> None:
    shop = Shop(house)
    shop.preparing()
    shop.mesh.set_ready("v2", 1)
    shop.waiting.changed(namespace, labels)
    assert shop.waiting.step()
    assert shop.house.stored("reviews-1").retry_at is not None


def test_what_has_no_labels_may_be_about_everybody_of_its_namespace(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    shop.mesh.set_ready("v2", 1)
    shop.waiting.changed("shop", {})
    assert shop.settled().phase is Phase.SHIFTING


def test_another_reason_is_asked_about_and_shown_once(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    shop.mesh.edit("Deployment", "shop/reviews-v2", lambda each: each["spec"].update(replicas=0))
    shop.waiting.changed("shop", V2)
    assert shop.settled().note == "Deployment reviews-v2 is scaled to 0; scale it up."
    assert shop.asked == ["Prepare"]


def test_pods_that_come_while_the_cluster_is_asked_are_not_missed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(house)
    blocked = shop.mesh.prepare(house.begin())
    shop.mesh.set_ready("v2", 1)
    shop.waiting.changed("shop", V2)
    assert shop.waiting.step()
    with monkeypatch.context() as patch:
        patch.setattr(shop.mesh, "prepare", lambda _: blocked)  # read before the pod was there
        assert shop.worker.step(Lane.ASK)
    assert isinstance(blocked, Refused)
    assert shop.settled().phase is Phase.SHIFTING


def test_pods_that_come_while_another_replica_asks_are_not_missed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(house)
    blocked = shop.mesh.prepare(shop.preparing())
    other = shop.replica()
    other.follow(house.engine.active())
    house.decide(ClusterChanged("reviews-1", "asked elsewhere"))
    shop.mesh.set_ready("v2", 1)
    other.changed("shop", V2)
    assert other.step()
    with monkeypatch.context() as patch:
        patch.setattr(shop.mesh, "prepare", lambda _: blocked)  # read before the pod was there
        assert shop.worker.step(Lane.ASK)
    other.follow(house.engine.active())
    assert shop.settled(other).phase is Phase.SHIFTING


def test_a_release_that_a_guard_holds_is_not_asked_at_every_change_of_its_pods(house: House) -> None:
    shop = Shop(house, lambda _: Refused(ReasonCode.NEEDS, "payments is not there."))
    shop.mesh.set_ready("v2", 2)
    shop.preparing()
    shop.asked.clear()
    for count in (3, 2, 1):
        shop.mesh.set_ready("v2", count)
        shop.waiting.changed("shop", V2)
        assert shop.waiting.step()
        assert not shop.worker.step(Lane.ASK)


def test_pods_for_a_share_are_seen_when_they_come_and_the_evidence_is_due_from_then_on(house: House) -> None:
    shop = Shop(house)
    assert shop.short().note.startswith("v2 has 0 ready pods and needs 1")
    at = house.clock.tick(seconds=60)
    shop.mesh.set_ready("v2", 3)
    shop.waiting.changed("shop", V2)
    begun = shop.settled()
    assert (begun.retry_at, begun.stage_began_at) == (None, at)


def test_a_candidate_that_somebody_scales_down_again_is_scaled_up_again(house: House) -> None:
    shop = Shop(house, unguarded)
    shop.mesh.has_controllers = False
    shop.short(scale=True)
    shop.mesh.edit("Deployment", "shop/reviews-v2", lambda each: each["spec"].update(replicas=0))
    shop.waiting.changed("shop", V2)
    shop.settled()
    scaled = shop.mesh.find("Deployment", "shop/reviews-v2")
    assert scaled is not None
    assert scaled["spec"]["replicas"] == 1
    assert "SetRoute" in shop.asked


def test_who_begins_anew_sees_what_came_while_nobody_watched(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    shop.mesh.set_ready("v2", 1)
    again = shop.replica()
    again.follow(house.engine.active())
    assert shop.settled(again).phase is Phase.SHIFTING


def test_who_begins_anew_asks_nothing_where_nothing_changed(house: House) -> None:
    shop = Shop(house)
    before = shop.preparing()
    again = shop.replica()
    again.follow(house.engine.active())
    assert again.step()
    assert house.stored("reviews-1") == before


def test_what_one_replica_had_asked_is_no_news_to_another(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    other = shop.replica()
    other.follow(house.engine.active())
    shop.mesh.set_ready("v2", 1)
    for each in (shop.waiting, other):
        each.changed("shop", V2)
        assert each.step()
    assert shop.settled().phase is Phase.SHIFTING
    assert shop.asked == ["Prepare", "SetRoute"]


def test_a_change_that_cannot_be_stored_is_not_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop(house)
    shop.preparing()
    submit, failures = house.engine.submit, [Transient("The database does not answer: gone")]

    def failing(event: Event) -> Outcome:
        if isinstance(event, ClusterChanged) and failures:
            raise failures.pop()
        return submit(event)

    monkeypatch.setattr(house.engine, "submit", failing)
    shop.mesh.set_ready("v2", 1)
    shop.waiting.changed("shop", V2)
    assert not shop.waiting.step()
    assert shop.settled().phase is Phase.SHIFTING


def test_a_watch_that_tells_everything_anew_has_every_release_compared(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    shop.mesh.set_ready("v2", 1)
    for number in range(waitings.MANY + 1):
        shop.waiting.changed("shop", {"app": f"other-{number}"})
    assert shop.settled().phase is Phase.SHIFTING


def test_who_does_not_wait_any_more_is_forgotten(house: House) -> None:
    shop = Shop(house)
    shop.preparing()
    going = house.decide(RollbackRequested("reviews-1", "rb", CAROL))
    shop.mesh.set_ready("v2", 1)
    shop.waiting.changed("shop", {})
    assert shop.waiting.step()
    assert house.stored("reviews-1") == going


def test_what_another_replica_began_is_followed_and_what_it_ended_is_forgotten(house: House) -> None:
    shop = Shop(house)
    waits = shop.preparing()
    other = shop.replica()
    other.swept(house.engine.active())
    assert other.step()
    assert (list(other._releases), list(other._lacked)) == ([waits.id], [waits.id])
    other.swept([])
    assert (other._releases, other._lacked) == ({}, {})


def test_nothing_is_compared_before_the_cluster_was_listed_and_all_is_then(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waitings, "SETTLED", 0)
    shop = Shop(house)
    shop.preparing()
    shop.mesh.set_ready("v2", 1)
    shop.waiting.start()
    shop.waiting.changed("shop", V2)
    # It has heard of the change, and waits on.
    assert comes_true(lambda: shop.waiting._change._waiters)  # type: ignore[attr-defined]
    assert house.stored("reviews-1").retry_at is not None
    shop.waiting.listed()
    assert comes_true(lambda: house.stored("reviews-1").retry_at is None)
    shop.waiting.stop()
