"""Errors and latency against their bounds."""

import math

import pytest

from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Outcome
from tests.unit.gates.looks import ERRORS, P50, P99, Judge, an_arm, silent

LIMIT = MetricGate("errors", "ratio", limit=0.01)
GOOD, BAD = an_arm(250), an_arm(250, 25)
BASE = an_arm(750, 2)


def test_one_bad_look_waits_and_the_second_fails() -> None:
    judge = Judge(ERRORS)
    first, second = (judge.see(BASE, BAD)["errors"] for _ in range(2))
    assert (first.outcome, second.outcome) == (Outcome.WAIT, Outcome.FAIL)
    assert first.reason.startswith("1 of 2 looks above the bound: 5xx 10.0 % vs 0.27 % (+9.7 pp;")
    assert second.reason.endswith("2 looks running.")


def test_a_good_look_between_two_bad_ones_forgives_small_harm() -> None:
    judge, slightly = Judge(LIMIT), an_arm(250, 8)
    outcomes = [judge.see(BASE, arm)["errors"].outcome for arm in (slightly, an_arm(2500), slightly)]
    assert Outcome.FAIL not in outcomes


def test_a_silent_look_between_two_bad_ones_forgives_nothing() -> None:
    judge = Judge(ERRORS)
    judge.see(BASE, BAD)
    judge.read(silent(2))
    assert judge.see(BASE, BAD)["errors"].outcome is Outcome.FAIL


def test_a_lone_error_is_neither_harm_nor_health() -> None:
    judge = Judge(LIMIT, asked=None)
    verdicts = [judge.see(BASE, an_arm(30, 1))["errors"] for _ in range(2)]
    assert {verdict.outcome for verdict in verdicts} == {Outcome.WAIT}
    assert "not surely yet" in verdicts[1].reason


def test_few_requests_add_up_until_they_say_something() -> None:
    judge = Judge(LIMIT, asked=None)
    outcomes = [judge.see(BASE, an_arm(5, 3))["errors"].outcome for _ in range(8)]
    assert outcomes == [Outcome.WAIT] * 7 + [Outcome.FAIL]


def test_a_shared_incident_is_not_the_candidates_fault() -> None:
    judge = Judge(MetricGate("errors", "ratio", allowed=Margin(0.001)))
    outcomes = [judge.see(an_arm(750, 75), an_arm(250, 25))["errors"].outcome for _ in range(5)]
    assert Outcome.FAIL not in outcomes


def test_small_harm_is_proven_by_the_whole_stage() -> None:
    judge = Judge(MetricGate("errors", "ratio", allowed=Margin(0.001)))
    outcomes = [judge.see(an_arm(750, 2), an_arm(250, 4))["errors"].outcome for _ in range(12)]
    assert outcomes[0] is Outcome.WAIT
    assert outcomes[-1] is Outcome.FAIL


def test_at_full_share_the_baseline_of_the_stage_before_is_compared() -> None:
    judge = Judge(ERRORS)
    judge.see(an_arm(750, 1), an_arm(250))
    judge.stage, judge.asked = 1, 1.0
    judge.see(an_arm(0), an_arm(1000, 1))
    verdict = judge.see(an_arm(0), an_arm(1000, 1))["errors"]
    assert verdict.outcome is Outcome.PASS
    assert verdict.baseline == pytest.approx(1 / 750)


def test_without_any_baseline_a_comparison_waits() -> None:
    verdict = Judge(ERRORS, asked=1.0).see(an_arm(0), an_arm(1000))["errors"]
    assert (verdict.outcome, verdict.missing) == (Outcome.WAIT, "a baseline to compare with")


def test_errors_of_no_version_are_the_candidates_when_no_pod_is_ready() -> None:
    judge, dead = Judge(ERRORS), {"unattributed": 250.0, "ready": {"v1": 3, "v2": 0}}
    outcomes = [judge.see(an_arm(750), an_arm(0), **dead)["errors"].outcome for _ in range(2)]
    assert outcomes == [Outcome.WAIT, Outcome.FAIL]


def test_errors_of_no_version_belong_to_whose_share_they_complete() -> None:
    judge = Judge(ERRORS)
    verdicts = [judge.see(an_arm(750), an_arm(50), unattributed=200.0) for _ in range(2)]
    assert verdicts[1]["errors"].outcome is Outcome.FAIL
    assert verdicts[1]["split"].outcome is Outcome.PASS
    assert Judge(ERRORS).see(an_arm(350), an_arm(250), unattributed=400.0)["errors"].candidate == 0


def test_errors_whose_version_cannot_be_told_hold_and_do_not_fail() -> None:
    judge = Judge(ERRORS)
    verdicts = [judge.see(an_arm(7500), an_arm(2480), unattributed=40.0)["errors"] for _ in range(3)]
    assert {verdict.outcome for verdict in verdicts} == {Outcome.WAIT}
    assert "40 errors name no version" in verdicts[0].reason


def test_a_much_slower_candidate_fails_on_the_second_look() -> None:
    judge = Judge(P50, P99)
    verdicts = [judge.see(an_arm(750), an_arm(250, mean=300)) for _ in range(2)]
    assert [v["latency_p50"].outcome for v in verdicts] == [Outcome.WAIT, Outcome.FAIL]
    assert verdicts[1]["latency_p99"].outcome is Outcome.FAIL


def test_the_bucket_of_a_bound_inside_one_is_named() -> None:
    reason = Judge(P99).see(an_arm(750), an_arm(250))["latency_p99"].reason
    assert "allowed +10 %" in reason
    assert "bucket 100 ms to 250 ms" in reason


def test_a_limit_on_an_edge_is_judged_without_a_baseline() -> None:
    judge = Judge(MetricGate("latency_p95", "ms", limit=250.0), asked=None)
    slow = [judge.see(Arm(0.0, 0.0), an_arm(250, mean=300))["latency_p95"].outcome for _ in range(2)]
    assert slow == [Outcome.WAIT, Outcome.FAIL]


def test_a_quantile_beyond_the_last_bucket_never_passes() -> None:
    beyond = Arm(250.0, 0.0, {100.0: 100.0, math.inf: 250.0})
    verdict = Judge(MetricGate("latency_p99", "ms", limit=500.0), asked=None).see(BASE, beyond)["latency_p99"]
    assert verdict.outcome is Outcome.WAIT
    assert "p99 more than 100 ms" in verdict.reason


def test_latency_without_a_histogram_waits_and_says_whose() -> None:
    verdict = Judge(P99).see(BASE, Arm(250.0, 0.0))["latency_p99"]
    assert (verdict.outcome, verdict.reason) == (Outcome.WAIT, "No latency of v2 in this look.")


def test_a_high_quantile_needs_more_requests() -> None:
    verdict = Judge(P99).see(BASE, an_arm(60))["latency_p99"]
    assert (verdict.reason, verdict.missing) == ("v2 has 60 requests; 100 say something.", "40 more requests")
