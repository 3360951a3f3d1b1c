"""What a preflight says of each kind of gate: levels, good events, calls to others, quiet services."""

from dataclasses import replace

from bot import preflight
from strategies.gates.checkup import Report, warnings
from strategies.gates.course import YOUNG, Level, Readings, Recorded
from strategies.plan import Better, Kind, Margin, MetricGate
from tests.builders import NOW
from tests.unit.preflight.days import BOUNDED, ERRORS, P99, a_course, asking, found

REVENUE = MetricGate("revenue", "EUR", Better.HIGHER, allowed=Margin(0.05, relative=True), query="revenue")
MEMORY = MetricGate("memory", "bytes", allowed=Margin(0.1, relative=True))
ORDERS = MetricGate("orders", "ratio", Better.HIGHER, limit=0.9, query="orders", kind=Kind.COUNTS)


def of_level(gate: MetricGate, level: Level) -> preflight.Found:
    return preflight.found(asking(gate), Recorded(NOW, NOW, levels={gate.metric: level}))


def even(value: float, minutes: int = 1440) -> list[float | None]:
    return [value + place % 2 * 0.01 for place in range(minutes)]


def test_a_level_without_series_is_named() -> None:
    assert of_level(REVENUE, Level()).warnings == ("revenue: Prometheus has no series of it.",)


def test_a_level_is_told_in_its_unit_and_a_silent_one_as_silent() -> None:
    [speaking] = of_level(REVENUE, Level(even(100.0))).reports
    [silent] = of_level(REVENUE, Level([*even(100.0, 1430), *[None] * 10])).reports
    assert (speaking.now, silent.now) == ("100 EUR", "no reading in 10 min")
    assert (speaking.replays, speaking.alarms, speaking.has_passed) == (45, (), True)


def test_a_level_beyond_its_own_limit_fails_already() -> None:
    below = of_level(replace(REVENUE, limit=200.0), Level(even(100.0)))
    above = of_level(replace(MEMORY, limit=2.0**20), Level(even(2.0**21)))
    assert below.warnings[0] == "revenue: the baseline itself is at 100 EUR, below the limit of 200 EUR."
    assert above.warnings[0] == "memory: the baseline itself is at 2 MiB, above the limit of 1 MiB."
    assert not (below.reports[0].has_passed or above.reports[0].has_passed)


def test_a_level_within_its_limit_and_one_that_is_silent_do_not_fail() -> None:
    limited = replace(REVENUE, limit=50.0)
    assert of_level(limited, Level(even(100.0))).warnings == ()
    assert of_level(limited, Level([*even(10.0, 1430), *[None] * 10])).reports[0].fails_now == ""


def test_a_level_of_which_one_pod_is_always_higher_holds_a_release_and_rolls_none_back() -> None:
    pods: dict[str, Readings] = {f"pod-{n}": even(100.0 if n < 2 else 140.0) for n in range(3)}
    seen = of_level(MEMORY, Level(pods["pod-0"], pods))
    assert seen.warnings == (
        "memory: against itself it would have rolled back 24 of 72 healthy stages, so it holds a release and rolls "
        "none back.",
    )


def test_a_service_that_is_only_new_is_warned_of_nothing() -> None:
    young = Report(ERRORS, missing=f"v1 is known {YOUNG}.")
    assert warnings([young]) == ()
    assert len(warnings([young, Report(P99, missing="Prometheus has no series of it.")])) == 2


def test_calls_to_others_are_tried_as_errors_are() -> None:
    gate = MetricGate("outgoing_errors", "ratio", limit=0.05)
    [report] = found(gate, outgoing_errors=a_course((0.002, 0.002, 0.002))).reports
    assert (report.replays, report.alarms, report.has_passed) == (72, (), True)
    assert report.now.startswith("0.")
    [silent] = found(gate).reports
    assert silent.missing == "it cannot be read before a release."
    assert not silent.has_passed


def test_minutes_with_few_requests_add_up_until_they_say_something() -> None:
    [report] = found(BOUNDED, errors=a_course((0.002, 0.002, 0.5), per_minute=5)).reports
    assert {name for name, _ in report.alarms} == {"pod-2"}
    assert len(report.alarms) == 24


def test_a_service_that_nobody_calls_now_is_told_so() -> None:
    course = a_course((0.002, 0.002))
    quiet = replace(course, minutes=[*course.minutes[:-10], *[(0, 0)] * 10])
    assert found(ERRORS, errors=quiet).reports[0].now == "no request in 10 min"


def test_good_events_are_told_as_such_and_their_least_is_not_asked_before_a_release() -> None:
    [report] = found(ORDERS, orders=a_course((0.2, 0.2))).reports
    assert report.now.startswith(("79.", "80."))
    assert report.fails_now == ""


def test_latency_within_its_limit_is_told_with_its_edge() -> None:
    course = replace(a_course((0.01, 0.01)), edge=250.0, allowed=0.01, tolerated=0.02, usual=120.0)
    [report] = found(P99, latency_p99=course).reports
    assert report.now.startswith("120 ms, ")
    assert report.now.endswith(" % above 250 ms")
    assert report.has_passed
