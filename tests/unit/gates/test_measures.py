"""Counted metrics besides errors: calls to others, orders per request."""

from dataclasses import replace

import pytest

from strategies.gates.rate import border
from strategies.plan import Better, Kind, Margin, MetricGate
from strategies.verdicts import Outcome, Verdict
from tests.unit.gates.looks import ERRORS, Judge, a_look, an_arm, with_counts

OUTGOING = MetricGate("outgoing_errors", "ratio", limit=0.05, allowed=Margin(0.001))
ORDERS = MetricGate(
    "orders", "ratio", Better.HIGHER, allowed=Margin(0.02, relative=True), query="orders", kind=Kind.COUNTS
)
SURE = replace(ORDERS, allowed=Margin(0.02), tolerated=Margin(0.05))


def see(gate: MetricGate, ours: tuple[float, float], theirs: tuple[float, float], looks: int) -> list[Verdict]:
    judge = Judge(gate)
    arms = with_counts(an_arm(750), gate.metric, *theirs), with_counts(an_arm(250), gate.metric, *ours)
    return [judge.see(*arms)[gate.metric] for _ in range(looks)]


def outcomes(verdicts: list[Verdict]) -> set[Outcome]:
    return {verdict.outcome for verdict in verdicts}


def test_calls_to_others_that_fail_are_harm_on_two_looks_running() -> None:
    verdicts = see(OUTGOING, (250, 25), (750, 2), 2)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.WAIT, Outcome.FAIL]
    assert verdicts[1].reason.startswith("outgoing errors 10.0 % vs 0.27 % (+9.7 pp; limit 5.0 %; allowed +0.1 pp)")


def test_fewer_orders_are_harm_and_more_are_not() -> None:
    assert see(ORDERS, (250, 90), (750, 375), 6)[-1].outcome is Outcome.FAIL
    assert outcomes(see(ORDERS, (250, 140), (750, 375), 3)) == {Outcome.PASS}


def test_orders_are_told_as_the_owner_counts_them() -> None:
    verdict = see(ORDERS, (250, 100), (750, 375), 1)[-1]
    assert verdict.reason.startswith("orders 40.0 % vs 50.0 % (−10.0 pp; allowed −2 %)")
    assert (verdict.candidate, verdict.baseline, verdict.bound) == pytest.approx((0.4, 0.5, 0.49))


def test_orders_that_are_lost_add_up_until_it_is_sure() -> None:
    verdicts = see(SURE, (250, 100), (750, 375), 30)
    assert verdicts[-1].outcome is Outcome.FAIL
    assert "surely worse than the allowed −2.0 pp" in verdicts[-1].reason


def test_as_many_orders_pass_once_what_is_tolerated_is_ruled_out() -> None:
    verdicts = see(SURE, (250, 125), (750, 375), 60)
    assert Outcome.FAIL not in outcomes(verdicts)
    assert verdicts[-1].outcome is Outcome.PASS
    assert "a drop of 5.0 pp is ruled out" in verdicts[-1].reason


def test_events_that_are_scraped_at_other_times_than_requests_are_no_harm() -> None:
    judge = Judge(ORDERS)
    seen = []
    for share in (0.8, 0.8, 1.0, 1.0) * 8:
        arms = with_counts(an_arm(900), "orders", 900, 810), with_counts(an_arm(300), "orders", 300, 300 * share)
        seen.append(judge.see(*arms)["orders"].outcome)
    assert Outcome.FAIL not in seen
    assert seen[-1] is Outcome.PASS


def test_two_looks_with_few_orders_are_no_outage() -> None:
    assert Outcome.FAIL not in outcomes(see(SURE, (250, 95), (750, 375), 3))


def test_a_limit_of_good_events_is_the_least_that_may_be() -> None:
    least = replace(ORDERS, allowed=None, limit=0.5)
    assert see(least, (250, 50), (0, 0), 2)[-1].outcome is Outcome.FAIL
    assert see(least, (250, 150), (0, 0), 2)[-1].outcome is Outcome.PASS


@pytest.mark.parametrize("gate", [ORDERS, SURE])
def test_a_metric_without_data_waits_and_says_why(gate: MetricGate) -> None:
    judge = Judge(ERRORS, gate)
    verdicts = judge.see(an_arm(750), an_arm(250), troubles={"orders": "The query of orders gives no series for v2."})
    assert (verdicts["orders"].outcome, verdicts["errors"].outcome) == (Outcome.WAIT, Outcome.PASS)
    assert verdicts["orders"].reason == "The query of orders gives no series for v2."
    assert judge.see(an_arm(750), an_arm(250))["orders"].reason == "No orders of v1 and v2."


def test_an_event_that_is_seen_before_its_request_is_carried_and_not_cut_off() -> None:
    judge = Judge(replace(ORDERS, limit=0.9, allowed=None))
    for early, late in ((12, 8), (9, 11)) * 6:
        ours = with_counts(with_counts(an_arm(10), "orders", 10, early), "orders", 10, early)
        judge.see(an_arm(10), ours)
        verdict = judge.see(an_arm(10), with_counts(an_arm(10), "orders", 10, late))["orders"]
    assert verdict.candidate is not None
    assert verdict.candidate > 0.99


def test_more_events_than_there_is_to_count_out_of_is_named() -> None:
    judge = Judge(ORDERS)
    arms = [with_counts(an_arm(n), "orders", n, 3 * n) for n in (750, 250)]
    verdicts = [judge.see(*arms)["orders"] for _ in range(3)]
    assert outcomes(verdicts) == {Outcome.WAIT}
    assert "name in per what they are out of" in verdicts[-1].reason


def test_without_any_share_left_the_baseline_of_the_stage_before_is_compared() -> None:
    judge = Judge(ORDERS)
    arms = with_counts(an_arm(750), "orders", 750, 375), with_counts(an_arm(250), "orders", 250, 125)
    judge.see(*arms)
    judge.stage, judge.asked = 1, 1.0
    alone = with_counts(an_arm(1000), "orders", 1000, 500)
    judge.see(an_arm(0), alone)
    assert judge.see(an_arm(0), alone)["orders"].outcome is Outcome.PASS


def test_small_harm_in_two_metrics_is_harm_together() -> None:
    judge = Judge(*(replace(gate, limit=None, tolerated=Margin(0.02)) for gate in (ERRORS, OUTGOING)))
    failed: dict[str, Verdict] = {}
    while not any(verdict.outcome is Outcome.FAIL for verdict in failed.values()):
        ours, theirs = an_arm(250, 2), an_arm(750, 1)
        failed = judge.see(with_counts(theirs, "outgoing_errors", 750, 1), with_counts(ours, "outgoing_errors", 250, 2))
    assert any("All gates together prove it." in verdict.reason for verdict in failed.values())


def test_a_relative_drop_of_good_events_is_a_line_of_bad_ones() -> None:
    line = border(Margin(0.02, relative=True), Better.HIGHER)
    good = 0.4
    assert line.ratio * (1 - good) + line.offset == pytest.approx(1 - 0.98 * good)


def test_a_look_before_any_metric_was_read_waits() -> None:
    judge = Judge(ORDERS)
    assert judge.read(a_look(0, an_arm(0), an_arm(0)))["orders"].outcome is Outcome.WAIT


def test_what_passed_before_waits_while_its_own_figures_cannot_be_right() -> None:
    judge = Judge(SURE)
    theirs, ours = with_counts(an_arm(750), "orders", 750, 375), with_counts(an_arm(250), "orders", 250, 125)
    seen = [judge.see(theirs, ours)["orders"] for _ in range(60)]
    assert seen[-1].outcome is Outcome.PASS
    strange = judge.see(theirs, with_counts(an_arm(250), "orders", 250, 9000))["orders"]
    assert (strange.outcome, strange.missing) == (Outcome.WAIT, "data")
    assert strange.reason.startswith("orders counts more events than there is to count out of")
