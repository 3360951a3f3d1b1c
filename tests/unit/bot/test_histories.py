"""What was before releases is read once for each, and for several in the same queries."""

import threading
from dataclasses import replace

import pytest

from bot import preflight
from bot.errors import Transient
from bot.guarding import Guarding
from bot.histories import Histories
from strategies.events import RollbackRequested
from strategies.gates.course import Course
from strategies.gates.past import recall
from strategies.plan import Margin, MetricGate
from strategies.release import Release
from tests.builders import a_plan, a_stage
from tests.fakes import FakeMesh, FakeMetrics, FakeStaging
from tests.patience import PATIENCE
from tests.unit.bot.house import House
from tests.unit.core.events_of import CAROL

SERVICES = ("reviews", "ratings", "payments")
WEIGHED = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))


class Readers:
    """Releases of three services that prepare, and one who reads what was before."""

    def __init__(self, house: House) -> None:
        self.house, self.metrics = house, FakeMetrics()
        self.metrics.courses["errors"] = Course([(6000, 6)] * 1440)
        self.histories = Histories(house.engine, self.metrics, house.clock)
        plans = [a_plan(service=service) for service in SERVICES]
        self.releases = [house.begin(*each) for each in zip(SERVICES, plans, strict=True)]

    def known(self) -> list[bool]:
        """Which of them have their history."""
        return [bool(self.house.stored(release.id).history) for release in self.releases]

    def guarding(self) -> Guarding:
        """Guards that share the readings."""
        return Guarding(
            mesh=FakeMesh.shop(),
            metrics=self.metrics,
            staging=FakeStaging(),
            profiles=self,
            database=self.house.database,
            clock=self.house.clock,
            histories=self.histories.read,
        )

    def find(self, service: str) -> None:
        """No service has a profile."""


def test_those_that_began_in_one_moment_are_read_together(house: House) -> None:
    readers = Readers(house)
    read = readers.histories.read("ratings-1")
    assert read == house.stored("ratings-1").history
    assert recall(read).metrics["errors"].bursts.is_known
    assert readers.known() == [True, True, True]
    asked = len(readers.metrics.pasts)
    for release in readers.releases:
        readers.histories.read(release.id)
    assert len(readers.metrics.pasts) == asked


def test_those_that_do_not_fit_are_left_to_their_own_turn(house: House) -> None:
    readers = Readers(house)
    readers.metrics.at_once = 2
    readers.histories.read("ratings-1")
    assert readers.known() == [True, True, False]  # behind ratings come reviews and, first, whoever follows it
    readers.histories.read("payments-1")
    assert readers.known() == [True, True, True]


def test_what_is_known_or_over_is_not_read(house: House) -> None:
    readers = Readers(house)
    house.save(replace(house.stored("ratings-1"), history="known"))
    house.decide(RollbackRequested("payments-1", "rb", CAROL))
    readers.histories.read("reviews-1")
    assert len(readers.metrics.pasts) == 1
    assert readers.histories.read("ratings-1") == "known"
    assert readers.histories.read("ghost-1") == ""


def test_a_prometheus_that_does_not_tell_leaves_all_unknown(house: House) -> None:
    readers = Readers(house)
    readers.metrics.trouble = "Prometheus is unreachable."
    with pytest.raises(Transient, match="unreachable"):
        readers.histories.read("reviews-1")
    assert readers.known() == [False, False, False]


def test_who_asks_while_another_reads_waits_no_longer_than_a_reading_takes(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = Readers(house)
    monkeypatch.setattr(preflight, "UNHURRIED", 0.05)
    reading, done = threading.Event(), threading.Event()

    def slow(*_: object) -> list[preflight.Found]:
        reading.set()
        assert done.wait(PATIENCE)
        return [preflight.unread("slow")]

    monkeypatch.setattr(preflight, "of_releases", slow)

    def read() -> None:
        with pytest.raises(Transient, match="slow"):
            readers.histories.read("reviews-1")

    first = threading.Thread(target=read)
    first.start()
    assert reading.wait(PATIENCE)
    with pytest.raises(Transient, match="are being read"):
        readers.histories.read("ratings-1")
    done.set()
    first.join()


def weighed(release: Release) -> Release:
    """The release with a gate that adds up evidence."""
    stages = tuple(a_stage(service=release.target.service, gates=(WEIGHED,)) for _ in release.plan.stages)
    return replace(release, plan=replace(release.plan, stages=stages))


def test_a_guard_that_depends_on_the_past_reads_it_for_the_release_too(house: House) -> None:
    readers = Readers(house)
    readers.metrics.requests_per_hour = 360_000
    assert readers.guarding().refusal(weighed(readers.releases[0])) is None
    assert readers.known()[0]
    asked = len(readers.metrics.pasts)
    readers.histories.read("reviews-1")
    assert len(readers.metrics.pasts) == asked


def test_a_guard_reads_no_past_where_none_is_needed_or_nobody_answers(house: House) -> None:
    readers = Readers(house)
    reviews = readers.releases[0]
    readers.metrics.requests_per_hour = None
    readers.guarding().refusal(weighed(reviews))
    readers.metrics.requests_per_hour = 360_000
    plain = tuple(replace(gate, tolerated=None) for gate in reviews.plan.stages[0].metric_gates)
    stages = tuple(replace(stage, gates=plain) for stage in reviews.plan.stages)
    readers.guarding().refusal(replace(reviews, plan=replace(reviews.plan, stages=stages)))
    assert readers.metrics.pasts == []


def test_a_guard_goes_on_where_the_past_cannot_be_read(house: House) -> None:
    readers = Readers(house)
    readers.metrics.requests_per_hour = 360_000
    guarding = readers.guarding()
    readers.metrics.past = lambda *_: pytest.fail("read")  # type: ignore[method-assign]
    guarding._histories = lambda _: (_ for _ in ()).throw(Transient("away"))
    assert guarding.refusal(weighed(readers.releases[0])) is None
