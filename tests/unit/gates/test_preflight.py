"""What each stage needs at the traffic that there is."""

import math
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from strategies import ab, blue_green, canary, shadow
from strategies.gates.chance import Line
from strategies.gates.memory import ENOUGH
from strategies.gates.overdispersion import Bursts
from strategies.gates.past import MetricPast, Past, keep, recall
from strategies.gates.preflight import Need, Of, advice, needs, trouble
from strategies.plan import Approve, Margin, MetricGate, Plan, SideEffects, Spec, StrategyName
from strategies.reasons import Refused
from strategies.routing import Match
from tests.builders import a_plan

ERRORS = MetricPast(1_000_000, 1_000, bursts=Bursts(1.0, is_known=True))
DEADLINE = timedelta(minutes=30)


def past(per_second: float, **metrics: MetricPast) -> Past:
    return Past(per_second, 1440, {"errors": ERRORS, **metrics})


def of(plan: Plan, known: Past) -> tuple[Need, ...]:
    return needs(plan, "reviews", "v2", known, DEADLINE)


def test_the_first_stage_pays_for_the_evidence_and_the_others_for_their_own_requests() -> None:
    found = of(a_plan(), past(100))
    assert found[0].gate == "errors"
    assert 1_000 < (found[0].requests or 0) < 3_000
    assert [need.requests for need in found[1:]] == [500, 500, 500]
    assert found[0].per_hour == 18_000
    assert all(need.fits for need in found)
    assert trouble(found, past(100)) == ""
    assert advice(found, past(100)) == "At about 360,000 requests an hour every stage can be answered within its time."


def test_a_larger_first_share_is_advised_where_it_helps() -> None:
    found = of(a_plan(), past(5))
    assert not found[0].fits
    assert trouble(found, past(5)).startswith("At about 18,000 requests an hour the stage at 5 % needs")
    assert ": begin at 20 %, or give it a longer deadline." in trouble(found, past(5))


def test_a_handful_of_requests_an_hour_is_for_blue_green() -> None:
    known = past(40 / 3600)
    told = trouble(of(a_plan(), known), known)
    assert told.startswith("About 40 requests an hour: a canary cannot tell (")
    assert told.endswith("; blue-green.")


def test_no_traffic_at_all_never_fits() -> None:
    known = past(0.0)
    assert "which never come" in trouble(of(a_plan(), known), known)


def test_bursts_make_it_longer() -> None:
    calm, bursty = (of(a_plan(), past(100, errors=replace(ERRORS, bursts=Bursts(f))))[0] for f in (1.0, 4.0))
    assert bursty.requests == pytest.approx(4 * (calm.requests or 0), rel=0.01)


def test_a_past_that_is_not_known_refuses_nothing() -> None:
    unread = Past(trouble="Prometheus is unreachable.")
    assert trouble(of(a_plan(), unread), unread) == ""
    unseen = of(a_plan(), Past(10.0, 5))
    assert unseen[0].requests is None
    assert math.isinf(unseen[0].seconds)
    assert trouble(unseen, Past(10.0, 5)) == ""
    assert "cannot be told yet" in advice(unseen, Past(10.0, 5))


def test_latency_that_tolerates_something_is_counted_above_its_edge() -> None:
    gate = MetricGate("latency_p99", "ms", allowed=Margin(0.1, relative=True), tolerated=Margin(0.25, relative=True))
    stages = tuple(replace(stage, gates=(gate,)) for stage in a_plan().stages)
    known = MetricPast(1_000_000, 20_000, edge=250.0, border=Line(1, 0.005), tolerated=Line(1, 0.02))
    [first, *_] = of(Plan(a_plan().strategy, stages), past(100, latency_p99=known))
    assert first.gate == "latency_p99"
    assert 500 < (first.requests or 0) < 2_000


def test_thresholds_need_what_says_something() -> None:
    gate = MetricGate("latency_p99", "ms", allowed=Margin(0.1, relative=True))
    stages = tuple(replace(stage, gates=(gate,), min_requests=0) for stage in a_plan().stages)
    assert [need.requests for need in of(Plan(a_plan().strategy, stages), past(100))] == [100] * 4


def test_the_past_survives_its_text_form() -> None:
    metric = MetricPast(
        10, 1, (9.0, 0.5), Bursts(2.5, is_known=True), 250.0, Line(1, 0.1), Line(1, 0.2), 0.01, 72, 1, 2.0
    )
    known = Past(1.5, 1440, {"errors": ERRORS, "latency_p99": metric}, "half of it")
    assert recall(keep(known)) == known
    assert recall("") == recall('{"v":0}') == Past()


def test_what_a_clean_past_cannot_tell_of_a_relative_margin_is_not_guessed() -> None:
    gate = MetricGate("errors", "ratio", tolerated=Margin(0.25, relative=True))
    stages = tuple(replace(stage, gates=(gate,)) for stage in a_plan().stages)
    spotless = past(100, errors=MetricPast(1_000_000_000, 0))
    [first, *_] = of(Plan(a_plan().strategy, stages), spotless)
    assert first.requests is None
    assert not first.fits


def spec(strategy: StrategyName, **changes: object) -> Spec:
    asked = Spec(
        strategy, "reviews", "v1", "v2", (Decimal(100),), timedelta(minutes=10), Approve.EVERY,
        gates=(TOLERATING,), min_requests=200, side_effects=SideEffects.NONE,
    )  # fmt: skip
    return replace(asked, **changes)  # type: ignore[arg-type]  # fields of its own


TOLERATING = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
PEOPLE = (Match("header:x-group", "v2", exact="beta"),)


def planned(found: Plan | Refused) -> Plan:
    assert isinstance(found, Plan), found
    return found


def test_copies_are_counted_at_their_percent_and_the_first_of_them_pay() -> None:
    found = of(planned(shadow.plan(spec(StrategyName.SHADOW, steps=(Decimal(10), Decimal(50))))), past(10))
    assert [(need.of, need.per_hour) for need in found] == [
        (Of.COPIES, 3_600),
        (Of.COPIES, 18_000),
        (Of.NOBODY, 0),
    ]
    assert found[0].gate == "errors"
    assert [need.requests for need in found[1:]] == [200, 0]
    # The baseline answers everything beside them, so a copy tells a little more than a live request of that share.
    live = of(planned(canary.plan(spec(StrategyName.CANARY, steps=(Decimal(10), Decimal(100))))), past(10))[0]
    assert 0.9 * (live.requests or 0) < (found[0].requests or 0) < (live.requests or 0)


def test_too_few_copies_are_told_with_the_percent_that_would_do() -> None:
    slow = planned(shadow.plan(spec(StrategyName.SHADOW, steps=(Decimal(1),))))
    told = advice(of(slow, past(5)), past(5))
    assert "copies of 1 % need " in told
    assert "begin with copies of 20 %, or give it a longer deadline." in told
    assert "a shadow cannot tell" in advice(of(slow, past(0.01)), past(0.01))


def test_copies_of_everything_pay_for_those_that_come_after() -> None:
    shadowed = planned(shadow.plan(spec(StrategyName.SHADOW, steps=(Decimal(10), Decimal(100)))))
    few, all_of_them, end = shadowed.stages
    found = of(Plan(shadowed.strategy, (all_of_them, few, end)), past(10))
    assert found[0].gate == "errors"
    assert [need.requests for need in found[1:]] == [200, 0]


def lacking(whose: Of) -> Need:
    """At half of the traffic it takes 6,480 s and has an hour, which is enough at all of it."""
    return Need(0.5, 100, 180, "errors", 3_600, whose)


def test_half_of_the_traffic_that_is_too_little_is_given_longer_and_copies_may_be_all() -> None:
    assert advice([lacking(Of.SHARE)], past(200 / 3600)) == (
        "About 200 requests an hour: a canary cannot tell (the stage at 50 % needs 180 requests for errors, about "
        "1.8 h, and has 60 min); blue-green, or begin at 50 % with a deadline of 2.2 h."
    )
    assert advice([lacking(Of.COPIES)], past(200 / 3600)).endswith(
        "and has 60 min: begin with copies of 100 %, or give it a longer deadline."
    )


def test_a_gauge_needs_no_requests_of_its_own_and_a_count_some() -> None:
    level = MetricGate("cpu", "cores", allowed=Margin(0.1, relative=True))
    for gate, needed in ((level, 0), (MetricGate("errors", "ratio", allowed=Margin(0.001)), ENOUGH)):
        stages = tuple(replace(stage, gates=(gate,), min_requests=0) for stage in a_plan().stages)
        assert [need.requests for need in of(Plan(a_plan().strategy, stages), past(100))] == [needed] * 4


def test_how_many_requests_a_group_sends_is_not_known_and_is_said() -> None:
    found = of(planned(ab.plan(spec(StrategyName.AB, matches=PEOPLE))), past(100))
    assert (found[0].of, found[0].per_hour, found[0].fits) == (Of.GROUP, None, True)
    assert math.isinf(found[0].seconds)
    told = advice(found, past(100))
    assert told.startswith("At about 360,000 requests an hour every other stage can be answered within its time.")
    assert "How many requests the group sends is not known beforehand: its stage needs at least" in told
    assert trouble(found, past(100)) == ""


def test_a_preview_that_a_smoke_test_decides_needs_no_requests() -> None:
    plan = planned(blue_green.plan(spec(StrategyName.BLUE_GREEN, smoke="https://smoke.example/run")))
    preview, switch = of(plan, past(100))
    assert (preview.requests, preview.gate, preview.fits) == (0, "smoke", True)
    assert (switch.of, switch.requests) == (Of.SHARE, 200)
