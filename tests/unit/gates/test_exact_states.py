"""What is kept between looks, figure by figure, and what is said of it."""

import json
import math
from dataclasses import replace

import pytest

from strategies.gates.account import Account
from strategies.gates.chance import Line
from strategies.gates.exceedance import exceedance
from strategies.gates.gauges import Differences, long_run_variance, odds_against, variance_per_look
from strategies.gates.nameless import Nameless
from strategies.gates.overdispersion import Bursts
from strategies.gates.past import LevelPast, Past, keep, recall
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.sequential import judge
from strategies.gates.trial import Decision, Look, Sample, Trial, opened
from strategies.plan import Margin
from tests.unit.gates.looks import ERRORS, Judge, an_arm

KNOWN = Bursts(1.0, is_known=True)
COUNTED = Metric("errors", Kind.COUNTS, 0.001, 0.005)


@pytest.mark.parametrize(
    ("replays", "alarms", "long_run", "passed"),
    [
        (19, 0, 1.0, False), (20, 0, 1.0, True), (20, 1, 1.0, False), (99, 1, 1.0, False), (100, 1, 1.0, True),
        (150, 1, 1.0, True), (100, 2, 1.0, False), (100, 0, None, False),
    ],
)  # fmt: skip
def test_a_gauge_is_trusted_by_its_replays(replays: int, alarms: int, long_run: float | None, passed: bool) -> None:
    assert LevelPast(5.0, long_run, replays, alarms).has_passed is passed


def test_a_past_without_nameless_errors_knows_of_none() -> None:
    document = json.loads(keep(Past(2.0, 60)))
    del document["nameless"]
    assert recall(json.dumps(document)) == Past(2.0, 60)


def test_errors_without_a_version_are_held_against_the_time_before() -> None:
    first = Nameless((3.0, 600.0)).after(2, 60.0, (1.0, 1200.0))
    assert (first.errors, first.seconds, first.first, first.is_excess) == (2, 60.0, 60.0, False)
    assert first.in_next_stage() == Nameless((5.0, 660.0))
    assert first.after(0, 60.0, (1.0, 1200.0)).first == 60
    # A part of 60 in 1,860 of all errors: 3 of 7 come by chance once in 900 times, 4 of 8 in 14,000, 5 of 9 in 240,000.
    found = [Nameless((3.0, 600.0)).after(errors, 60.0, (1.0, 1200.0)) for errors in (1, 2, 3, 4, 5)]
    assert [(each.is_excess, each.is_sure) for each in found] == [
        (False, False), (False, False), (True, False), (True, False), (True, True),
    ]  # fmt: skip
    unknown = Nameless().after(9, 60.0, (0.0, 0.0))
    assert (unknown.is_excess, unknown.is_comparable((0.0, 0.0)), unknown.is_comparable((0.0, 0.5))) == (
        False, False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("looks", "kept"),
    [
        ([(4, 4), (2, 2), (3, 1)], [[8, 4, 0], [0, 0, 0], [4, 1, 0]]),
        ([(8, 0), (8, 0), (8, 0), (8, 0), (8, 0)], [[8, 0, 0], [16, 0, 1], [24, 0, 2], [32, 0, 3], [40, 0, 3]]),
        ([(8, 0), (50, 50), (0, 0)], [[8, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ([(90, 10), (5, 4)], [[100, 10, 1], [109, 14, 2]]),
    ],
)
def test_looks_at_the_split_add_up_until_they_tell(looks: list[tuple[int, int]], kept: list[list[int]]) -> None:
    judge = Judge(asked=0.5)
    for (theirs, ours), state in zip(looks, kept, strict=True):
        judge.see(an_arm(theirs), an_arm(ours))
        assert json.loads(judge.memory)["split"] == state


def a_trial(*safe: float, harm: float = 1.0, **asked: object) -> Trial:
    metrics = tuple(replace(COUNTED, name=name) for name in ("errors", "calls")[: len(safe)])
    accounts = {}
    for metric, odds in zip(metrics, safe, strict=True):
        account = Account(Line(1.0, 0.001), Line(1.0, 0.005), KNOWN, paid=1.0, gain=0.01)
        account.harm[0], account.safe, account.stages = harm, [odds, 0.0], {5: [100, 1, 50, 0], 1: [900, 9, 50, 5]}
        accounts[metric.name] = account
    return Trial(Question(metrics, **asked), accounts, weight=5, stage_weight=5)  # type: ignore[arg-type]


def said(trial: Trial, t: float = 0.0) -> tuple[str, str]:
    arms = ({name: [(0, 0)] for name in trial.accounts} for _ in range(2))
    [finding] = judge([(trial, Look(t, 5, *arms))])
    return finding.reason, finding.decision_reason


def test_the_stage_that_is_looked_at_is_told_and_the_metric_that_lacks_most() -> None:
    assert said(a_trial(25.0))[0] == (
        "errors 0 % vs 1.0 % (−1.0 pp), 0 of 50 requests; worse by +0.5 pp is ruled out at odds of 25:1."
    )
    assert said(a_trial(500.0, 25.0))[0].startswith("calls 0 % vs 1.0 %")
    assert said(a_trial(25.0, 500.0))[0].startswith("errors 0 % vs 1.0 %")
    assert "odds of 10:1 for more than" in said(a_trial(25.0, harm=10.0))[0]
    assert "odds of 9.9:1" in said(a_trial(9.9, safe_odds=5.0))[0]
    assert "odds of 10:1" in said(a_trial(10.0, safe_odds=5.0))[0]


def test_a_decision_goes_on_in_the_words_of_its_reason() -> None:
    held = said(a_trial(3.0, deadline_s=60.0), 60.0)
    assert held[1] == f"Hold at 5 %, not enough yet: {held[0].removeprefix('Not enough yet: ')} A person decides."
    paused = said(a_trial(3.0, harm=50.0, deadline_s=60.0), 60.0)
    assert paused[1] == f"Hold at 5 %: {paused[0]} A person decides."
    assert said(a_trial(30.0, deadline_s=60.0), 60.0)[1].startswith("Promote: errors 0 %")
    assert said(a_trial(3.0, harm=500.0, deadline_s=600.0), 60.0)[1].startswith("Roll back at 5 %: errors 0 %")


@pytest.mark.parametrize(("deadline", "best_at"), [(None, 60.0), (900.0, 90.0)])
@pytest.mark.parametrize("level", [0.2, 1.7])
def test_the_odds_of_a_gauge_are_tightest_at_its_deadline(deadline: float | None, best_at: float, level: float) -> None:
    metric = Metric("revenue", Kind.GAUGE, 0.1, 1.0)
    history: list[Sample] = [0.1 * math.sin(place) * (1 + place % 5) for place in range(200)]
    trial = opened(Question((metric,), deadline_s=deadline), {"revenue": history})
    seen = Differences()
    for place in range(1, 31):
        difference = level + (-1) ** place * 0.3
        [finding] = judge([(trial, Look(10.0 * place, 5, {"revenue": 7.0}, {"revenue": 7.0 + difference}))])
        seen = seen.plus(7.0 + difference - 7.0)
        assert ("it says nothing before 20 looks" in finding.reason) is (place < 20)
        assert finding.needed_requests == (0 if finding.safe_odds >= 20 else None)
    assert (finding.safe_odds >= 20) is (level < 1)
    variance = variance_per_look(seen, long_run_variance([float(reading) for reading in history]), 10.0)  # type: ignore[arg-type]
    odds = odds_against(1.0, seen, variance, best_at, 1 / 20)
    assert finding.safe_odds == pytest.approx(odds if level < 1 else min(1.0, 1 / odds))
    assert finding.decision is not Decision.ROLL_BACK


def test_a_latency_begins_with_the_last_hour_and_an_edge_of_all_that_was_read() -> None:
    window = {100.0: 940.0, 250.0: 990.0, math.inf: 1000.0}
    trial = opened(Question((Metric("latency_p99", Kind.LATENCY, 0.1, 0.25),)), {"latency_p99": [window] * 61})
    account = trial.accounts["latency_p99"]
    found = exceedance(0.99, 0.1, 0.25, {edge: 61 * n for edge, n in window.items()})
    assert found is not None
    assert (account.edge, account.border, account.tolerated) == (
        found.edge, Line(1.0, found.allowed), Line(1.0, found.tolerated),
    )  # fmt: skip
    # 60 windows of 10 bad ones are more than fades away: 200 of them are kept, and their requests.
    assert (account.requests, account.bad) == pytest.approx((20_000, 200))
    counted = opened(Question((COUNTED,)), {"errors": [[(100, 3)], *[[(100, 1)]] * 60]}).accounts["errors"]
    assert (counted.requests, counted.bad) == (6000, 60)
    assert counted.bursts.is_known is False


def test_callers_that_hang_up_count_from_the_first_one() -> None:
    judge = Judge(replace(ERRORS, limit=None, allowed=Margin(0.01)))
    one = judge.see(replace(an_arm(750), cancelled=1.0), an_arm(250))["errors"]
    assert one.reason.endswith("; callers hung up on 0 % vs 0.13 %.")
    two = judge.see(an_arm(750), replace(an_arm(250), cancelled=1.0), resets=1)["errors"]
    assert two.reason.endswith(
        "; callers hung up on 0.2 % vs 0.067 %; 1 counter began anew, so this is the least that happened."
    )


def test_a_relative_margin_bounds_callers_that_hang_up_as_well() -> None:
    judge = Judge(replace(ERRORS, limit=None, allowed=Margin(0.1, relative=True)))
    verdict = judge.see(replace(an_arm(750), cancelled=10.0), replace(an_arm(250), cancelled=60.0))["errors"]
    assert verdict.missing == "callers that wait for their answers"
