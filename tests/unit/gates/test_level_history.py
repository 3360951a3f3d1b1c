"""A gauge against itself: trusted to roll back only where it would never have done so by mistake."""

from dataclasses import replace

import numpy as np

from strategies.gates.course import Level, Readings
from strategies.gates.level_history import learnt
from strategies.gates.past import LevelPast, Past, keep, recall
from strategies.plan import Better, Margin, MetricGate
from strategies.verdicts import Arm, Outcome
from tests.unit.gates.looks import Judge

REVENUE = MetricGate("revenue", "1", better=Better.HIGHER, allowed=Margin(0.05, relative=True), query="q")
MEMORY = MetricGate("memory", "bytes", allowed=Margin(0.1, relative=True))


def wandering(seed: int, mean: float = 100.0, spread: float = 2.0, keeps: float = 0.6) -> list[float | None]:
    """A day of readings of which each remembers the one before."""
    rng, reading, found = np.random.default_rng(seed), 0.0, []
    for _ in range(1440):
        reading = keeps * reading + rng.normal(0, spread)
        found.append(mean + reading)
    return list(found)


def test_a_gauge_that_wanders_little_passes_and_may_roll_back() -> None:
    past, alarms = learnt(REVENUE, Level(wandering(1)))
    assert (past.replays, alarms, past.has_passed) == (45, (), True)
    assert 99 < past.mean < 101
    assert past.long_run is not None
    assert past.long_run > 10


def test_a_gauge_that_moves_with_the_hour_is_given_its_tides_as_noise() -> None:
    calm, _ = learnt(REVENUE, Level(wandering(2)))
    tides = [reading + 40 * np.sin(place / 90) for place, reading in enumerate(filter(None, wandering(2)))]
    past, alarms = learnt(REVENUE, Level(tides))
    assert alarms == ()
    assert (past.long_run or 0) > 100 * (calm.long_run or 0)


def test_pods_are_replayed_against_the_rest_and_one_that_leaks_is_named() -> None:
    pods: dict[str, Readings] = {f"pod-{n}": wandering(n) for n in range(3)}
    past, alarms = learnt(MEMORY, Level(pods["pod-0"], pods))
    assert (past.replays, alarms, past.has_passed) == (72, (), True)
    pods["pod-2"] = [reading * 1.4 for reading in wandering(2) if reading is not None]
    past, alarms = learnt(MEMORY, Level(pods["pod-0"], pods))
    assert {name for name, _ in alarms} == {"pod-2"}
    assert not past.has_passed


def test_too_short_a_past_is_no_proof() -> None:
    assert learnt(REVENUE, Level()) == (LevelPast(), ())
    short, _ = learnt(REVENUE, Level(wandering(1)[:300]))
    assert short.replays < 20
    assert not short.has_passed
    gaps: Readings = [reading if place % 3 else None for place, reading in enumerate(wandering(1))]
    assert learnt(REVENUE, Level(gaps))[0].replays == 45


def test_only_a_gauge_that_passed_rolls_back() -> None:
    passed, _ = learnt(REVENUE, Level(wandering(1)))
    outcomes = []
    for level in (passed, replace(passed, false_alarms=5)):
        judge = Judge(REVENUE)
        judge.past = keep(Past(10.0, 1440, levels={"revenue": level}))
        for _ in range(60):
            verdict = judge.see(revenue(100.0), revenue(60.0))["revenue"]
        outcomes.append(verdict.outcome)
    assert outcomes == [Outcome.FAIL, Outcome.WAIT]


def revenue(value: float) -> Arm:
    return Arm(100.0, 0.0, gauges={"revenue": value})


def test_the_past_of_levels_survives_its_text_form() -> None:
    known = Past(1.5, 1440, levels={"revenue": LevelPast(100.0, 12.5, 45, 0), "cpu": LevelPast(0.4)})
    assert recall(keep(known)) == known
