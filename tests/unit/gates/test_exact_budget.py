"""The budget of false rollbacks among gates and stages, and what each gate is asked with."""

import json
from dataclasses import replace

import pytest

from strategies.gates import odds
from strategies.gates.account import Account
from strategies.gates.chance import Line
from strategies.gates.deadline import is_surely_beyond
from strategies.gates.overdispersion import Bursts
from strategies.gates.past import MetricPast, Past, keep
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.trial import Finding, Look, Trial
from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Outcome
from tests.unit.gates.looks import ERRORS, P50, P99, Judge, a_histogram, a_look, an_arm, silent, with_counts, with_level

SURE = replace(ERRORS, tolerated=Margin(0.005), limit=None)
CALLS = MetricGate("outgoing_errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
KNOWN = Bursts(1.0, is_known=True)
BASE, GOOD, BAD = an_arm(750, 2), an_arm(250), an_arm(250, 25)


def a_weighing(gate: MetricGate, harm: float, bursts: Bursts = KNOWN, alpha: float = 0.005) -> odds.Weighing:
    account = Account(Line(1.0, 0.001), Line(1.0, 0.005), bursts, paid=1.0)
    account.harm[4] = harm
    account.stages[25.0] = [900, 9, 300, 12]
    question = Question((Metric(gate.metric, Kind.COUNTS, 0.001, 0.005),), alpha, is_halved=True, total=odds.ALPHA)
    trial = Trial(question, {gate.metric: account}, stage_weight=25.0)
    return odds.Weighing(gate, trial, Look(0, 25, {}, {}), ((), (0, 0, 0.0)))


def together(*harm: float, bursts: Bursts = KNOWN, already: Outcome = Outcome.WAIT) -> dict[str, Finding]:
    weighings = {gate.metric: a_weighing(gate, each, bursts) for gate, each in zip((SURE, CALLS), harm, strict=False)}
    findings = {metric: Finding(0, Outcome.WAIT, 1, 1, None, "") for metric in weighings}
    findings["errors"] = replace(findings["errors"], outcome=already)
    return odds.together(findings, weighings)


def test_gates_prove_harm_together_by_the_mean_of_their_odds() -> None:
    found = together(300.0, 100.0)
    assert (found["errors"].outcome, found["outgoing_errors"].outcome) == (Outcome.FAIL, Outcome.WAIT)
    assert found["errors"].reason == (
        "errors 4.0 % vs 1.0 % (+3.0 pp), 12 of 300 requests, surely worse than the allowed +0.1 pp (odds 200:1). "
        "A good release is rolled back by mistake at most once in 100. All gates together prove it."
    )
    assert together(10.0, 395.0)["outgoing_errors"].outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("harm", "bursts"), [((300.0, 99.0), KNOWN), ((5000.0,), KNOWN), ((300.0, 300.0), Bursts()), ((0.5, 398.0), KNOWN)]
)
def test_less_than_that_proves_nothing_together(harm: tuple[float, ...], bursts: Bursts) -> None:
    assert {finding.outcome for finding in together(*harm, bursts=bursts).values()} == {Outcome.WAIT}


def test_harm_that_one_gate_proved_needs_no_other() -> None:
    found = together(300.0, 300.0, already=Outcome.FAIL)
    assert (found["errors"].reason, found["outgoing_errors"].outcome) == ("", Outcome.WAIT)


@pytest.mark.parametrize(
    ("errors", "calls", "outcome", "together"),
    [(399.0, 0.0, Outcome.WAIT, False), (401.0, 0.0, Outcome.FAIL, False), (398.0, 3.0, Outcome.FAIL, True)],
)
def test_two_gates_have_half_of_the_budget_each(errors: float, calls: float, outcome: Outcome, together: bool) -> None:
    judge = Judge(SURE, CALLS)
    past = MetricPast(1_000_000, 1000, (1e5, 100.0), KNOWN)
    judge.past = keep(Past(20.0, 1440, {"errors": past, "outgoing_errors": past}))
    arms = [with_counts(an_arm(n), "outgoing_errors", n, 0) for n in (750, 250)]
    judge.see(*arms)
    memory = json.loads(judge.memory)
    for metric, harm in (("errors", errors), ("outgoing_errors", calls)):
        account = memory["odds"][metric]["trial"]["accounts"][metric]
        account["harm"], account["paid"] = [harm, *[0.0] * 8], 1.0
    judge.memory = json.dumps(memory)
    verdicts = judge.see(arms[0], with_counts(an_arm(0), "outgoing_errors", 0, 0))
    assert (verdicts["errors"].harm_odds, verdicts["outgoing_errors"].harm_odds) == (errors, calls)
    assert (verdicts["errors"].outcome, verdicts["outgoing_errors"].outcome) == (outcome, Outcome.WAIT)
    assert ("All gates together" in verdicts["errors"].reason) is together


@pytest.mark.parametrize("stages", [1, 2, 3, 4])
def test_each_stage_has_its_part_of_what_deadlines_may_spend(stages: int) -> None:
    proven = []
    for bad in range(560, 640):
        weighing = a_weighing(SURE, 1.0, alpha=0.01)
        weighing.trial.accounts["errors"].stages = {25.0: [40_000, 2000, 10_000, bad]}
        finding = Finding(0, Outcome.WAIT, 1, 1, None, "not yet")
        found = odds.at_deadline({"errors": finding}, {"errors": weighing}, stages)["errors"]
        proven.append(found.outcome is Outcome.FAIL)
        told = [(40_000, 2000, 10_000, bad)]
        assert proven[-1] is is_surely_beyond(told, Line(1.0, 0.001), 0.01 / 2 / stages)
        assert ("(the exact test at the deadline)" in found.reason) is proven[-1]
    assert {*proven} == {True, False}


def test_a_deadline_does_not_say_anew_what_the_looks_have_proven() -> None:
    weighing = a_weighing(SURE, 1.0)
    weighing.trial.accounts["errors"].stages = {25.0: [40_000, 2000, 10_000, 900]}
    proven = Finding(0, Outcome.FAIL, 500, 1, None, "by the looks")
    assert odds.at_deadline({"errors": proven}, {"errors": weighing}, 1) == {"errors": proven}


@pytest.mark.parametrize(("asked", "weight"), [(0.0, 0.0), (0.07, 7.0)])
def test_a_share_is_kept_as_percent(asked: float, weight: float) -> None:
    judge = Judge(SURE, asked=asked)
    judge.see(BASE, GOOD)
    stages = json.loads(judge.memory)["odds"]["errors"]["trial"]["accounts"]["errors"]["stages"]
    assert [kept[0] for kept in stages] == [pytest.approx(weight)]


def test_a_limit_beside_odds_asks_nothing_of_the_baseline() -> None:
    judge = Judge(replace(SURE, limit=0.5))
    outcomes = {judge.see(an_arm(900), an_arm(300, 12))["errors"].outcome for _ in range(3)}
    assert outcomes == {Outcome.WAIT}


def test_very_quick_answers_have_odds_as_well() -> None:
    judge = Judge(replace(P99, tolerated=Margin(0.25, relative=True)))
    judge.see(an_arm(900, mean=0.1), an_arm(300, mean=0.1))
    assert '"odds"' in judge.memory


def test_what_a_look_lacks_is_named() -> None:
    judge = Judge(ERRORS, min_requests=10)
    first = judge.read(a_look(0, an_arm(1000), an_arm(0)))
    assert {verdict.missing for verdict in first.values()} == {"a counted look"}
    assert {verdict.missing for verdict in judge.read(silent(1)).values()} == {"data"}
    units = {name: verdict.unit for name, verdict in first.items()}
    assert units == {"split": "ratio", "requests": "requests", "errors": "ratio"}


def test_a_bad_look_is_shown_by_itself_and_a_good_one_by_its_stage() -> None:
    judge = Judge(ERRORS)
    judge.see(BASE, GOOD)
    bad = judge.see(BASE, BAD)["errors"]
    assert bad.reason.startswith("1 of 2 looks above the bound: 5xx 10.0 % vs 0.27 %")
    assert bad.candidate == pytest.approx(0.1)
    good = judge.see(BASE, an_arm(2500, 3))["errors"]
    assert good.candidate == pytest.approx(28 / 3000)


def test_latency_of_neither_version_is_said_of_both() -> None:
    verdict = Judge(P99).see(Arm(750.0, 0.0), Arm(250.0, 0.0))["latency_p99"]
    assert verdict.reason == "No latency of v1 and v2 in this look."


def test_errors_without_a_version_hold_no_latency() -> None:
    verdicts = Judge(ERRORS, P50).see(an_arm(7500), an_arm(2480), unattributed=40.0)
    assert (verdicts["errors"].outcome, verdicts["latency_p50"].outcome) == (Outcome.WAIT, Outcome.PASS)


def test_a_histogram_of_few_requests_is_no_baseline_however_many_were_counted() -> None:
    judge = Judge(P50)
    judge.see(an_arm(750), an_arm(250))
    judge.stage, judge.asked = 1, 0.9
    few = Arm(300.0, 0.0, a_histogram(10))
    judge.see(few, an_arm(2700))
    assert judge.see(few, an_arm(2700))["latency_p50"].outcome is Outcome.PASS


def test_a_level_on_its_limit_is_within_it() -> None:
    judge = Judge(MetricGate("memory", "bytes", limit=200.0 * 2**20))
    arms = [with_level(an_arm(n), "memory", 200.0 * 2**20) for n in (750, 250)]
    assert [judge.see(*arms)["memory"].outcome for _ in range(5)][-1] is Outcome.PASS
