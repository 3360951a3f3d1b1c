"""Gates that name what is tolerated: evidence adds up behind the same door."""

import json
from dataclasses import replace

from strategies.gates.chance import Line
from strategies.gates.judge import Case, evaluate
from strategies.gates.overdispersion import Bursts
from strategies.gates.past import MetricPast, Past, keep
from strategies.plan import Margin, MetricGate
from strategies.verdicts import Arm, Outcome, Verdict
from tests.unit.gates.looks import ERRORS, P99, Judge, a_look, an_arm

SURE = replace(ERRORS, tolerated=Margin(0.005), limit=None)
SLOW = replace(P99, tolerated=Margin(0.25, relative=True))
GOOD, OURS = an_arm(900, 1), an_arm(300)


def see(judge: Judge, looks: int, baseline: Arm = GOOD, candidate: Arm = OURS) -> list[Verdict]:
    [gate] = judge.gates
    return [judge.see(baseline, candidate)[gate.metric] for _ in range(looks)]


def test_a_good_candidate_waits_until_what_is_tolerated_is_ruled_out() -> None:
    verdicts = see(Judge(SURE), 20)
    passed = next(place for place, verdict in enumerate(verdicts) if verdict.outcome is Outcome.PASS)
    assert 2 <= passed <= 12
    assert "can be ruled out after about" in verdicts[0].reason
    assert "more requests (about" in verdicts[1].missing
    assert "is ruled out at" in verdicts[passed].reason


def test_an_outage_fails_within_two_looks() -> None:
    verdicts = see(Judge(SURE), 2, candidate=an_arm(300, 150))
    assert verdicts[-1].outcome is Outcome.FAIL
    assert "surely worse than the allowed +0.1 pp" in verdicts[-1].reason
    assert (verdicts[-1].candidate, verdicts[-1].unit) == (0.5, "ratio")


def test_evidence_goes_on_over_the_stages_and_through_the_text_form() -> None:
    judge = Judge(SURE)
    see(judge, 12)
    judge.stage, judge.asked = 1, 0.5
    judge.see(GOOD, OURS)  # spans the change
    [first] = see(judge, 1)
    assert first.outcome is Outcome.PASS
    assert len(judge.memory) < 4000


CLOSE = replace(SURE, allowed=Margin(0.0005))
USUAL, WORSE = an_arm(900, 9), an_arm(60, 2)


def a_judge(factor: float = 1.0) -> Judge:
    """One that knows the day before: 1 % of errors, in bursts of `factor`."""
    judge = Judge(CLOSE)
    judge.past = keep(Past(20.0, 1440, {"errors": MetricPast(86_400, 864, (1e5, 1e3), Bursts(factor, is_known=True))}))
    return judge


def test_at_its_deadline_all_that_was_counted_is_tested_exactly() -> None:
    judge = a_judge()
    before = see(judge, 6, USUAL, WORSE)
    judge.is_due = True
    [after] = see(judge, 1, USUAL, WORSE)
    assert {verdict.outcome for verdict in before} == {Outcome.WAIT}
    assert after.outcome is Outcome.FAIL
    assert "(the exact test at the deadline)" in after.reason
    assert "at most once in 100" in after.reason


def test_a_deadline_is_tested_once() -> None:
    judge = a_judge()
    judge.is_due = True
    assert {verdict.outcome for verdict in see(judge, 7, USUAL, WORSE)} == {Outcome.WAIT}


def test_the_next_stage_has_a_deadline_of_its_own() -> None:
    judge = a_judge()
    judge.is_due = True
    see(judge, 1, USUAL, WORSE)
    judge.stage = 1
    judge.see(USUAL, WORSE)  # spans the change
    judge.is_due = False
    see(judge, 5, USUAL, WORSE)
    judge.is_due = True
    assert see(judge, 1, USUAL, WORSE)[0].outcome is Outcome.FAIL


def test_no_harm_is_proven_at_the_deadline_where_errors_come_in_bursts() -> None:
    judge = a_judge(factor=6.0)
    see(judge, 6, USUAL, WORSE)
    judge.is_due = True
    assert see(judge, 1, USUAL, WORSE)[0].outcome is Outcome.WAIT


def test_an_absolute_limit_stays_besides() -> None:
    tolerant = MetricGate("errors", "ratio", limit=0.01, allowed=Margin(0.1), tolerated=Margin(0.2))
    bad = see(Judge(tolerant), 3, baseline=an_arm(900, 40), candidate=an_arm(300, 15))
    assert bad[-1].outcome is Outcome.FAIL
    assert "limit 1.0 %" in bad[-1].reason


def test_slow_answers_fail_and_name_the_edge() -> None:
    verdicts = see(Judge(SLOW), 12, candidate=an_arm(300, mean=90.0))
    failed = next(verdict for verdict in verdicts if verdict.outcome is Outcome.FAIL)
    assert "slower than 100 ms" in failed.reason
    assert failed.unit == "ms"


def test_an_absolute_margin_of_latency_is_taken_relative_to_the_baseline() -> None:
    gate = replace(SLOW, allowed=Margin(20.0), tolerated=Margin(60.0))
    assert see(Judge(gate), 12, candidate=an_arm(300, mean=90.0))[-1].outcome is Outcome.FAIL
    assert see(Judge(gate), 40)[-1].outcome is Outcome.PASS


def test_with_all_traffic_on_the_candidate_bounds_judge_again() -> None:
    alone, compared = Judge(SURE, asked=1.0), Judge(SURE)
    see(alone, 2, baseline=Arm(0.0, 0.0))
    see(compared, 2)
    assert (is_adding_up(alone), is_adding_up(compared)) == (False, True)


def test_a_gate_that_tolerates_nothing_keeps_its_bounds() -> None:
    judge = Judge(ERRORS)
    see(judge, 3)
    assert not is_adding_up(judge)


def test_many_cases_at_once_are_judged_as_each_alone() -> None:
    readings = [a_look(n, an_arm(900, n), an_arm(300, n % 3)) for n in range(6)]
    cases = [Case((SURE, SLOW), 0, 0.25, 0, reading) for reading in readings]
    assert evaluate(cases) == [evaluate([case])[0] for case in cases]


def test_bursts_of_the_baseline_are_learnt_during_the_release() -> None:
    judge = Judge(SURE)
    for minute in range(30):
        for part in range(6):
            judge.see(an_arm(900, 40 if minute % 5 == 0 and part == 0 else 0), an_arm(300))
    verdict = judge.see(an_arm(900), an_arm(300, 6))["errors"]
    assert verdict.outcome is not Outcome.FAIL
    assert "errors came in bursts" in verdict.reason or verdict.outcome is Outcome.PASS


def is_adding_up(judge: Judge) -> bool:
    return '"odds"' in judge.memory


def test_a_burst_that_the_day_before_knew_is_not_taken_for_harm() -> None:
    ignorant, knowing = Judge(SURE), Judge(SURE)
    knowing.past = keep(Past(20.0, 1440, {"errors": MetricPast(1_000_000, 4_000, (1e5, 400.0), Bursts(12.0, True))}))
    for judge in (ignorant, knowing):
        for k in range(6):
            see(judge, 1, baseline=an_arm(900, 3), candidate=an_arm(300, 9 if k < 5 else 1))
    assert "bursts (x12.0)" in see(knowing, 1)[0].reason
    assert json.loads(knowing.memory)["odds"]["errors"]["trial"]["accounts"]["errors"]["bursts"] == [12.0, True]
    assert json.loads(ignorant.memory)["odds"]["errors"]["trial"]["accounts"]["errors"]["bursts"] == [1.0, False]


def test_without_a_known_past_harm_must_show_in_five_looks_and_the_verdict_says_so() -> None:
    judge = Judge(SURE)
    verdicts = see(judge, 6, baseline=an_arm(900), candidate=an_arm(300, 12))
    failed = next(place for place, verdict in enumerate(verdicts) if verdict.outcome is Outcome.FAIL)
    assert failed == 4
    assert "history is too short to know bursts, but they came in 5 looks" in verdicts[failed].reason
    assert "history is too short to tell a burst from harm" in verdicts[failed - 1].reason


def test_with_a_known_past_one_look_may_be_enough() -> None:
    judge = Judge(SURE)
    judge.past = keep(Past(20.0, 1440, {"errors": MetricPast(1_000_000, 100, (1e5, 10.0), Bursts(1.0, True))}))
    [verdict] = see(judge, 1, baseline=an_arm(900), candidate=an_arm(300, 12))
    assert verdict.outcome is Outcome.FAIL
    assert "history held" not in verdict.reason


def test_the_edge_of_a_latency_is_fixed_before_the_release() -> None:
    judge = Judge(SLOW)
    judge.past = keep(
        Past(
            20.0,
            60,
            {
                "latency_p99": MetricPast(
                    54_000, 400, (5e4, 350.0), Bursts(1.0, True), 250.0, Line(1, 0.002), Line(1, 0.01)
                )
            },
        )
    )
    [first] = see(judge, 1, candidate=an_arm(300, mean=90.0))
    assert "slower than 250 ms" in first.reason
