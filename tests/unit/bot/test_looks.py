"""One tick reads once for all releases that are due; what has no data is a look that waits."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot import engine, looks
from bot.looks import Looks, intervals, is_looked_at
from strategies.release import LOOKING, Phase, Release, Rules
from strategies.routing import Mirror, Split
from strategies.verdicts import Arm, Outcome
from tests.builders import NOW, a_reading
from tests.fakes import FakeMesh, FakeMetrics
from tests.unit.bot.house import House
from tests.unit.core.events_of import in_phase

EVERY = timedelta(seconds=15)


def take(house: House, metrics: FakeMetrics, mesh: FakeMesh | None = None) -> int:
    """One tick, fifteen seconds later."""
    house.clock.tick(seconds=15)
    return Looks(house.engine, metrics, mesh or FakeMesh.shop(), house.clock).take(EVERY)


def test_one_tick_asks_prometheus_once_for_all_releases(house: House) -> None:
    metrics = FakeMetrics()
    house.written("reviews")
    house.written("ratings")
    assert take(house, metrics) == 2
    assert [set(names) for _, names in metrics.looks] == [{"reviews-1", "ratings-1"}]


def test_others_come_between_two_parts_of_a_tick(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "AT_ONCE", 2)
    monkeypatch.setattr(engine, "AT_ONCE", 2)
    metrics, stored = FakeMetrics(), []
    names = [house.written(f"service-{letter}").id for letter in "abcde"]

    def between() -> None:
        stored.append(sum(1 for name in names if house.stored(name).last_look_at is not None))

    house.clock.tick(seconds=15)
    assert Looks(house.engine, metrics, FakeMesh.shop(), house.clock, between).take(EVERY) == 5
    assert stored == [0, 2, 4]
    assert len(metrics.looks) == 1


def test_nothing_to_look_at_asks_nobody(house: House) -> None:
    metrics = FakeMetrics()
    house.begin()
    assert take(house, metrics) == 0
    assert metrics.looks == []


def test_only_releases_of_this_interval_are_looked_at(house: House) -> None:
    metrics = FakeMetrics()
    house.written("reviews", rules=Rules(look=timedelta(seconds=5)))
    assert take(house, metrics) == 0


def test_no_data_is_a_look_that_waits_and_says_why(house: House) -> None:
    metrics = FakeMetrics()
    metrics.trouble = "Prometheus does not answer."
    release = house.observed()
    house.clock.tick(hours=1)
    take(house, metrics)
    stored = house.stored(release.id)
    assert {verdict.outcome for verdict in stored.verdicts} == {Outcome.WAIT}
    assert (stored.phase, stored.stage) == (Phase.OBSERVING, 0)


def test_a_release_that_prometheus_forgot_waits_too(house: House) -> None:
    release = house.observed()
    metrics = FakeMetrics()
    metrics.look = lambda subjects, at: {}  # type: ignore[method-assign]
    take(house, metrics)
    assert {verdict.outcome for verdict in house.stored(release.id).verdicts} == {Outcome.WAIT}


def test_a_dead_candidate_goes_back_without_any_metrics(house: House) -> None:
    metrics, mesh = FakeMetrics(), FakeMesh.shop()
    release = house.written()
    mesh.set_ready("v2", 0)
    take(house, metrics, mesh)
    assert house.stored(release.id).phase is Phase.SHIFTING
    take(house, metrics, mesh)
    assert house.stored(release.id).phase is Phase.ROLLING_BACK


def test_a_cluster_that_does_not_answer_is_no_dead_candidate(house: House) -> None:
    mesh = FakeMesh.shop()
    mesh.reason_down = "no answer"
    release = house.written()
    for _ in range(3):
        take(house, FakeMetrics(), mesh)
    assert house.stored(release.id).unready_looks == 0


def test_errors_of_the_candidate_take_it_back(house: House) -> None:
    metrics = FakeMetrics()
    release = house.observed()
    broken = Arm(2000.0, 1500.0, {10.0: 100.0, float("inf"): 2000.0})
    metrics.script(release.id, [a_reading(candidate=broken, baseline=Arm(38000.0, 10.0))])
    for _ in range(4):
        take(house, metrics)
    assert house.stored(release.id).phase is Phase.ROLLING_BACK


def test_a_window_begins_with_the_last_look_but_never_before_the_stage() -> None:
    stage = replace(in_phase(Phase.OBSERVING), stage_began_at=NOW)
    before, after = NOW - EVERY, NOW + EVERY
    windows = [looks.since(replace(stage, last_look_at=at), after + EVERY) for at in (None, before, after)]
    assert windows == [NOW, NOW, after]
    assert looks.since(replace(stage, stage_began_at=None, last_look_at=None), after) == stage.entered_at


def test_a_window_is_not_without_end_when_the_clock_was_set_back_in_a_stage() -> None:
    began, at = NOW + timedelta(hours=1), NOW + EVERY
    stage = replace(in_phase(Phase.OBSERVING), stage_began_at=began)
    assert looks.since(replace(stage, last_look_at=NOW), at) == NOW
    assert looks.since(replace(stage, last_look_at=None), at) == began


def test_while_an_increase_waits_for_pods_no_request_of_the_split_before_is_left_out() -> None:
    waiting = replace(in_phase(Phase.SHIFTING), confirmed=frozenset(), stage_began_at=NOW, last_look_at=NOW - EVERY)
    assert looks.since(waiting, NOW) == NOW - EVERY
    assert looks.since(replace(waiting, confirmed=frozenset(waiting.objects)), NOW) == NOW


def test_what_may_carry_a_split_is_looked_at_and_nothing_else() -> None:
    assert {phase for phase in Phase if is_looked_at(in_phase(phase))} == LOOKING
    assert intervals([in_phase(Phase.OBSERVING), in_phase(Phase.COMPLETED)]) == {EVERY}


def test_the_first_look_after_the_deadline_is_the_one_that_is_tested_exactly(house: House) -> None:
    metrics = FakeMetrics()
    release = house.observed(rules=Rules(deadline=timedelta(minutes=20)))
    metrics.script(release.id, [a_reading()])
    take(house, metrics)
    take(house, metrics)
    before = house.stored(release.id).memory
    house.clock.tick(minutes=20)
    take(house, metrics)
    assert ('"tested"' in before, '"tested":0' in house.stored(release.id).memory) == (False, True)


def increasing() -> Release:
    """A release whose 25 % are asked for and not written: they wait for pods, and 5 % are served."""
    return replace(in_phase(Phase.SHIFTING), stage=1, written=0, confirmed=frozenset(), retry_at=NOW + EVERY)


def test_while_an_increase_waits_for_pods_the_split_before_is_judged(house: House) -> None:
    metrics = FakeMetrics()
    release = replace(increasing(), id=house.observed().id, last_look_at=house.clock.now())
    house.save(release)
    metrics.script(release.id, [a_reading()])
    take(house, metrics)  # the first that the judge sees
    take(house, metrics)
    [split, *_] = house.stored(release.id).verdicts
    with house.database.reading() as tx:
        [look] = tx.evidence.looks(release.id, 1)
    assert (split.bound, look.stage) == (0.05, 0)


def test_a_first_split_that_waits_for_pods_is_not_missed_in_traffic() -> None:
    first = replace(increasing(), stage=0, written=-1)
    assert not is_looked_at(first)
    assert is_looked_at(replace(first, retry_at=None))  # it may be written, and its answer lost
    assert is_looked_at(increasing())


def test_copies_beside_a_share_and_copies_alone_are_told_apart() -> None:
    release = in_phase(Phase.OBSERVING)
    share, alone = (
        replace(Split.between("v1", "v2", Decimal(percent)), mirror=Mirror("v2", Decimal(20))) for percent in (5, 0)
    )
    asked = [looks._subject(with_split(release, split), NOW) for split in (share, alone, bare(release))]
    assert [(each.is_copied, each.is_mirrored) for each in asked] == [(True, False), (False, True), (False, False)]


def bare(release: Release) -> Split:
    return release.plan.stages[0].splits["reviews"]


def with_split(release: Release, split: Split) -> Release:
    stage = replace(release.plan.stages[0], splits={"reviews": split})
    return replace(release, plan=replace(release.plan, stages=(stage, *release.plan.stages[1:])))
