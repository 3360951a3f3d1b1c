"""Verdicts on both sides of their bounds, with their figures and sentences in full."""

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from strategies.gates import aa
from strategies.gates.chance import Counts, Line
from strategies.gates.course import Course, Level
from strategies.gates.figures import span
from strategies.gates.gauges import Differences, odds_against
from strategies.gates.history import learnt, per_second
from strategies.gates.level_history import learnt as learnt_level
from strategies.gates.measures import roughness
from strategies.gates.memory import Memory, Tally, keep, recall
from strategies.gates.steered import Aim
from strategies.plan import Better, Kind, Margin, MetricGate
from strategies.routing import Steering
from strategies.verdicts import Outcome, Verdict
from tests.builders import NOW
from tests.unit.gates.looks import ERRORS, P50, P95, P99, Judge, an_arm, with_counts, with_level

PASS, WAIT, FAIL = Outcome.PASS, Outcome.WAIT, Outcome.FAIL
CPU = MetricGate("cpu", "cores", allowed=Margin(0.2, relative=True))
REVENUE = MetricGate("revenue", "EUR", Better.HIGHER, allowed=Margin(1.0), tolerated=Margin(4.0), query="revenue")
READY = {"v1": 3, "v2": 1}


@pytest.mark.parametrize(
    ("gate", "candidate", "outcome", "words"),
    [
        (ERRORS, an_arm(19), WAIT, "v2 has 19 requests; 20 say something."),
        (ERRORS, an_arm(20), PASS, "5xx 0 % vs 0 % (+0.0 pp; limit 1.0 %; allowed +0.1 pp)."),
        (P50, an_arm(19), WAIT, "v2 has 19 requests; 20 say something."),
        (P50, an_arm(20), PASS, None),
        (P95, an_arm(19), WAIT, "v2 has 19 requests; 20 say something."),
        (P95, an_arm(20), PASS, None),
        (P99, an_arm(99), WAIT, "v2 has 99 requests; 100 say something."),
        (P99, an_arm(100), PASS, None),
    ],
)
def test_a_gate_says_nothing_before_its_requests(
    gate: MetricGate, candidate: object, outcome: Outcome, words: str | None
) -> None:
    verdict = Judge(gate).see(an_arm(750), candidate)[gate.metric]  # type: ignore[arg-type]
    assert verdict.outcome is outcome
    assert words in {None, verdict.reason}


@pytest.mark.parametrize(
    ("baseline", "outcome", "reason"),
    [
        (19, WAIT, "5xx 0 %; the baseline has 19 requests, 20 are needed to compare."),
        (20, PASS, "5xx 0 % vs 0 % (+0.0 pp; limit 1.0 %; allowed +0.1 pp)."),
    ],
)
def test_a_comparison_needs_requests_of_the_baseline(baseline: int, outcome: Outcome, reason: str) -> None:
    verdict = Judge(ERRORS).see(an_arm(baseline), an_arm(250))["errors"]
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize(("errors", "outcome"), [(2, PASS), (3, WAIT)])
def test_a_rate_on_its_limit_passes_and_one_above_it_waits(errors: int, outcome: Outcome) -> None:
    gate = replace(ERRORS, allowed=None)
    verdict = Judge(gate).see(an_arm(600), an_arm(200, errors))["errors"]
    assert (verdict.outcome, verdict.bound) == (outcome, 0.01)
    above = Judge(replace(gate, limit=None, allowed=Margin(0.01))).see(an_arm(600), an_arm(200, errors))["errors"]
    assert (above.outcome, above.bound, above.baseline) == (outcome, 0.01, 0.0)


def test_a_rate_within_one_bound_and_beyond_the_other_waits() -> None:
    verdict = Judge(ERRORS).see(an_arm(1000, 5), an_arm(250, 2))["errors"]
    assert (verdict.outcome, verdict.missing) == (WAIT, "more requests, or better figures")


def test_a_level_on_what_is_tolerated_is_not_ruled_out_by_waiting_long() -> None:
    judge = Judge(replace(CPU, allowed=None, tolerated=Margin(0.4, relative=True)))
    leveled(judge, [(0.2, 0.28)])
    memory = json.loads(judge.memory)
    memory["odds"]["cpu"]["sums"] = [5000, 1000.0, 1401.0, 200.0, 442.0, 280.2]
    judge.memory = json.dumps(memory)
    assert leveled(judge, [(0.2, 0.28)]).outcome is WAIT


def test_the_nearer_of_two_bounds_is_shown() -> None:
    verdict = Judge(ERRORS).see(an_arm(1000, 5), an_arm(250, 1))["errors"]
    assert (verdict.bound, verdict.candidate, verdict.baseline) == pytest.approx((0.006, 0.004, 0.005))
    far = Judge(replace(ERRORS, allowed=Margin(0.1))).see(an_arm(1000, 5), an_arm(250, 1))["errors"]
    assert far.bound == 0.01


@pytest.mark.parametrize(("requests", "outcome"), [(251, WAIT), (250, PASS)])
def test_the_stage_needs_exactly_what_was_asked(requests: int, outcome: Outcome) -> None:
    verdict = Judge(min_requests=requests).see(an_arm(750), an_arm(250))["requests"]
    assert (verdict.outcome, verdict.baseline, verdict.candidate, verdict.bound) == (outcome, 750, 250, requests)


def test_evidence_is_kept_by_the_percent_of_its_stage() -> None:
    judge = Judge(replace(ERRORS, limit=None, tolerated=Margin(0.005)))
    judge.see(an_arm(750, 1), an_arm(250, 2))
    account = json.loads(judge.memory)["odds"]["errors"]["trial"]["accounts"]["errors"]
    assert account["stages"] == [[25.0, 750, 1, 250, 2]]
    assert account["border"] == [1.0, 0.001]
    assert account["tolerated"] == [1.0, 0.005]


LEVELS = ((0.2, 0.12), (0.14, 0.22), (0.26, 0.2), (0.2, 0.28), (0.22, 0.14), (0.18, 0.24), (0.2, 0.21))


def leveled(judge: Judge, pairs: Sequence[tuple[float, float]], **changes: object) -> Verdict:
    [gate] = judge.gates
    a_load: dict[str, Any] = {"ready": READY}
    for theirs, ours in pairs:
        arms = with_level(an_arm(750), gate.metric, theirs), with_level(an_arm(250), gate.metric, ours)
        verdict = judge.see(*arms, **{**a_load, **changes})[gate.metric]
    return verdict


@pytest.mark.parametrize(
    ("gate", "scale"),
    [
        (replace(CPU, tolerated=Margin(0.4, relative=True)), 1.0),
        (replace(CPU, tolerated=Margin(0.08)), 1.0),
        (REVENUE, 50.0),
        (replace(REVENUE, tolerated=Margin(0.3, relative=True)), 100.0),
    ],
)
def test_the_odds_of_a_level_are_those_of_its_differences(gate: MetricGate, scale: float) -> None:
    pairs = [(scale * b, scale * c) for b, c in LEVELS * 12]
    verdict = leveled(Judge(gate), pairs)
    assert gate.tolerated is not None
    sign, size = (1, gate.tolerated.value) if gate.better is Better.LOWER else (-1, gate.tolerated.value)
    k = 1 + sign * size if gate.tolerated.relative else 1.0
    differences = np.array([sign * (c - k * b) for b, c in pairs])
    seen = Differences(len(pairs), float(differences.sum()), float((differences**2).sum()))
    odds = odds_against(0.0 if gate.tolerated.relative else size, seen, 4 * float(differences.var(ddof=1)))
    assert verdict.outcome is PASS
    assert verdict.reason.endswith(f"is ruled out at odds of {min(odds, 1e6):,.0f}:1.")
    assert 20 < odds < 1e6
    assert verdict.candidate == pytest.approx(np.mean([c for _, c in pairs]))
    assert verdict.baseline == pytest.approx(np.mean([b for b, _ in pairs]))


def test_a_level_says_in_full_what_it_waits_for() -> None:
    judge = Judge(replace(CPU, tolerated=Margin(0.4, relative=True)))
    said = [leveled(judge, [pair]) for pair in LEVELS * 3]
    assert said[3].reason.startswith("cpu 0.205 cores per pod vs 0.2 cores (")
    assert said[3].reason.endswith("; allowed +20 %); 5 looks say something.")
    assert said[3].missing == "1 more look"
    assert said[4].reason.endswith("(−6 %; allowed +20 %): worse by +40 % is not ruled out yet.")
    [ours, theirs] = np.array(LEVELS * 3)[:5].T[::-1]
    differences = ours - 1.4 * theirs
    mean, squares = float(differences.mean()), float((differences**2).mean())
    variance = 4 * float(differences.var(ddof=1))
    looks = 20
    while odds_against(0.0, Differences(looks, mean * looks, squares * looks), variance) < 20:
        looks = math.ceil(looks * 1.1)
    assert said[4].missing == f"about {looks - 5} more looks ({span((looks - 5) * 10)})"
    beyond = leveled(Judge(CPU), [(0.2, 0.2401)] * 5)
    assert (beyond.outcome, beyond.missing) == (WAIT, "a better level, or a person")
    assert leveled(Judge(CPU), [(0.2, 0.24)] * 5).outcome is PASS
    assert leveled(Judge(replace(REVENUE, tolerated=None)), [(10, 9.0)] * 5).outcome is PASS
    assert "below the bound" in leveled(Judge(replace(REVENUE, tolerated=None)), [(10, 8.99)] * 5).reason


@pytest.mark.parametrize(("requests", "baseline"), [(19, 0.21 * 100 / 27.5), (20, 0.05 * 100 / (20 / 30))])
def test_a_baseline_without_traffic_is_what_it_was_while_it_served(requests: int, baseline: float) -> None:
    judge = Judge(CPU)
    for arm, level in ((an_arm(750), 0.2), (an_arm(1500), 0.3)):
        judge.see(with_level(arm, "cpu", level), with_level(an_arm(250), "cpu", 0.2), ready=READY)
    judge.stage, judge.asked = 1, 1.0
    arms = with_level(an_arm(requests), "cpu", 0.05), with_level(an_arm(1000), "cpu", 0.2)
    judge.see(*arms, ready=READY)
    verdict = judge.see(*arms, ready=READY)["cpu"]
    assert verdict.baseline == pytest.approx(baseline)


def test_less_load_is_no_merit_and_without_pods_none_is_known() -> None:
    assert leveled(Judge(CPU), [(0.2, 0.2)], ready={"v1": 3, "v2": 10}).baseline == pytest.approx(0.2)
    assert leveled(Judge(CPU), [(0.2, 0.2)], ready={"v1": 30, "v2": 1}).baseline == pytest.approx(2.0)
    assert leveled(Judge(CPU), [(0.2, 0.2)], ready={"v1": 30, "v2": 0}).baseline == pytest.approx(0.2)
    assert leveled(Judge(CPU), [(0.2, 0.2)], ready=None).baseline == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("aim", "looks", "changes", "outcome", "words"),
    [
        (Aim(Steering.MATCHES, group="the header"), (90, 0), {}, WAIT,
         "Nobody has sent the header yet: 0 of 90 requests went to v2."),
        (Aim(Steering.MATCHES), (90, 0), {}, WAIT, "Nobody has reached it yet: 0 of 90 requests went to v2."),
        (Aim(Steering.MATCHES), (90, 10), {}, PASS,
         "v2 answered 10.0 % of 100 requests: matched ones; how many come is up to them."),
        (Aim(Steering.MATCHES, least=0.1, most=0.2, group="staff"), (90, 10), {}, PASS,
         "v2 answered 10.0 % of 100 requests: staff; at most 20.0 % and at least 10.0 %."),
        (Aim(Steering.MATCHES, most=0.02), (900, 50), {}, WAIT,
         "v2 answered 5.3 % of 950 requests; at most 2.0 % was asked."),
        (Aim(Steering.MATCHES, least=0.5), (900, 50), {}, WAIT,
         "v2 answered 5.3 % of 950 requests; at least 50.0 % was asked."),
        (Aim(Steering.MATCHES, people=0.1), (80, 20), {}, PASS, "v2 answered 20.0 % of 100 requests: people keep "
         "their version, so requests only come near the 10.0 % of them asked."),
        (Aim(Steering.MATCHES, most=0.02, is_partial=True), (900, 50), {}, PASS, "v2 answered 5.3 % of 950 requests: "
         "some routes to it stay as they are, so its share of all requests is not known beforehand."),
        (Aim(Steering.MIRROR, most=0.0, mirrored=0.5), (90, 1), {"live": 0.0}, PASS,
         "v2 took 1 copy beside 90 live requests (50.0 % asked)."),
        (Aim(Steering.MIRROR, most=0.0, mirrored=0.5), (90, 45), {}, PASS, "v2 took 45 copies beside 90 live requests "
         "(50.0 % asked). Whether it answers live ones too, only callers' proxies would tell."),
        (Aim(Steering.MIRROR, most=0.0, mirrored=0.5), (90, 45), {"live": 1.0}, WAIT,
         "v2 also answered 1 live request, which no shadow does."),
        (Aim(Steering.MIRROR, most=0.0, mirrored=0.5), (90, 0), {"live": 0.0}, WAIT,
         "No copy has reached v2 yet, beside 90 live requests (50.0 % asked)."),
    ],
)  # fmt: skip
def test_what_is_asked_of_traffic_is_said_in_full(
    aim: Aim, looks: tuple[int, int], changes: dict[str, object], outcome: Outcome, words: str
) -> None:
    mirrored = {"is_mirrored": True} if aim.steering is Steering.MIRROR else {}
    verdict = Judge(aim=aim).see(an_arm(looks[0]), an_arm(looks[1]), **changes, **mirrored)["split"]
    assert (verdict.outcome, verdict.reason) == (outcome, words)


def test_a_memory_is_the_same_after_its_text_form() -> None:
    tally = Tally(
        Counts(5, 1), Counts(3, 2), {10.0: 1.0, math.inf: 5.0}, {math.inf: 3.0}, 4, {"a": (Counts(7, 1),) * 2}
    )
    whole = Memory(
        stage=2, began=NOW, stage_total=tally, before=Tally(Counts(9, 0)), pools={"errors": Tally(unknown=2)},
        streaks={"errors": 1}, routed=5, matched=3, apart=1, carried={"a": [1, 0]}, odds={"errors": {"x": 1}},
        rough={"a": [[1.0] * 6] * 2}, tested=0,
    )  # fmt: skip
    assert recall(keep(whole)) == whole
    assert recall(keep(Memory())) == Memory()
    assert set(json.loads(keep(Memory()))) == {"v", "stage", "began", "total", "before", "pools", "streaks", "split"}
    pair = tally.counted["a"]
    others = tally.plus(Tally(counted={"b": pair})).counted
    assert others == {"a": pair, "b": pair}
    counted = replace(whole, stage_total=Tally(counted=tally.counted))
    assert recall(keep(counted)) == counted


@pytest.mark.parametrize(("requests", "kept"), [(19, 9), (20, 20)])
def test_what_a_stage_said_of_the_baseline_is_kept_for_the_next(requests: int, kept: int) -> None:
    pair = (Counts(requests, 1), Counts(3, 1))
    buckets = {10.0: 1.0, math.inf: float(requests)}
    earlier = Tally(Counts(9, 0), Counts(), {math.inf: 9.0}, {}, 0, {"a": (Counts(9, 0), Counts())})
    seen = Tally(Counts(requests, 1), Counts(8, 1), buckets, buckets, 3, {"a": pair})
    after = Memory(stage=0, stage_total=seen, before=earlier, routed=4, matched=3, apart=2).in_stage(1, NOW)
    assert (after.before.baseline.requests, after.before.candidate.requests) == (kept, 0)
    assert after.before.baseline_buckets[math.inf] == kept
    assert after.before.of("a")[0].requests == kept
    assert (after.routed, after.matched, after.apart, after.stage_total, after.began) == (0, 0, 0, Tally(), NOW)


def test_events_that_come_early_wait_for_their_requests() -> None:
    judge = Judge(MetricGate("orders", "ratio", limit=0.9, query="orders", kind=Kind.COUNTS))
    for events, carried in ((25, 5), (20, 5), (15, 0)):
        judge.see(an_arm(100), with_counts(an_arm(20), "orders", 20, events))
        assert json.loads(judge.memory)["carried"]["orders"] == [0, carried]
    busy = judge.see(an_arm(100), with_counts(an_arm(100), "orders", 100, 150))["orders"]
    judge.see(an_arm(100), with_counts(an_arm(100), "orders", 100, 50))
    many = judge.see(an_arm(100), with_counts(an_arm(20), "orders", 20, 40))["orders"]
    assert "counts more events" not in busy.reason
    assert "counts more events" not in many.reason
    more = judge.see(an_arm(100), with_counts(an_arm(20), "orders", 20, 21))["orders"]
    assert "counts more events" in more.reason


def test_the_past_of_a_metric_is_summed_and_its_question_kept() -> None:
    minutes = [(100, 1), None, *[(200, 2)] * 59, (300, 9)]
    border = Line(1.0, 0.01)
    plain, _ = learnt(Course(minutes), border)
    assert (plain.requests, plain.bad, plain.recent) == (12_200, 128, (12_100.0, 127.0))
    assert (plain.edge, plain.border, plain.tolerated) == (None, None, None)
    timed, _ = learnt(Course(minutes, edge=250.0, allowed=0.002, tolerated=0.01), border)
    assert (timed.edge, timed.border, timed.tolerated) == (250.0, Line(1.0, 0.002), Line(1.0, 0.01))
    assert per_second(minutes) == pytest.approx(12_200 / (60 * 61))
    assert per_second([None]) == 0


def test_a_level_is_replayed_hour_against_hour_or_pod_against_the_rest() -> None:
    gate = MetricGate("load", "1", allowed=Margin(0.1), query="load")
    high = [1.0 + 0.001 * (place % 7) + (5.0 if 600 <= place < 660 else 0.0) for place in range(1800)]
    past, alarms = learnt_level(gate, Level(high))
    assert (past.replays, alarms) == (57, (("the hour before", 10),) * 2)
    assert learnt_level(gate, Level(high[:120]))[0].replays == 1
    assert learnt_level(gate, Level(high[:119]))[0].replays == 0
    pods = {
        name: [shift + 0.001 * (place % 7) for place in range(155)] for name, shift in (("a", 1), ("b", 1), ("c", 9))
    }
    whole = [sum(row) / 3 for row in zip(*pods.values(), strict=True)]
    past, alarms = learnt_level(gate, Level(whole, pods))
    assert (past.replays, past.false_alarms, alarms) == (6, 2, (("c", 0), ("c", 1)))
    assert learnt_level(gate, Level(whole, {"a": pods["a"]}))[0].replays == 2
    two = Level(whole, {name: pods[name] for name in ("a", "b")})
    assert learnt_level(gate, two)[0].replays == 4
    assert learnt_level(gate, Level([None] * 5)) == (type(past)(), ())


def test_owners_counts_are_taken_for_rough_until_their_looks_tell() -> None:
    gate = MetricGate("orders", "ratio", limit=0.9, query="orders", kind=Kind.COUNTS)
    few, smooth = [4.0, 900.0, 90.0, 0.36, 90.0, 9.0], [5.0, 900.0, 90.0, 0.45, 90.0, 9.0]
    rough = [5.0, 900.0, 90.0, 9.0, 90.0, 9.0]
    for kept, factor in (([few, smooth], 4.0), ([smooth, few], 4.0), ([smooth, smooth], 1.0)):
        assert roughness(gate, Memory(rough={"orders": kept})) == factor
    assert roughness(gate, Memory()) == 4
    assert roughness(gate, Memory(rough={"orders": [smooth, rough]})) > 10
    assert roughness(ERRORS, Memory()) == 1
    judge = Judge(MetricGate("outgoing_errors", "ratio", limit=0.5))
    judge.see(*(with_counts(an_arm(n), "outgoing_errors", n, 0) for n in (750, 250)))
    assert '"rough"' not in judge.memory


def test_an_hour_is_replayed_with_what_the_hour_before_it_knew() -> None:
    pods = {name: [(10 + minute // 60, int(minute % 3 == 0)) for minute in range(120)] for name in ("a", "b", "c")}
    replays = aa.one_against_the_rest(dict(pods))
    assert replays.names == tuple((name, hour) for hour in (0, 1) for name in ("a", "b", "c"))
    assert replays.before.tolist() == [0, 0, 0, 1200, 1200, 1200]
    assert replays.before_bad.tolist() == [0, 0, 0, 40, 40, 40]
    assert replays.baseline[4].tolist() == [22] * 60
    again = aa.one_after_the_other("today", pods["a"], pods["b"][:119])
    assert (again.names, again.baseline.tolist()) == ((("today", 0),), [[10] * 60])
    assert aa.spread({"a": [(20, 0)], "b": [(20, 20)]}, 1.0) == pytest.approx(math.sqrt((10 - 0.25) / 20))
    assert aa.spread({"a": [(20, 0)], "b": [(19, 19)]}, 1.0) is None
