"""Levels: cpu, memory, gauges of the owner's own. They hold, and do not roll back."""

import random
from dataclasses import replace

from strategies.plan import Better, Margin, MetricGate
from strategies.verdicts import Outcome, Verdict
from tests.unit.gates.looks import Judge, an_arm, with_level

CPU = MetricGate("cpu", "cores", allowed=Margin(0.2, relative=True))
MEMORY = MetricGate("memory", "bytes", limit=200 * 2**20, allowed=Margin(64 * 2**20))
REVENUE = MetricGate("revenue", "EUR", Better.HIGHER, allowed=Margin(0.02, relative=True), query="revenue")
READY = {"v1": 3, "v2": 1}


def see(judge: Judge, ours: float, theirs: float, looks: int = 8) -> list[Verdict]:
    """Looks at the same load per pod, with a little noise."""
    [gate] = judge.gates
    noise = random.Random(1)
    seen = []
    for _ in range(looks):
        arms = [
            with_level(an_arm(n), gate.metric, value * noise.uniform(0.99, 1.01))
            for n, value in ((750, theirs), (250, ours))
        ]
        seen.append(judge.see(*arms, ready=READY)[gate.metric])
    return seen


def test_a_level_within_what_is_allowed_passes_after_a_few_looks() -> None:
    verdicts = see(Judge(CPU), 0.22, 0.2)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.WAIT] * 4 + [Outcome.PASS] * 4
    assert verdicts[0].missing == "4 more looks"
    assert verdicts[-1].reason.startswith("cpu 0.22 cores per pod vs 0.2 cores (+10 %; allowed +20 %)")


def test_a_level_beyond_it_holds_and_never_fails() -> None:
    verdicts = see(Judge(CPU), 0.8, 0.2, 60)
    assert {verdict.outcome for verdict in verdicts} == {Outcome.WAIT}
    assert "above the bound; a level holds a release, it does not roll it back" in verdicts[-1].reason


def test_only_a_level_that_was_proven_on_the_baseline_rolls_back() -> None:
    judge = Judge(CPU)
    judge.proven = frozenset({"cpu"})
    verdicts = see(judge, 0.8, 0.2, 60)
    assert verdicts[10].outcome is Outcome.WAIT
    assert "above the bound, but not surely yet" in verdicts[10].reason
    assert verdicts[-1].outcome is Outcome.FAIL
    assert see(judge, 0.2, 0.2)[-1].outcome is not Outcome.PASS


def test_memory_has_a_limit_and_is_told_in_the_units_of_its_margin() -> None:
    within, above = see(Judge(MEMORY), 150 * 2**20, 100 * 2**20), see(Judge(MEMORY), 250 * 2**20, 240 * 2**20)
    assert (within[-1].outcome, above[-1].outcome) == (Outcome.PASS, Outcome.WAIT)
    assert "allowed +64 MiB" in within[-1].reason
    assert "limit 200 MiB" in above[-1].reason


def test_a_gauge_of_which_more_is_better_holds_when_it_drops() -> None:
    assert see(Judge(REVENUE), 9.0, 10.0)[-1].outcome is Outcome.WAIT
    verdict = see(Judge(REVENUE), 10.5, 10.0)[-1]
    assert verdict.outcome is Outcome.PASS
    assert "EUR vs" in verdict.reason


def test_what_is_tolerated_must_be_ruled_out_first() -> None:
    verdicts = see(Judge(replace(CPU, tolerated=Margin(0.5, relative=True))), 0.21, 0.2, 60)
    assert verdicts[10].outcome is Outcome.WAIT
    assert "worse by +50 % is not ruled out yet" in verdicts[10].reason
    assert "more looks (" in verdicts[10].missing
    assert verdicts[-1].outcome is Outcome.PASS
    assert "is ruled out at" in verdicts[-1].reason


def test_more_load_on_each_pod_is_no_fault_of_the_candidate() -> None:
    judge = Judge(CPU)
    for _ in range(8):
        arms = with_level(an_arm(500), "cpu", 0.2), with_level(an_arm(500), "cpu", 0.38)
        verdict = judge.see(*arms, ready={"v1": 4, "v2": 2})["cpu"]
    assert verdict.outcome is Outcome.PASS


def test_with_all_traffic_the_baseline_of_before_is_compared() -> None:
    judge = Judge(CPU)
    see(judge, 0.2, 0.2)
    judge.stage, judge.asked = 1, 1.0
    for _ in range(8):
        arms = with_level(an_arm(0), "cpu", 0.01), with_level(an_arm(1000), "cpu", 0.8)
        verdict = judge.see(*arms, ready=READY)["cpu"]
    assert verdict.outcome is Outcome.PASS
    assert verdict.baseline is not None
    assert verdict.baseline > 0.7


def test_no_data_waits() -> None:
    judge = Judge(CPU)
    assert judge.see(an_arm(750), an_arm(250))["cpu"].reason == "No cpu of v1 and v2."
    lone = judge.see(an_arm(750), with_level(an_arm(250), "cpu", 0.1))["cpu"]
    assert (lone.outcome, lone.reason) == (Outcome.WAIT, "No cpu of v1.")
    broken = judge.see(with_level(an_arm(750), "cpu", 0.1), with_level(an_arm(250), "cpu", float("nan")))["cpu"]
    assert broken.outcome is Outcome.WAIT


def test_the_sums_of_a_stage_go_through_the_text_form() -> None:
    judge = Judge(CPU)
    see(judge, 0.2, 0.2, 100)
    assert len(judge.memory) < 800


def test_a_version_that_never_had_a_baseline_to_compare_with_waits() -> None:
    verdict = Judge(CPU, asked=1.0).see(an_arm(0), with_level(an_arm(1000), "cpu", 0.3))["cpu"]
    assert (verdict.outcome, verdict.missing) == (Outcome.WAIT, "a baseline")
    assert verdict.reason == "cpu 0.3 cores; v1 has no cpu to compare with."


def test_a_limit_alone_is_judged_without_a_baseline() -> None:
    judge = Judge(replace(MEMORY, allowed=None), asked=1.0)
    verdicts = [judge.see(an_arm(0), with_level(an_arm(1000), "memory", 150 * 2**20))["memory"] for _ in range(5)]
    assert verdicts[-1].outcome is Outcome.PASS
    assert verdicts[-1].reason == "memory 150 MiB per pod (limit 200 MiB)."


def test_a_baseline_at_zero_has_no_change_in_percent() -> None:
    verdict = see(Judge(MetricGate("queue", "jobs", limit=10.0, query="queue")), 3.0, 0.0)[-1]
    assert verdict.outcome is Outcome.PASS
    assert verdict.reason.endswith("jobs vs 0 jobs (limit 10 jobs).")


def test_how_many_looks_are_missing_is_not_told_where_the_candidate_looks_worse() -> None:
    verdict = see(Judge(replace(CPU, allowed=None, tolerated=Margin(0.1, relative=True))), 0.3, 0.2, 30)[-1]
    assert (verdict.outcome, verdict.missing) == (Outcome.WAIT, "more evidence")


def test_nobody_is_told_to_wait_for_more_looks_than_a_release_can_have() -> None:
    judge = Judge(replace(CPU, tolerated=Margin(0.05, relative=True)))
    for place in range(30):
        ours = 0.2 * 1.05 - 0.0001 + (0.02 if place % 2 else -0.02)
        arms = with_level(an_arm(750), "cpu", 0.2), with_level(an_arm(250), "cpu", ours)
        verdict = judge.see(*arms, ready=READY)["cpu"]
    assert "worse by +5 % is not ruled out yet" in verdict.reason
    assert verdict.missing == "more evidence"
