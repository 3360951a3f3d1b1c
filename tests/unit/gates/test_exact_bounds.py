"""Where chance ends: exact tails and likelihoods on both sides of each bound, against sums written out in full."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import beta, binom, norm

from strategies.gates.account import Account
from strategies.gates.chance import (
    LOOK,
    STAGE,
    Counts,
    Line,
    is_share_plausible,
    is_surely_above,
    is_surely_worse,
    tells_share,
    tempered,
)
from strategies.gates.counts import Border, as_good, nats_beyond
from strategies.gates.deadline import is_surely_beyond
from strategies.gates.evidence import Names, evidence
from strategies.gates.exceedance import exceedance
from strategies.gates.latency import quantile, total
from strategies.gates.overdispersion import bursts, dispersion
from strategies.gates.rate import border
from strategies.gates.roughness import Roughness
from strategies.plan import Margin
from strategies.verdicts import Arm
from tests.unit.gates.looks import a_look, an_arm
from tests.unit.gates.oracle import nearest, roughness


@pytest.mark.parametrize("level", [LOOK, STAGE])
def test_a_tail_is_that_of_its_normal_quantile(level: tuple[float, float]) -> None:
    assert level[0] == pytest.approx(norm.sf(level[1]), rel=2e-3)


@pytest.mark.parametrize("factor", [1.2, 1.5, 6.0])
def test_counts_that_vary_more_than_by_chance_have_their_quantile_stretched(factor: float) -> None:
    wider = tempered(LOOK, factor)
    assert wider.root == pytest.approx(2.5758 * math.sqrt(factor))
    assert wider.tail == pytest.approx(norm.sf(wider.root))


@pytest.mark.parametrize(("requests", "rate"), [(10, 1e-4), (30, 0.01), (1000, 0.01), (500, 0.4), (20, 1.0), (20, 1.5)])
def test_what_is_surely_above_a_rate_is_its_binomial_tail(requests: int, rate: float) -> None:
    for level in (LOOK, STAGE):
        for bad in range(requests + 1):
            expected = bad > 0 and binom.sf(bad - 1, requests, min(rate, 1.0)) < level.tail
            assert is_surely_above(Counts(requests, bad), rate, level) is bool(expected)


@pytest.mark.parametrize("line", [Line(), Line(1.0, 0.01), Line(1.5, 0.0), Line(0.8, 0.2)])
@pytest.mark.parametrize(("n1", "n0", "x0"), [(60, 300, 0), (60, 300, 9), (60, 300, 200), (1, 40, 20), (100, 10, 10)])
def test_what_is_surely_worse_is_the_root_of_the_likelihood_ratio(line: Line, n1: int, n0: int, x0: int) -> None:
    for x1 in range(n1 + 1):
        root = root_of((n0, x0, n1, x1), line)
        for level in (LOOK, STAGE):
            if abs(root - level.root) > 1e-4:
                assert is_surely_worse(Counts(n1, x1), Counts(n0, x0), line, level) is (root > level.root)


def root_of(seen: tuple[int, int, int, int], line: Line) -> float:
    n0, x0, n1, x1 = seen
    if x1 / n1 <= line.ratio * x0 / n0 + line.offset:
        return 0.0
    rates = [min(max(x / n, 1e-13), 1 - 1e-13) for x, n in ((x0, n0), (x1, n1))]
    points = nearest(n0, n1, (rates[0], rates[1]), line)
    likelihood = [x * math.log(p) + (n - x) * math.log1p(-p) for n, x, p in zip((n0, n1), (x0, x1), rates, strict=True)]
    on_line = [
        (x * math.log(q) if x else 0.0) + ((n - x) * math.log1p(-min(q, 1 - 1e-13)) if n > x else 0.0)
        for n, x, q in zip((n0, n1), (x0, x1), points, strict=True)
    ]
    return math.sqrt(max(2 * (sum(likelihood) - sum(on_line)), 0.0))


@pytest.mark.parametrize("asked", [0.0, 0.0005, 0.001, 0.0011, 0.05, 0.5, 0.9989, 0.999, 1.0])
@pytest.mark.parametrize("total", [1, 7, 40, 400])
def test_a_share_is_plausible_within_both_of_its_tails(asked: float, total: int) -> None:
    share = min(max(asked, 0.001), 0.999)

    def is_inside(candidate: int) -> bool:
        few = asked > 0.001 and binom.cdf(candidate, total, share) <= 0.0005
        many = asked < 0.999 and candidate > 0 and binom.sf(candidate - 1, total, share) <= 0.0005
        return not few and not many

    assert [is_share_plausible(k, total, asked) for k in range(total + 1)] == [is_inside(k) for k in range(total + 1)]
    is_telling = 0.001 < asked < 0.999 and not is_inside(0) and not is_inside(total)
    assert tells_share(total, asked) is (is_telling or not 0.001 < asked < 0.999)


@pytest.mark.parametrize(
    ("stages", "line"),
    [
        ([(4000, 20, 1000, 12)], Line(1.0, 0.001)),
        ([(4000, 20, 1000, 30)], Line(1.5, 0.0)),
        ([(40_000, 2000, 10_000, 640)], Line(1.0, 0.002)),
        ([(200, 100, 50, 50)], Line(1.0, 0.3)),
        ([(200, 150, 50, 50)], Line(1.0, 0.24)),
        ([(900, 0, 100, 4)], Line()),
        ([(900, 0, 100, 4), (4000, 20, 1000, 12)], Line(1.0, 0.0005)),
        ([(2000, 8, 500, 7), (0, 0, 10, 5), (2000, 12, 500, 8), (1000, 3, 1000, 9)], Line(1.0, 0.0005)),
        ([(1, 1, 400, 400), (300, 30, 100, 29)], Line(1.0, 0.01)),
        ([(4000, 20, 1000, 5), (4000, 20, 1000, 5)], Line()),
        ([(4000, 20, 1000, 12), (4000, 2, 300, 0)], Line(1.0, 0.0005)),
    ],
)
def test_the_exact_test_at_the_deadline_is_its_sum_written_out(
    stages: list[tuple[int, int, int, int]], line: Line
) -> None:
    told = [stage for stage in stages if stage[0] and stage[2]]
    ours = sum(stage[3] for stage in told)
    expected = sum(n1 * min(line.ratio * x0 / n0 + line.offset, 1.0) for n0, x0, n1, _ in told)
    for level in (10 ** (-place / 4) for place in range(32)):
        chances = {0: 1.0}
        for n0, x0, n1, x1 in told:
            least = beta.ppf(level * 0.1 / len(told), x0, n0 - x0 + 1) if x0 else 0.0
            part = n1 * min(line.ratio * least + line.offset, 1.0)
            law = binom.pmf(range(x0 + x1 + 1), x0 + x1, part / (part + n0 * least) if least else 1.0)
            kept = [(k, float(p)) for k, p in enumerate(law) if p > 1e-25]
            more: dict[int, float] = {}
            for known, chance in chances.items():
                for k, p in kept:
                    more[known + k] = more.get(known + k, 0.0) + chance * p
            chances = more
        tail = sum(p for k, p in chances.items() if k >= ours)
        if abs(tail / (level * 0.9) - 1) > 1e-9:
            assert is_surely_beyond(stages, line, level) is (ours > expected and tail <= level * 0.9)


NAMES = Names("v1", "v2")


@pytest.mark.parametrize(
    ("baseline", "candidate", "lost", "asked", "ready", "found"),
    [
        (an_arm(750, 1), an_arm(250, 2), 0, 0.25, None, ((750, 1), (250, 2), 0)),
        (an_arm(750), an_arm(0), 250, 0.25, {"v2": 0}, ((750, 0), (250, 250), 0)),
        (an_arm(750), an_arm(0), 250, None, {"v2": 0}, ((750, 0), (250, 250), 0)),
        (an_arm(100), an_arm(0), 900, 1.0, {"v2": 0}, ((100, 0), (900, 900), 0)),
        (an_arm(750), an_arm(0), 250, 0.0, {"v2": 0}, ((1000, 250), (0, 0), 0)),
        (an_arm(750), an_arm(50), 200, 0.25, {"v2": 1}, ((750, 0), (250, 200), 0)),
        (an_arm(550), an_arm(250), 200, 0.25, None, ((750, 200), (250, 0), 0)),
        (an_arm(750), an_arm(240), 10, 0.25, None, ((750, 0), (240, 0), 10)),
        (an_arm(750), an_arm(750), 300, 0.25, None, ((750, 0), (750, 0), 300)),
        (an_arm(750), an_arm(50), 200, None, {"v2": 1}, ((750, 0), (50, 0), 200)),
        (an_arm(750), Arm(), 200, 0.25, {"v2": 0}, ((750, 0), (0, 0), 200)),
        (Arm(), an_arm(250), 200, 0.25, {"v2": 0}, ((0, 0), (250, 0), 200)),
        (an_arm(750), Arm(5.0), 200, 0.25, None, ((750, 0), (0, 0), 200)),
        (an_arm(750), an_arm(0), 1, 0.25, {"v2": 0}, ((750, 0), (1, 1), 0)),
    ],
)
def test_errors_without_a_version_go_to_whose_share_they_complete(
    baseline: Arm,
    candidate: Arm,
    lost: int,
    asked: float | None,
    ready: Mapping[str, int] | None,
    found: tuple[tuple[int, int], tuple[int, int], int],
) -> None:
    reading = a_look(1, baseline, candidate, unattributed=float(lost), ready=ready)
    seen = evidence(reading, asked, NAMES)
    assert (seen.tally.baseline, seen.tally.candidate, seen.tally.unknown) == found
    assert (seen.has_baseline, seen.has_candidate) == (baseline.errors is not None, candidate.errors is not None)
    assert seen.seconds == 10
    assert seen.tally.baseline_buckets == baseline.buckets
    idle = evidence(reading, asked, NAMES, is_answering=False).tally
    assert (idle.baseline.bad, idle.candidate.bad, idle.unknown) == (
        round(baseline.errors or 0), round(candidate.errors or 0), lost,
    )  # fmt: skip
    blamed = seen.blaming(3).tally
    assert (blamed.candidate, blamed.unknown) == (seen.tally.candidate.plus(Counts(3, 3)), 0)


def test_no_errors_counted_are_none_without_a_version() -> None:
    assert evidence(a_look(1, an_arm(750), an_arm(250)), 0.25, NAMES).tally.unknown == 0
    assert evidence(a_look(1, Arm(), an_arm(250)), 0.25, NAMES).silent(NAMES) == "v1"


HISTOGRAM = {50.0: 800.0, 100.0: 940.0, 250.0: 991.0, 500.0: 1000.0, math.inf: 1000.0}


@pytest.mark.parametrize(
    ("q", "histogram", "edge", "sides"),
    [
        (0.99, HISTOGRAM, 250.0, (0.06, 0.009, 100.0)),
        (0.5, HISTOGRAM, 50.0, (1.0, 0.2, 0.0)),
        (0.95, HISTOGRAM, 100.0, (0.2, 0.06, 50.0)),
        (0.95, {0.0: 0.0, 100.0: 900.0, 200.0: 1000.0, math.inf: 1000.0}, 100.0, (1.0, 0.1, 0.0)),
        (0.5, {10.0: 100.0, 20.0: 900.0, math.inf: 1000.0}, 20.0, (0.9, 0.1, 10.0)),
        (0.5, {10.0: 0.0, 20.0: 500.0, 40.0: 500.0, math.inf: 1000.0}, 20.0, (1.0, 0.5, 10.0)),
        (0.99, {10.0: 0.0, 20.0: 1000.0, math.inf: 1000.0}, 10.0, (1.0, 1.0, 0.0)),
    ],
)
def test_margins_of_a_latency_lie_between_both_laws_inside_a_bucket(
    q: float, histogram: Mapping[float, float], edge: float, sides: tuple[float, float, float]
) -> None:
    found = exceedance(q, 0.1, 0.25, histogram)
    assert found is not None
    left, here, start = sides

    def moved(slower: float) -> tuple[float, float]:
        part = (edge / (1 + slower) - start) / (edge - start)
        return left + (here - left) * part - here, left * (here / left) ** part - here

    evenly, falling = moved(0.1)
    harmful = max(0.001, 1.25 * (falling if here < 0.05 else max(evenly, falling)))
    assert found.edge == edge
    assert found.allowed == pytest.approx(harmful)
    assert found.tolerated == pytest.approx(max(min(moved(0.25)) * 0.75, 1.2 * harmful))


def test_where_nobody_exceeds_an_edge_the_bucket_is_taken_evenly() -> None:
    found = exceedance(0.5, 0.1, 0.25, {10.0: 1000.0, 20.0: 1000.0, math.inf: 1000.0})
    assert found is not None
    assert found.edge == 10
    assert found.allowed == pytest.approx(1.25 * (1 - 1 / 1.1))


def test_a_histogram_without_its_last_bucket_counts_nothing() -> None:
    assert total({10.0: 5.0}) == 0
    assert Counts().rate == 0
    assert [quantile(0.5, found) for found in ({10.0: 8.0, math.inf: 10.0}, {10.0: 1.0, math.inf: 1.0})] == [
        (6.25, 0.0, 10.0), (5.0, 0.0, 10.0),
    ]  # fmt: skip


BURSTING = [(600 + place, 0 if place % 3 else 9 + place % 5) for place in range(130)]


def test_bursts_are_measured_as_pearson_does_block_by_block() -> None:
    square, freedom, variance = 0.0, 0, 0.0
    for part in (BURSTING[:60], BURSTING[60:120], BURSTING[120:]):
        n, x = (sum(column) for column in zip(*part, strict=True))
        spread = x / n * (1 - x / n)
        square += sum((bad - requests * x / n) ** 2 / (requests * spread) for requests, bad in part)
        freedom += len(part) - 1
        variance += (len(part) - 1) * (2 + len(part) / (n * spread))
    measured, error = dispersion(BURSTING, 60)
    assert (measured, error) == pytest.approx((square / freedom, math.sqrt(variance) / freedom))
    assert bursts(BURSTING).factor == pytest.approx(1.5 * measured)
    assert dispersion([(10, 1)], 60) == (1.0, math.inf)
    assert bursts([(600, 99), (600, 0)]).is_known is False
    assert bursts([(600, 100), (600, 0)]).is_known is True
    assert bursts([(600, 501), (600, 600)]).is_known is False


def test_bursts_that_may_be_chance_are_raised_in_part() -> None:
    mild = [(600, 3 if place % 2 else 9) for place in range(60)]
    measured, error = dispersion(mild, 60)
    certainty = (measured - 1) / error
    assert 2.2 < certainty < 3.8
    assert bursts(mild).factor == pytest.approx(measured * (1 + 0.5 * (certainty - 2) / 2))


@pytest.mark.parametrize(
    "looks", [[(900, 9), (300, 1), (500, 20), (900, 2)], [(9, 2), (1, 1), (7, 1)], [(5, 4), (5, 1)]]
)
def test_roughness_is_the_ratio_of_successive_differences(looks: list[tuple[int, int]]) -> None:
    seen = Roughness()
    for requests, bad in looks:
        seen.note(requests, bad)
    assert seen.factor == pytest.approx(roughness(looks))
    assert replace(seen).plain()[:3] == (len(looks) - 1, *(sum(column) for column in zip(*looks, strict=True)))


def test_a_border_on_the_baselines_own_rate_leaves_room_for_a_better_candidate() -> None:
    same = Border(np.array([1.0]), np.array([0.0]))
    assert as_good(np.array([0.01]), same)[0] == pytest.approx([0.005, 0.007])
    assert nats_beyond((9, 1, 0, 0), Line()) == nats_beyond((0, 0, 9, 1), Line()) == 0
    assert border(Margin(0.1, relative=True)) == Line(1.1, 0.0)


def test_a_stage_without_candidate_requests_costs_the_others_nothing() -> None:
    stage, idle = (4000, 20, 1000, 12), (500, 5, 0, 0)
    levels = [10 ** (-place / 100) for place in range(300)]
    alone = [is_surely_beyond([stage], Line(1.0, 0.001), level) for level in levels]
    assert [is_surely_beyond([stage, idle], Line(1.0, 0.001), level) for level in levels] == alone


def test_a_quarter_of_two_looks_is_an_outage() -> None:
    account, believed = Account(Line(), Line()), []
    for bad in ((8, 2), (4, 1), (100, 1), (8, 3)):
        account.note(5.0, (900, 0, *bad), 1)
        believed.append(account.is_believable)
    assert believed == [False, True, False, False]
