"""A worker that stalls with a job at hand, wakes late, and must not undo what happened meanwhile."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.dispatch import Dispatch
from bot.duties import Duties
from bot.engine import Engine
from bot.ports import Mesh, RouteOrder, Written
from bot.smoke import SmokeTests
from bot.worker import LEASE, Worker
from storage.database import Database
from strategies.effects import Effect, Lane
from strategies.events import ApprovalGiven, ReleaseRequested, RollbackRequested
from strategies.release import Drift, Phase, Role, Rules
from tests.builders import a_plan, an_actor, an_approver
from tests.contract.kubernetes.conftest import _standing_in
from tests.contract.mesh.world import Reach, WireWorld, the_target
from tests.crash.campaign import Ground
from tests.crash.world import START
from tests.fakes import FakeSmoke, unguarded
from tests.patience import PATIENCE

SPLIT_IN_HAND = "with its orders in hand"
NOTHING_READ = "before it reads the route"


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at


class KilledError(BaseException):
    """The process ends here: no `except` of the worker sees it."""


@dataclass(frozen=True, slots=True)
class Stalling:
    """The real mesh behind a worker that stops at a place until it is told to go on."""

    mesh: Mesh
    place: str
    stalled: threading.Event
    go_on: threading.Event
    dies: threading.Event

    def set_route(self, name: str, orders: Callable[[], Sequence[RouteOrder]]) -> Written | Drift:
        def read() -> Sequence[RouteOrder]:
            if self.dies.is_set():
                raise KilledError
            found = orders()
            self._stall(SPLIT_IN_HAND)
            return found

        self._stall(NOTHING_READ)
        return self.mesh.set_route(name, read)

    def observe(self, name: str, orders: Sequence[RouteOrder]) -> Drift | None:
        return self.mesh.observe(name, orders)

    def __getattr__(self, name: str) -> Any:
        # What else a duty asks of the mesh stalls nowhere.
        return getattr(self.mesh, name)

    def _stall(self, place: str) -> None:
        if place == self.place and not self.stalled.is_set():
            self.stalled.set()
            assert self.go_on.wait(PATIENCE)


class Two:
    """Two replicas on one database and one cluster; the first stalls in its first write."""

    def __init__(self, database: Database, wire: WireWorld, place: str) -> None:
        self.clock, self.wire, self.database = Clock(), wire, database
        self.engine = Engine(database, self.clock)
        self.stalled, self.go_on, self.dies = threading.Event(), threading.Event(), threading.Event()
        stalling: Any = Stalling(wire.mesh, place, self.stalled, self.go_on, self.dies)
        self.slow, self.quick = self._worker("slow", stalling), self._worker("quick", wire.mesh)
        rules = Rules(approvers=frozenset({"U2"}))
        target = the_target(wire)
        self.engine.submit(ReleaseRequested("", "start", an_actor("U1"), (target,), a_plan(), rules, "C1"))
        assert self.quick.step(Lane.ASK)
        self._thread = threading.Thread(target=self._slowly)

    def _slowly(self) -> None:
        with suppress(KilledError):
            self.slow.step(Lane.ROUTE)

    def stall(self) -> None:
        """The slow one takes the first write and stops; its lease runs out and the quick one does it."""
        self._thread.start()
        assert self.stalled.wait(PATIENCE)
        self.clock.at += LEASE
        self.work()

    def work(self) -> None:
        """The quick one does what there is."""
        while self.quick.step(Lane.ROUTE):
            pass

    def wake(self) -> None:
        """The slow one goes on to its end, and then everybody works off what is left."""
        self.go_on.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.clock.at += timedelta(minutes=1)
        self.work()

    def share(self) -> int | None:
        """The candidate's weight, None where the route carries no weights."""
        route = self.wire.read("VirtualService")["spec"]["http"][0]["route"]
        return next((each.get("weight") for each in route if each["destination"]["subset"] == "v2"), None)

    def left(self) -> int:
        """How many jobs are open in the route's lane."""
        with self.database.reading() as tx:
            return sum(job.lane is Lane.ROUTE for job in tx.outbox.pending("reviews-1"))

    def _worker(self, name: str, mesh: Mesh) -> Worker:
        metrics: Any = None  # nobody asks for metrics here
        duties = Duties(self.engine, self.clock, mesh, metrics, unguarded)
        messages: Any = None  # nor for messages
        dispatch = Dispatch(duties, messages, SmokeTests(self.engine, self.clock, FakeSmoke()), self.engine)
        return Worker(self.database, self.clock, name, dispatch, _never_gives_up, {})


def _never_gives_up(effect: Effect, key: str, text: str) -> None:
    raise AssertionError(f"{effect} was given up: {text} ({key})")


@pytest.fixture(params=[NOTHING_READ, SPLIT_IN_HAND])
def two(request: pytest.FixtureRequest, sqlite: Ground, tmp_path: Path) -> Iterator[Two]:
    with (
        sqlite() as stage,
        Database(stage.database) as database,
        _standing_in() as cluster,
        closing(cluster),
        closing(Reach(cluster, tmp_path, ("shop",))) as reach,
    ):
        wire = WireWorld(reach, "shop")
        reach.mesh.start()
        wire.until_watched()
        yield Two(database, wire, request.param)


def test_a_stalled_worker_does_not_overwrite_a_newer_split(two: Two) -> None:
    two.stall()
    release = two.engine.release("reviews-1")
    assert release is not None
    assert two.share() == 5
    yes = ApprovalGiven("reviews-1", "yes", an_approver("U2"), release.revision, acknowledged=True)
    two.engine.submit(yes)
    two.work()
    assert two.share() == 25
    two.wake()
    assert (two.share(), two.left()) == (25, 0)


def test_a_stalled_worker_does_not_take_a_rollback_back(two: Two) -> None:
    original = two.wire.read("VirtualService")["spec"]
    two.stall()
    two.engine.submit(RollbackRequested("reviews-1", "back", an_actor("U3", Role.ON_CALL)))
    two.work()
    two.wake()
    release = two.engine.release("reviews-1")
    assert release is not None
    assert release.phase is Phase.ROLLED_BACK
    assert (two.wire.read("VirtualService")["spec"], two.left()) == (original, 0)


def test_a_rollback_does_not_wait_for_a_worker_that_stalls(two: Two) -> None:
    original = two.wire.read("VirtualService")["spec"]
    two._thread.start()
    assert two.stalled.wait(PATIENCE)
    two.engine.submit(RollbackRequested("reviews-1", "back", an_actor("U3", Role.ON_CALL)))
    two.work()
    assert two.wire.read("VirtualService")["spec"] == original
    two.wake()
    assert (two.wire.read("VirtualService")["spec"], two.left()) == (original, 0)


def test_a_worker_that_dies_behind_its_late_write_leaves_nothing_behind(two: Two) -> None:
    original = two.wire.read("VirtualService")
    two._thread.start()
    assert two.stalled.wait(PATIENCE)
    two.engine.submit(RollbackRequested("reviews-1", "back", an_actor("U3", Role.ON_CALL)))
    two.work()
    # What it does behind its write is never done: it asks for nothing any more.
    two.dies.set()
    two.wake()
    found = two.wire.read("VirtualService")
    assert found["spec"] == original["spec"]
    assert "annotations" not in found["metadata"]
