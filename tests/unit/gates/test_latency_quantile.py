"""A quantile against its bounds, where one of the histograms tells little."""

import math

from strategies.gates.chance import STAGE
from strategies.gates.comparison import Comparison, Standing
from strategies.gates.latency import Buckets
from strategies.gates.latency_quantile import compare_latency
from strategies.plan import Margin, MetricGate
from tests.unit.gates.looks import P50, a_histogram

ENOUGH = a_histogram(1000)


def compared(gate: MetricGate, candidate: Buckets, baseline: Buckets) -> Comparison:
    return compare_latency(gate, 0.5, candidate, baseline, level=STAGE)


def test_an_empty_histogram_of_either_version_is_named() -> None:
    assert compared(P50, {}, ENOUGH).lacks == "the histogram of the candidate is empty"
    assert compared(P50, ENOUGH, {}).lacks == "the baseline has too few requests to compare"
    assert compared(P50, ENOUGH, a_histogram(10)).lacks == "the baseline has too few requests to compare"


def test_a_baseline_beyond_the_last_bucket_is_nothing_to_compare_with() -> None:
    lacks = compared(P50, ENOUGH, {100: 10, math.inf: 1000}).lacks
    assert lacks == "the baseline lies beyond the last bucket, 100 ms"


def test_a_slowdown_is_proven_on_the_edge_below_by_more_than_it_can_carry_over() -> None:
    slower = {50: 150, 100: 170, 250: 1000, math.inf: 1000}
    little, much = ({50: below, 100: 420, 250: 1000, math.inf: 1000} for below in (400, 0))
    # What lay between 50 and 100 ms may have moved over the edge by what is allowed.
    assert compared(P50, slower, little).standing is Standing.SURELY_BEYOND
    assert compared(P50, slower, much).standing is Standing.BEYOND


def test_a_slowdown_inside_the_first_bucket_is_seen_and_not_proven() -> None:
    found = compared(P50, {100: 900, 250: 1000, math.inf: 1000}, {100: 1000, 250: 1000, math.inf: 1000})
    assert found.standing is Standing.BEYOND
    assert found.words.endswith("(+11 %; allowed +10 %); bucket 0 ms to 100 ms")


def test_a_baseline_at_zero_has_no_change_in_percent() -> None:
    instant = {0.0: 800, 100: 1000, math.inf: 1000}
    found = compared(MetricGate("latency_p50", "ms", limit=100.0), {0.0: 0, 100: 1000, math.inf: 1000}, instant)
    assert found.words == "p50 50 ms vs 0 ms (limit 100 ms)"


def test_without_a_bound_there_is_no_bucket_to_name() -> None:
    gate = MetricGate("latency_p50", "ms", tolerated=Margin(0.25, relative=True))
    found = compared(gate, ENOUGH, ENOUGH)
    assert (found.standing, found.bound) == (Standing.WITHIN, None)
    assert "bucket" not in found.words
