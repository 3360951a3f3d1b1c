"""What the odds of a gate begin with, and how the day before and the release's own minutes temper them."""

import json
from dataclasses import replace
from typing import Any

from strategies.gates.chance import Line
from strategies.gates.overdispersion import Bursts
from strategies.gates.past import MetricPast, Past, keep
from strategies.plan import Margin
from strategies.verdicts import Arm, Outcome
from tests.unit.gates.looks import ERRORS, P99, Judge, an_arm

SURE = replace(ERRORS, tolerated=Margin(0.005), limit=None)
SLOW = replace(P99, tolerated=Margin(0.25, relative=True))
OURS = an_arm(300)
MINUTES = 12
CLEAN, BURSTING = (0,) * 6, (60, 0, 0, 0, 0, 0)


def account(judge: Judge) -> dict[str, Any]:
    """What is kept of the judge's one gate."""
    [gate] = judge.gates
    found: dict[str, Any] = json.loads(judge.memory)["odds"][gate.metric]["trial"]["accounts"][gate.metric]
    return found


def bursts_after(before: Bursts, *minutes: tuple[int, ...]) -> tuple[float, bool]:
    """The burst factor after these minutes of the baseline, and whether it counts as known."""
    judge = Judge(SURE)
    judge.past = keep(Past(20.0, 1440, {"errors": MetricPast(1_000_000, 4_000, (1e5, 400.0), before)}))
    for minute in minutes:
        for errors in minute:
            judge.see(an_arm(900, errors), OURS)
    factor, is_known = account(judge)["bursts"]
    return factor, is_known


def test_a_release_that_saw_few_errors_does_not_unlearn_the_day_before() -> None:
    assert bursts_after(Bursts(12.0, is_known=True), *[CLEAN] * MINUTES) == (12.0, True)


def test_bursts_that_the_day_before_did_not_have_raise_the_bar() -> None:
    factor, is_known = bursts_after(Bursts(1.0, is_known=True), *[BURSTING, CLEAN, CLEAN] * (MINUTES // 3))
    assert factor > 5
    assert is_known


def test_a_past_that_was_too_short_to_know_bursts_is_completed_by_an_hour_of_the_release() -> None:
    assert bursts_after(Bursts(2.0), *[BURSTING] * 60) == (2.0, True)
    assert bursts_after(Bursts(2.0), *[BURSTING] * MINUTES) == (2.0, False)


def test_a_quarter_of_an_hour_without_a_past_does_not_tell_how_errors_burst() -> None:
    judge = Judge(SURE)
    for minute in [BURSTING, CLEAN, CLEAN] * (MINUTES // 3):
        for errors in minute:
            judge.see(an_arm(900, errors), OURS)
    factor, is_known = account(judge)["bursts"]
    assert factor > 5
    assert not is_known


def test_latency_adds_up_once_the_baseline_has_a_histogram_to_begin_with() -> None:
    judge = Judge(SLOW)
    first = judge.see(Arm(900.0, 0.0), OURS)["latency_p99"]
    assert (first.outcome, first.reason) == (Outcome.WAIT, "No latency of v1 in this look.")
    assert '"odds"' not in judge.memory
    judge.see(an_arm(900), OURS)
    assert account(judge)["edge"] is not None


def test_an_edge_that_the_histograms_no_longer_have_is_chosen_anew() -> None:
    judge = Judge(SLOW)
    gone = MetricPast(54_000, 400, (5e4, 350.0), Bursts(1.0, is_known=True), 300.0, Line(1, 0.002), Line(1, 0.01))
    judge.past = keep(Past(20.0, 60, {"latency_p99": gone}))
    judge.see(an_arm(900), OURS)
    assert account(judge)["edge"] == 100.0


def test_errors_whose_version_cannot_be_told_hold_what_would_have_passed() -> None:
    judge, named = Judge(SURE), Judge(SURE)
    for _ in range(8):
        verdict = judge.see(an_arm(7500), an_arm(2480), unattributed=40.0)["errors"]
        passing = named.see(an_arm(7500), an_arm(2480))["errors"]
    assert (passing.outcome, verdict.outcome) == (Outcome.PASS, Outcome.WAIT)
    assert verdict.missing == "errors that name a version"
    assert "320 errors name no version" in verdict.reason


def test_a_lone_error_without_a_version_holds_nothing_up() -> None:
    summed, bounded = Judge(SURE), Judge(ERRORS)
    for _ in range(8):
        verdicts = [judge.see(an_arm(7500), an_arm(2500))["errors"] for judge in (summed, bounded)]
    verdicts += [judge.see(an_arm(7500), an_arm(2500), unattributed=1.0)["errors"] for judge in (summed, bounded)]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.PASS] * 4
    assert not any("name no version" in verdict.reason for verdict in verdicts)
