"""The door: order of verdicts, what is skipped, what is remembered."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategies.gates.judge import Case, evaluate
from strategies.plan import MetricGate
from strategies.verdicts import Arm, Outcome, Reading
from tests.unit.gates.looks import ERRORS, P50, P95, P99, Judge, a_look, an_arm, silent

ALL = (ERRORS, P50, P95, P99)
counts = st.one_of(st.none(), st.integers(0, 400))


@st.composite
def arms(draw: st.DrawFn) -> Arm:
    requests = draw(counts)
    if requests is None:
        return Arm()
    arm = an_arm(requests, draw(st.integers(0, requests)), draw(st.sampled_from([30.0, 300.0])))
    return arm if draw(st.booleans()) else replace(arm, buckets={})


looks = st.lists(st.tuples(arms(), arms(), st.sampled_from([0.0, 3.0])), min_size=1, max_size=8)


def test_verdicts_come_in_the_order_of_the_stage() -> None:
    assert list(Judge(*ALL).see(an_arm(750), an_arm(250))) == [
        "split", "requests", "errors", "latency_p50", "latency_p95", "latency_p99",
    ]  # fmt: skip


def test_a_good_look_passes_everything_with_its_figures() -> None:
    verdicts = Judge(*ALL, min_requests=200).see(an_arm(750, 2), an_arm(250))
    assert {verdict.outcome for verdict in verdicts.values()} == {Outcome.PASS}
    assert verdicts["errors"].reason == "5xx 0 % vs 0.27 % (−0.27 pp; limit 1.0 %; allowed +0.1 pp)."
    assert (verdicts["errors"].candidate, verdicts["errors"].unit) == (0.0, "ratio")


def test_the_look_that_spans_a_change_is_not_counted() -> None:
    judge = Judge(ERRORS)
    first = judge.read(a_look(0, an_arm(1000), an_arm(0)))
    assert {verdict.outcome for verdict in first.values()} == {Outcome.WAIT}
    assert "spans the change of the split" in first["split"].reason
    judge.see(an_arm(750), an_arm(250))
    judge.stage = 1
    assert "spans the change" in judge.see(an_arm(750), an_arm(250))["errors"].reason


def test_a_look_that_reaches_back_before_the_stage_is_not_counted_either() -> None:
    judge = Judge(ERRORS)
    judge.read(silent(0))
    late = replace(a_look(1, an_arm(750), an_arm(250)), since=a_look(0, Arm(), Arm()).since)
    assert "spans the change" in judge.read(late)["errors"].reason


def test_a_silent_look_waits_with_the_trouble_as_reason() -> None:
    judge = Judge(ERRORS, min_requests=10)
    judge.see(an_arm(750), an_arm(250))
    verdicts = judge.read(silent(2))
    assert {(v.outcome, v.reason) for v in verdicts.values()} == {(Outcome.WAIT, "Prometheus is unreachable.")}


def test_the_version_without_data_is_named() -> None:
    assert Judge(ERRORS).see(an_arm(750), Arm())["errors"].reason == "No data of v2 in this look."


@pytest.mark.parametrize(("counted", "missing"), [(250, "250 more (about 10 s at this rate)"), (500, "")])
def test_the_stage_alone_must_see_its_requests(counted: int, missing: str) -> None:
    judge = Judge(min_requests=500)
    for _ in range(counted // 250):
        verdict = judge.see(an_arm(750), an_arm(250))["requests"]
    assert verdict.missing == missing
    judge.stage = 1
    judge.see(an_arm(750), an_arm(250))
    assert judge.see(an_arm(750), an_arm(250))["requests"].candidate == 250


def test_missing_requests_that_do_not_come_have_no_estimate() -> None:
    assert "none are coming now" in Judge(min_requests=10).see(an_arm(5), an_arm(0))["requests"].missing


def test_a_metric_that_no_judge_knows_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no judge for metric 'happiness'"):
        Judge(MetricGate("happiness", "1")).see(an_arm(1), an_arm(1))


def test_the_memory_of_another_judge_is_not_read() -> None:
    judge = Judge(ERRORS)
    judge.memory = json.dumps({"v": 99, "odds": [1, 2, 3]})
    assert "spans the change" in judge.read(a_look(0, an_arm(750), an_arm(250)))["errors"].reason


def test_the_memory_stays_small() -> None:
    judge = Judge(*ALL)
    for _ in range(100):
        judge.see(an_arm(7500, 7), an_arm(2500, 3))
    assert len(judge.memory) < 2000


def test_cases_are_judged_each_for_itself_and_in_order() -> None:
    good = Judge(ERRORS)
    good.see(an_arm(750), an_arm(250))
    reading = a_look(2, an_arm(750), an_arm(250))
    fresh = Case((ERRORS,), 0, 0.25, 0, reading)
    known = replace(fresh, memory=good.memory)
    outcomes = [[v.outcome for v in j.verdicts] for j in evaluate([known, fresh, known])]
    assert outcomes == [[Outcome.PASS] * 3, [Outcome.WAIT] * 3, [Outcome.PASS] * 3]


@given(looks)
def test_no_data_never_passes(seen: list[tuple[Arm, Arm, float]]) -> None:
    judge = Judge(*ALL)
    for baseline, candidate, unattributed in seen:
        verdicts = judge.see(baseline, candidate, unattributed=unattributed)
        for gate in judge.gates:
            silent_arm = candidate.requests is None or baseline.requests is None
            silent_times = gate is not ERRORS and not (candidate.buckets and baseline.buckets)
            if silent_arm or silent_times:
                assert verdicts[gate.metric].outcome is Outcome.WAIT
            if verdicts[gate.metric].outcome is Outcome.PASS:
                assert verdicts[gate.metric].candidate is not None


@given(looks)
def test_nothing_fails_at_its_first_bad_look(seen: list[tuple[Arm, Arm, float]]) -> None:
    judge, before = Judge(*ALL), dict.fromkeys((gate.metric for gate in ALL), Outcome.PASS)
    for baseline, candidate, _ in seen:
        for metric, verdict in judge.see(baseline, candidate).items():
            if verdict.outcome is Outcome.FAIL and before[metric] is not Outcome.FAIL:
                assert "looks running" in verdict.reason
                assert json.loads(judge.memory)["streaks"][metric] == 2
            if metric in before and verdict.candidate is not None:
                before[metric] = verdict.outcome


@given(looks, st.integers(0, 7))
def test_a_restart_between_looks_changes_nothing(seen: list[tuple[Arm, Arm, float]], at: int) -> None:
    judge, restarted = Judge(*ALL), Judge(*ALL)
    for n, (baseline, candidate, _) in enumerate(seen):
        if n == at:
            restarted.memory = json.dumps(json.loads(restarted.memory or "{}"))
        assert judge.see(baseline, candidate) == restarted.see(baseline, candidate)


def test_a_reading_of_nothing_at_all_waits() -> None:
    reading = Reading(at=a_look(1, Arm(), Arm()).at, since=a_look(0, Arm(), Arm()).at)
    [judgement] = evaluate([Case(ALL, 10, 0.25, 0, reading)])
    assert judgement.verdicts[0].reason == "No data of baseline and candidate in this look."


def test_too_few_requests_of_a_stage_wait_and_enough_pass() -> None:
    judge = Judge(ERRORS, min_requests=500)
    first = judge.see(an_arm(750), an_arm(250))["requests"]
    assert (first.outcome, first.missing) == (Outcome.WAIT, "250 more (about 10 s at this rate)")
    assert first.reason == "250 of 500 requests; 250 more (about 10 s at this rate)."
    silence = judge.see(an_arm(750), an_arm(0))["requests"]
    assert (silence.outcome, silence.missing) == (Outcome.WAIT, "250 more (none are coming now)")
    enough = judge.see(an_arm(750), an_arm(250))["requests"]
    assert (enough.outcome, enough.missing) == (Outcome.PASS, "")
    assert enough.reason == "v2 answered 500 requests in this stage; 500 asked."
