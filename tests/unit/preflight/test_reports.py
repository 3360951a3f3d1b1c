"""What a preflight says of gates that were tried on healthy days."""

from dataclasses import replace

import pytest

from bot import preflight
from bot.preflight_rows import _stage_row
from strategies.gates.course import Course, Recorded
from strategies.gates.preflight import Need, Of
from tests.builders import NOW
from tests.unit.preflight.days import BOUNDED, ERRORS, P99, a_course, asking, found

HEALTHY = (0.002, 0.002, 0.002)


@pytest.mark.parametrize("gate", [ERRORS, BOUNDED], ids=["weighed", "bounded"])
def test_a_healthy_service_passes_and_nothing_is_warned_of(gate: object) -> None:
    assert gate in (ERRORS, BOUNDED)
    gates = (ERRORS,) if gate is ERRORS else (BOUNDED,)
    seen = found(*gates, errors=a_course(HEALTHY))
    [report] = seen.reports
    assert report.has_passed
    assert (report.replays, report.alarms, report.hours, report.days) == (72, (), 24, ())
    assert seen.warnings == ()
    assert seen.sentence == "At about 108,000 requests an hour every stage can be answered within its time."


@pytest.mark.parametrize("gate", [ERRORS, BOUNDED], ids=["weighed", "bounded"])
def test_a_pod_that_is_always_worse_is_named(gate: object) -> None:
    gates = (ERRORS,) if gate is ERRORS else (BOUNDED,)
    seen = found(*gates, errors=a_course((0.002, 0.002, 0.05)))
    told = " ".join(seen.warnings)
    assert "the baseline's pods differ by" in told
    if gate is BOUNDED:
        assert "errors: of 72 releases of one healthy pod against the rest 24 would have been rolled back" in told
        assert "24 of them pod-2." in told


def test_a_baseline_beyond_its_own_limit_fails_already() -> None:
    errors, slow = (
        a_course((0.04, 0.04)),
        replace(a_course((0.01, 0.01)), edge=250.0, allowed=0.01, tolerated=0.02, usual=480.0),
    )
    seen = found(BOUNDED, P99, errors=errors, latency_p99=slow)
    assert [report.has_passed for report in seen.reports] == [False, False]
    assert seen.warnings[0].startswith("errors: the baseline itself is at")
    assert seen.warnings[1] == "latency_p99: the baseline itself is at 480 ms, above the limit of 400 ms."


def test_a_day_that_was_worse_than_the_one_before_is_told_by_its_hours() -> None:
    calm = a_course((0.002, 0.002))
    worse = [
        (n, n // 20) if 2880 - 120 <= place < 2880 - 60 else (n, x)
        for place, (n, x) in enumerate(filter(None, calm.minutes))
    ]
    seen = found(ERRORS, errors=replace(calm, minutes=worse))
    [report] = seen.reports
    assert report.days == (("today", 22),)
    assert "errors: in 1 of 24 hours today was worse than yesterday by more than is allowed." in seen.warnings
    assert report.has_passed


def test_too_few_bad_requests_are_said() -> None:
    seen = found(ERRORS, errors=a_course((0.00001, 0.00001)))
    assert "fewer than the 100 that tell how they burst: harm must show in 5 looks." in seen.warnings[0]


def test_a_gate_without_series_is_named_and_the_rest_goes_on() -> None:
    there = Recorded(NOW, NOW, {"errors": a_course(HEALTHY)}, {"latency_p99": "Prometheus has no series of it."})
    seen = preflight.found(asking(ERRORS, P99), there)
    assert seen.warnings == ("latency_p99: Prometheus has no series of it.",)
    assert seen.advice.startswith("At about 108,000 requests an hour")
    none = preflight.found(asking(ERRORS), Recorded(NOW, NOW, {}, {"errors": "none"}))
    assert none.advice == "No gate can be answered: Prometheus has none of their series."


def test_a_quiet_service_is_told_to_go_blue_green() -> None:
    quiet = Course([(1, 0) if place % 3 == 0 else (0, 0) for place in range(2880)])
    assert "a canary cannot tell" in found(ERRORS, errors=quiet).advice
    assert found(ERRORS, errors=quiet).advice.endswith("; blue-green.")


def test_what_could_not_be_read_is_said_and_nothing_is_known() -> None:
    seen = preflight.found(asking(ERRORS), Recorded(NOW, NOW, trouble="Prometheus is unreachable."))
    assert seen.sentence == "The time before the release could not be read: Prometheus is unreachable."
    assert not (seen.reports or seen.needs)


def test_a_row_says_whose_requests_a_stage_counts() -> None:
    needs = (
        Need(0.1, 3_600.0, 200, "errors", 1_800.0, Of.COPIES),
        Need(0.0, None, 200, "min_requests", 1_800.0, Of.GROUP),
        Need(0.05, 18_000.0, 200, "errors", 1_800.0, Of.SHARE),
        Need(0.0, 0.0, 0, "min_requests", 1_800.0, Of.NOBODY),
    )
    assert [_stage_row(n, need)[1:5] for n, need in enumerate(needs, 1)] == [
        ("copies 10 %", "3,600", "200 for errors", "3 min"),
        ("group", "unknown", "200 for min_requests", "unknown"),
        ("5 %", "18,000", "200 for errors", "40 s"),
        ("–", "0", "0 for min_requests", "–"),
    ]
