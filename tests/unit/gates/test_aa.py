"""A version against itself at past hours: how often would it have been rolled back?"""

import numpy as np
import pytest

from strategies.gates import aa
from strategies.gates.chance import Line
from strategies.gates.course import Course, Minutes
from strategies.gates.history import learnt, per_second
from strategies.gates.overdispersion import Bursts, bursts
from strategies.gates.question import Kind, Metric, Question
from strategies.gates.sequential import judge
from strategies.gates.trial import Look, opened

DAY = 1440
LINE = Line(1.0, 0.001)


def a_day(
    rng: np.random.Generator, *, law: str = "alone", pods: int = 3, rates: tuple[float, ...] = ()
) -> dict[str, Minutes]:
    """Pods of 300 requests a minute, 0.4 % of them bad."""
    day: dict[str, Minutes] = {}
    for pod in range(pods):
        requests = rng.poisson(300, DAY)
        mean = 300 * (rates[pod] if rates else 0.004)
        if law == "heavy":  # half of the bad requests come in clusters whose sizes have a heavy tail
            size = np.where(rng.random(DAY) < mean / 40, (rng.pareto(1.6, DAY) + 1) * 8, 0)
            bad = rng.poisson(mean / 2, DAY) + size.astype(int)
        elif law == "spells":  # a pod's rate wanders every ten minutes
            bad = rng.poisson(mean * np.repeat(rng.gamma(0.5, 2, DAY // 10), 10))
        else:
            bad = rng.poisson(mean, DAY)
        day[f"pod-{pod}"] = list(zip(requests.tolist(), np.minimum(bad, requests).tolist(), strict=True))
    return day


def together(pods: dict[str, Minutes]) -> list[tuple[int, int]]:
    return [
        (sum(part[0] for part in minute if part), sum(part[1] for part in minute if part))
        for minute in zip(*pods.values(), strict=True)
    ]


@pytest.mark.parametrize("law", ["alone", "heavy", "spells"])
def test_tomorrow_hardly_ever_rolls_a_good_release_back(law: str) -> None:
    replays = alarms = 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        today, tomorrow = a_day(rng, law=law), a_day(rng, law=law)
        known, _ = aa.calibrated(aa.one_against_the_rest(today), LINE, bursts(together(today)))
        after = aa.one_against_the_rest(tomorrow)
        replays, alarms = replays + len(after), alarms + int(aa.alarms(after, LINE, known).sum())
    assert replays == 576
    assert alarms <= 0.01 * replays


def test_the_factor_is_raised_until_the_past_itself_is_left_alone() -> None:
    pods = a_day(np.random.default_rng(3), law="heavy")
    replays = aa.one_against_the_rest(pods)
    ignorant = Bursts(1.0, is_known=True)
    assert aa.alarms(replays, LINE, ignorant).mean() > 0.05
    raised, found = aa.calibrated(replays, LINE, ignorant)
    assert found.has_passed
    assert raised.factor == found.raised > 2
    assert aa.alarms(replays, LINE, raised).mean() <= 0.01


def test_a_pod_that_is_always_worse_is_named_as_bias_and_not_cured() -> None:
    pods = a_day(np.random.default_rng(4), rates=(0.002, 0.002, 0.002, 0.03), pods=4)
    past, found = learnt(Course(together(pods), pods), LINE)
    assert past.spread == pytest.approx(0.014, rel=0.15)
    assert {name for name, _ in found.alarms} == {"pod-3"} or past.raised > 1
    assert past.false_alarms == len(found.alarms)


def test_pods_that_differ_by_chance_alone_have_no_spread() -> None:
    pods = a_day(np.random.default_rng(5))
    assert aa.spread(pods, 1.0) == 0.0
    assert aa.spread({"pod-0": pods["pod-0"]}, 1.0) is None
    assert aa.spread({name: [(100, 0)] for name in pods}, 1.0) == 0.0


def test_one_pod_alone_cannot_be_replayed() -> None:
    alone = a_day(np.random.default_rng(6), pods=1)
    assert not len(aa.one_against_the_rest(alone))
    assert aa.calibrated(aa.one_against_the_rest(alone), LINE, Bursts()) == (Bursts(), aa.Findings(0, ()))
    past, _ = learnt(Course(together(alone), alone), LINE)
    assert (past.replays, past.spread) == (0, None)
    assert past.bursts.is_known


def test_today_against_yesterday_finds_the_hours_that_were_worse() -> None:
    rng = np.random.default_rng(7)
    [yesterday], [today] = (list(a_day(rng, pods=1).values()) for _ in range(2))
    worse = [(n, n // 10) if 300 <= place < 360 else (n, x) for place, (n, x) in enumerate(filter(None, today))]
    replays = aa.one_after_the_other("today", yesterday, worse)
    found = np.flatnonzero(aa.alarms(replays, LINE, Bursts(1.0, is_known=True)))
    assert [replays.names[place] for place in found] == [("today", 5)]


def test_many_pods_are_sampled_over_the_whole_time() -> None:
    replays = aa.one_against_the_rest(a_day(np.random.default_rng(8), pods=40))
    assert len(replays) <= aa.MOST_REPLAYS
    assert {hour for _, hour in replays.names} == set(range(24))


def test_replays_are_judged_as_releases_are() -> None:
    replays = aa.one_against_the_rest(a_day(np.random.default_rng(9), law="heavy"))
    quick = aa.alarms(replays, LINE, Bursts(1.0, is_known=True))
    metric = Metric("errors", Kind.COUNTS, LINE.offset, 0.005)
    for row in (*np.flatnonzero(quick)[:5], *np.flatnonzero(~quick)[:5]):
        trial = opened(Question((metric,)), {})
        account = trial.accounts["errors"]
        account.bursts = Bursts(1.0, is_known=True)
        account.learn(int(replays.before[row]), int(replays.before_bad[row]))
        looks = [
            (trial, Look(60.0 * k, 25, *({"errors": [(int(n[row, k]), int(x[row, k]))]} for n, x in (
                (replays.baseline, replays.baseline_bad), (replays.candidate, replays.candidate_bad)
            ))))
            for k in range(aa.HOUR)
        ]  # fmt: skip
        assert any(finding.decision for finding in judge(looks)) == quick[row]


def test_minutes_that_were_not_measured_count_for_nothing() -> None:
    assert per_second([(60, 0), None, (120, 1)]) == 1.5
    assert per_second([None]) == per_second([]) == 0.0
