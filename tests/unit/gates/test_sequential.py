"""The sequential judge, look by look: what it proves, what it waits for, what it leaves out."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from math import comb, inf

import pytest

from strategies.gates.account import Account
from strategies.gates.ledger import document, restored
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.sequential import judge
from strategies.gates.trial import Decision, Finding, Look, Sample, Trial, opened
from strategies.plan import Better
from strategies.verdicts import Outcome

ERRORS = Metric("errors", Kind.COUNTS, 0.001, 0.005)
QUESTION = Question((ERRORS,), deadline_s=900)
LONG_PAST: dict[str, list[Sample]] = {"errors": [[(6000, 6)]] * 60}


Counts = tuple[int, int] | None


def see(trial: Trial, looks: Sequence[tuple[Counts, Counts]], weight: float = 5) -> list[Finding]:
    """Findings on looks of ten seconds: the baseline's and the candidate's counts."""
    start = trial.last or 0.0
    arms = [[{"errors": None if arm is None else (arm,)} for arm in look] for look in looks]
    return judge([(trial, Look(start + 10 * place, weight, *pair)) for place, pair in enumerate(arms, 1)])


def chance(n: int, x: int, p: float) -> float:
    return comb(n, x) * p**x * (1 - p) ** (n - x)


@pytest.mark.parametrize(("rates", "line"), [((0.1, 0.4), 0.05), ((0.3, 0.0), 0.1)])
@pytest.mark.parametrize("minutes", [0, 2])
def test_over_all_paths_the_odds_expect_no_more_than_one(rates: tuple[float, float], line: float, minutes: int) -> None:
    metric = Metric("errors", Kind.COUNTS, line, line)
    harm = safe = 0.0
    for x00, x01, x10, x11 in product(range(4), range(3), range(4), range(3)):
        trial = opened(Question((metric,), deadline_s=600), {"errors": [[(20, 3)]]})
        looks = [Look(10, 5, {"errors": [(3, x00)]}, {"errors": [(2, x01)]})]
        looks += [Look(20 + 60.0 * minutes, 5, {"errors": [(3, x10)]}, {"errors": [(2, x11)]})]
        last = judge([(trial, look) for look in looks])[-1]
        # The baseline's rate moves between the looks; the candidate stays on the border of both nulls.
        path = chance(3, x00, rates[0]) * chance(2, x01, rates[0] + line)
        path *= chance(3, x10, rates[1]) * chance(2, x11, rates[1] + line)
        harm, safe = harm + path * last.harm_odds, safe + path * last.safe_odds
    assert harm == pytest.approx(1, abs=1e-9) or harm < 1
    assert safe <= 1 + 1e-9


def test_an_outage_is_rolled_back_at_the_second_look_even_with_no_past() -> None:
    first, second = see(opened(QUESTION, {}), [((95, 0), (5, 3)), ((95, 0), (5, 2))])
    assert (first.decision, second.decision) == (None, Decision.ROLL_BACK)
    assert second.reason.startswith("errors 50.0 % vs 0 % (+50.0 pp), 5 of 10 requests, surely worse")


def test_one_burst_of_a_service_without_past_is_not_harm_yet() -> None:
    [finding] = see(opened(QUESTION, {}), [((950, 1), (50, 9))])
    assert finding.harm_odds > QUESTION.harm_odds
    assert finding.outcome is Outcome.WAIT
    assert "history is too short to tell a burst" in finding.reason


def test_a_shared_incident_rolls_nothing_back() -> None:
    findings = see(opened(QUESTION, LONG_PAST), [((950, 95), (50, 5))] * 30)
    assert max(finding.harm_odds for finding in findings) < 10


def test_a_good_candidate_is_promoted_at_the_deadline_and_not_before() -> None:
    findings = see(opened(QUESTION, LONG_PAST), [((950, 1), (50, 0))] * 90, weight=5)
    assert [finding.decision for finding in findings[:-1]] == [None] * 89
    assert findings[-1].decision is Decision.PROMOTE
    assert "is ruled out at" in findings[-1].reason


def test_an_eager_question_promotes_as_soon_as_safety_holds() -> None:
    findings = see(opened(replace(QUESTION, is_eager=True), LONG_PAST), [((950, 1), (50, 0))] * 89)
    decided = next(finding for finding in findings if finding.decision)
    assert decided.decision is Decision.PROMOTE
    assert decided.safe_odds >= 20


def test_too_little_traffic_holds_and_says_how_much_is_missing() -> None:
    findings = see(opened(QUESTION, LONG_PAST), [((9, 0), (1, 0))] * 90)
    assert findings[-1].decision is Decision.HOLD
    assert findings[0].needed_requests is not None
    assert 500 < findings[0].needed_requests < 3000
    assert "can be ruled out after about" in findings[-1].reason


def test_the_requests_said_to_be_needed_are_those_that_were_needed() -> None:
    findings = see(
        opened(QUESTION, LONG_PAST), [((950, 1), (50, 0)), *[((950, 1), (50, i % 20 == 0)) for i in range(88)]]
    )
    said = findings[0].needed_requests
    took = next(place for place, finding in enumerate(findings, 1) if finding.safe_odds >= 20) * 50
    assert said is not None
    assert took / 2 <= said <= took * 2


def test_a_stage_must_see_its_own_requests() -> None:
    trial = opened(replace(QUESTION, min_requests=200), LONG_PAST)
    assert see(trial, [((950, 1), (50, 0))] * 60)[-1].outcome is Outcome.PASS
    skipped, *rest = see(trial, [((900, 1), (100, 0))] * 3, weight=10)
    assert "first look after a change of the weight" in skipped.reason
    assert [finding.outcome for finding in rest] == [Outcome.WAIT, Outcome.PASS]
    assert "this stage needs 100 more requests" in rest[0].reason


def test_a_skipped_look_and_a_lost_one_change_no_odds() -> None:
    trial = opened(QUESTION, LONG_PAST)
    [before] = see(trial, [((950, 1), (50, 1))])
    [lost] = see(trial, [((950, 9), None)])
    [skipped] = see(trial, [((900, 0), (100, 90))], weight=10)
    odds = {(finding.harm_odds, finding.safe_odds) for finding in (before, lost, skipped)}
    assert len(odds) == 1
    assert lost.reason == "No data of errors in this look: it proves nothing."


def test_harm_that_only_all_looks_together_show_is_found_at_the_deadline() -> None:
    counts = [((950, 1), (50, 1 if place % 4 == 0 else 0)) for place in range(90)]
    findings = see(opened(QUESTION, {"errors": [[(6000, 6)]] * 60}), counts)
    assert all(finding.decision is None for finding in findings[:-1])
    assert findings[-1].decision is Decision.ROLL_BACK
    assert "the exact test at the deadline" in findings[-1].reason


def test_bursts_in_the_past_raise_the_bar_and_are_named() -> None:
    bursty: dict[str, list[Sample]] = {"errors": [[(6000, 0 if place % 5 else 60)] for place in range(120)]}
    [steady], [raised] = (see(opened(QUESTION, past), [((950, 1), (50, 4))]) for past in (LONG_PAST, bursty))
    assert raised.harm_odds < steady.harm_odds
    assert "errors came in bursts" in raised.reason


def test_a_drop_of_good_events_is_harm() -> None:
    metric = Metric("orders", Kind.COUNTS, 0.01, 0.03, better=Better.HIGHER)
    trial = opened(Question((metric,), deadline_s=900), {"orders": [[(600, 120)]] * 60})
    looks = [Look(10.0 * t, 20, {"orders": [(400, 80)]}, {"orders": [(100, 8)]}) for t in range(1, 30)]
    finding = next(finding for finding in judge([(trial, look) for look in looks]) if finding.decision)
    assert finding.decision is Decision.ROLL_BACK
    assert "orders 8.0 % vs 20.0 % (−12.0 pp)" in finding.reason
    assert "allowed −1.0 pp" in finding.reason


def test_harm_is_the_mean_over_metrics_and_safety_the_least() -> None:
    other = replace(ERRORS, name="checkout")
    question = Question((ERRORS, other), deadline_s=900)
    past = {**LONG_PAST, "checkout": LONG_PAST["errors"]}
    trial = opened(question, past)
    arms = {"errors": [(950, 1)], "checkout": [(950, 1)]}, {"errors": [(50, 0)], "checkout": [(50, 5)]}
    [finding] = judge([(trial, Look(10, 5, *arms))])
    assert finding.harm_odds == pytest.approx(sum(each.harm_odds for each in trial.accounts.values()) / 2)
    assert finding.safe_odds == min(each.safe_odds for each in trial.accounts.values())


def test_a_gauge_holds_and_never_rolls_back() -> None:
    metric = Metric("revenue", Kind.GAUGE, 0.1, 1.0, better=Better.HIGHER)
    past: dict[str, list[Sample]] = {"revenue": [100 + (-1.0) ** place for place in range(200)]}
    worse = judge(
        [
            (
                trial := opened(Question((metric,), deadline_s=900), past),
                Look(10, 5, {"revenue": 100.0}, {"revenue": 90.0}),
            )
        ]
    )
    worse += judge([(trial, Look(10.0 * t, 5, {"revenue": 100.0}, {"revenue": 90.0 + t % 2})) for t in range(2, 91)])
    assert worse[-1].decision is Decision.HOLD
    assert worse[-1].safe_odds < 1
    fine = opened(Question((metric,), deadline_s=900), past)
    looks = [Look(10.0 * t, 5, {"revenue": 100.0}, {"revenue": 100.0 + (-1.0) ** t}) for t in range(1, 91)]
    assert judge([(fine, look) for look in looks])[-1].decision is Decision.PROMOTE


def test_a_batch_of_looks_is_judged_as_one_by_one() -> None:
    looks = [Look(10.0 * t, 5, {"errors": [(950, t % 3)]}, {"errors": [(50, t % 7 == 0)]}) for t in range(1, 60)]
    together, alone = opened(QUESTION, LONG_PAST), opened(QUESTION, LONG_PAST)
    batch = judge([(together, look) for look in looks])
    single = [finding for look in looks for finding in judge([(alone, look)])]
    assert [(f.harm_odds, f.safe_odds) for f in batch] == [(f.harm_odds, f.safe_odds) for f in single]


def test_a_restored_trial_goes_on_to_the_same_odds() -> None:
    looks = [((950, 1), (50, place % 9 == 0)) for place in range(40)]
    whole = opened(QUESTION, LONG_PAST)
    expected = see(whole, looks)[-1]
    half = opened(QUESTION, LONG_PAST)
    see(half, looks[:17])
    assert see(restored(QUESTION, document(half)), looks[17:])[-1] == expected


def test_harm_that_begins_late_is_found_by_stake_placed_late() -> None:
    trial = opened(QUESTION, LONG_PAST)
    see(trial, [((950, 1), (50, 0))] * 45)
    late = see(trial, [((950, 1), (50, 5))] * 6)
    assert Decision.ROLL_BACK in {finding.decision for finding in late}


def test_stake_is_placed_once_and_never_more_than_all_of_it() -> None:
    account = Account(*[(1.0, 0.001)] * 2)  # type: ignore[arg-type]
    placed = [account.pay(float(minute), 15.0) for minute in range(40)]
    assert placed[0] == pytest.approx(0.8)
    assert sum(placed) == pytest.approx(1)
    assert account.pay(3.0, 15.0) == 0


def test_odds_below_ten_are_told_with_a_decimal() -> None:
    trial = opened(replace(QUESTION, safe_odds=5.0), LONG_PAST)
    finding = next(each for each in see(trial, [((950, 1), (50, 0))] * 60) if each.outcome is Outcome.PASS)
    assert 5 <= finding.safe_odds < 10
    assert finding.reason.endswith(f"is ruled out at odds of {finding.safe_odds:.1f}:1.")


def test_a_gauge_has_no_part_of_the_error_budget() -> None:
    revenue = Metric("revenue", Kind.GAUGE, 0.1, 1.0)
    question = Question((ERRORS, replace(ERRORS, name="checkout"), revenue))
    assert [question.budget(metric) for metric in question.metrics] == [0.5, 0.5, 0.0]


def test_a_gauge_without_a_reading_proves_nothing() -> None:
    trial = opened(Question((Metric("revenue", Kind.GAUGE, 0.1, 1.0),)), {})
    [finding] = judge([(trial, Look(10, 5, {"revenue": 100.0}, {"revenue": None}))])
    assert finding.reason == "No data of revenue in this look: it proves nothing."
    assert trial.gauges["revenue"].seen.looks == 0


def test_an_empty_histogram_fixes_no_edge_and_the_next_one_does() -> None:
    trial = opened(Question((Metric("latency_p99", Kind.LATENCY, 0.1, 0.25),)), {})
    full = {100.0: 900.0, 250.0: 995.0, 500.0: 1000.0, inf: 1000.0}
    edges = []
    for place, histogram in enumerate(({}, full), 1):
        judge([(trial, Look(10.0 * place, 5, {"latency_p99": histogram}, {"latency_p99": full}))])
        edges.append(trial.accounts["latency_p99"].edge)
    assert edges == [None, 250.0]


def test_a_window_of_another_kind_tells_nothing_of_a_counted_metric() -> None:
    mixed: dict[str, list[Sample]] = {"errors": [*LONG_PAST["errors"], 17.0, *LONG_PAST["errors"]]}
    pure: dict[str, list[Sample]] = {"errors": LONG_PAST["errors"] * 2}
    assert opened(QUESTION, mixed).accounts == opened(QUESTION, pure).accounts
