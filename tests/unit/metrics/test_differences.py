"""The picture of evidence: what the band says is what the judge decided."""

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from bot.metrics.charts import draw
from bot.metrics.differences import Difference, differences
from bot.metrics.scenes import of_card
from bot.ports import Card, Look
from strategies.gates.bands import Band
from strategies.gates.judge import Case, evaluate
from strategies.plan import Better, Kind, Margin, MetricGate
from strategies.verdicts import Arm, Outcome, Reading
from tests.builders import NOW, a_plan, a_release, a_stage

LOOK = timedelta(seconds=10)
ERRORS = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.005))
PLAIN = MetricGate("errors", "ratio", allowed=Margin(0.01))
SLOW = MetricGate("latency_p99", "ms", allowed=Margin(0.1, relative=True), tolerated=Margin(0.5, relative=True))
ORDERS = MetricGate(
    "orders", "ratio", Better.HIGHER, allowed=Margin(0.01), tolerated=Margin(0.05), query="orders", kind=Kind.COUNTS
)
EDGES = (50.0, 100.0, 250.0, 500.0, math.inf)


def an_arm(rng: np.random.Generator, requests: float, bad: float, slow: float) -> Arm:
    n = int(rng.poisson(requests))
    times = rng.lognormal(math.log(40 * slow), 0.8, n)
    buckets = {edge: float((times <= edge).sum()) for edge in EDGES}
    orders = (float(n), float(rng.binomial(n, 0.2 if bad < 0.01 else 0.1)))
    return Arm(float(n), float(rng.binomial(n, bad)), buckets, counts={"orders": orders})


def a_card(*gates: MetricGate, bad: float = 0.002, slow: float = 1.0, per_look: int = 600, looks: int = 40) -> Card:
    """Looks at 10 and then at 50 %, judged one by one until a gate fails."""
    rng, shown, memory = np.random.default_rng(5), [], ""
    plan = replace(
        a_plan("10", "50", "100"), stages=tuple(a_stage(share, gates=gates) for share in ("10", "50", "100"))
    )
    for place in range(looks):
        stage, share = (0, 0.1) if place < looks // 2 else (1, 0.5)
        arms = an_arm(rng, per_look * (1 - share), 0.002, 1.0), an_arm(rng, per_look * share, bad, slow)
        reading = Reading(NOW + LOOK * (place + 1), NOW + LOOK * place, *arms)
        [judged] = evaluate([Case(gates, 100, share, stage, reading, memory, "v1", "v2")])
        memory = judged.memory
        shown.append(Look(reading.at, stage, reading, judged.verdicts))
        if any(verdict.outcome is Outcome.FAIL for verdict in judged.verdicts):
            break
    release = a_release("reviews-1", plan=plan, stage=stage, verdicts=judged.verdicts, memory=memory)
    return Card(release, shown[-1].at, "prod", tuple(shown))


def panel_of(card: Card, gate: MetricGate) -> Difference:
    return differences(card, card.looks, [gate])[gate.metric]


@pytest.mark.parametrize("gate", [ERRORS, SLOW, ORDERS], ids=lambda gate: gate.metric)
def test_the_band_of_harm_leaves_the_allowed_line_when_the_gate_fails(gate: MetricGate) -> None:
    card = a_card(gate, bad=0.03, slow=2.0)
    panel = panel_of(card, gate)
    assert panel.outcome is Outcome.FAIL
    assert panel.left_allowed is not None
    # The judge itself may be later: it learns bursts on the way, and a latency's edge from a look of its own.
    assert len(card.looks) - 1 - panel.left_allowed <= 2
    assert panel.left_tolerated is None
    assert list(panel.band.least) == sorted(panel.band.least)


@pytest.mark.parametrize("gate", [ERRORS, SLOW, ORDERS], ids=lambda gate: gate.metric)
def test_the_band_of_a_good_candidate_ends_below_what_is_tolerated(gate: MetricGate) -> None:
    panel = panel_of(a_card(gate, per_look=1500), gate)
    assert panel.outcome is Outcome.PASS
    assert panel.left_allowed is None
    assert panel.left_tolerated is not None


def test_where_more_is_better_the_plot_is_turned() -> None:
    panel = panel_of(a_card(ORDERS, bad=0.03), ORDERS)
    low, high, measured = panel.newest
    assert (panel.allowed, panel.tolerated) == (-0.01, -0.05)
    assert low < measured < 0
    assert high <= -0.01
    assert panel.limits[0] < -0.05
    assert panel.limits[1] > 0


def test_thresholds_alone_have_a_band_and_no_line_of_what_is_tolerated() -> None:
    panel = panel_of(a_card(PLAIN), PLAIN)
    assert (panel.allowed, panel.tolerated) == (0.01, None)
    assert math.isfinite(panel.newest[1])


def test_a_look_that_spans_a_change_and_one_at_everything_count_for_nothing() -> None:
    card = a_card(ERRORS, looks=4)
    first = replace(card.looks[0], reading=replace(card.looks[0].reading, candidate=Arm(60.0, 60.0)))
    assert panel_of(replace(card, looks=(first, *card.looks[1:])), ERRORS) == panel_of(card, ERRORS)


def test_the_words_say_what_the_band_says() -> None:
    bad, good = draw(a_card(ERRORS, bad=0.03)).alt_text, draw(a_card(ERRORS, per_look=1500)).alt_text
    assert "Errors (5xx): v2 minus v1: +" in bad
    assert "surely not below +0." in bad
    assert "not above +0." in good
    assert "FAIL" in bad.split(".")[0]


def test_many_gates_stay_a_small_file_and_show_the_failing_one() -> None:
    plain = [MetricGate(f"level_{n}", "1", allowed=Margin(1.0), query="x", kind=Kind.GAUGE) for n in range(6)]
    card = a_card(*plain, ERRORS, bad=0.05)
    scene = of_card(card)
    assert len(scene.panels) == 5
    assert any(isinstance(panel, Difference) and panel.outcome is Outcome.FAIL for panel in scene.panels)
    assert len(draw(card).png) < 60_000


def test_the_plot_shows_both_margins_and_zero_however_wide_the_band() -> None:
    for measured in (math.nan, -0.02, 0.0, 0.4):
        low, high = Difference("x", Band((-math.inf,), (math.inf,), (measured,)), 0.001, 0.005).limits
        assert low < 0
        assert high > 0.005
