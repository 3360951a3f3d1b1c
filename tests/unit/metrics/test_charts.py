"""Pictures: size, words, and looks that lack data."""

import gc
import io
import math
import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from bot.metrics.charts import STYLE, _figure, draw
from bot.metrics.curves import gaps, metric, outcome, share, stage_spans
from bot.metrics.density import thinned
from bot.metrics.scenes import of_card
from bot.ports import Card, Look
from strategies.plan import Better, Kind, Margin, MetricGate, Plan, StrategyName
from strategies.routing import Split
from strategies.verdicts import Outcome, Reading
from tests.builders import NOW, a_plan, a_reading, a_release, a_stage, a_target, a_verdict

STEP = timedelta(seconds=15)
ERRORS = MetricGate("errors", "ratio", allowed=Margin(0.001), tolerated=Margin(0.125))
SLOW = MetricGate("latency_p99", "ms", limit=250.0, allowed=Margin(0.1, relative=True))
CONVERSION = MetricGate(
    "conversion_of_the_checkout_page_in_the_app", "ratio", Better.HIGHER, allowed=Margin(0.01), query="orders",
    kind=Kind.COUNTS,
)  # fmt: skip


def some_looks(count: int, *, silent: frozenset[int] = frozenset()) -> tuple[Look, ...]:
    verdicts = (a_verdict(Outcome.PASS, bound=0.01),)
    readings = [
        Reading(NOW + STEP * n, NOW + STEP * (n - 1), trouble="Prometheus is down.")
        if n in silent
        else a_reading(NOW + STEP * n)
        for n in range(count)
    ]
    return tuple(Look(r.at, n * 4 // count, r, verdicts) for n, r in enumerate(readings))


def a_card(looks: tuple[Look, ...] = (), **changes: object) -> Card:
    return Card(a_release("reviews-1", **({"stage": 1, "plan": a_plan()} | changes)), NOW, "prod", looks)


@pytest.mark.parametrize("count", [0, 1, 3, 40, 400])
def test_a_picture_is_a_small_png_however_many_looks(count: int) -> None:
    picture = draw(a_card(some_looks(count)))
    image = Image.open(io.BytesIO(picture.png))
    assert (image.format, image.width) == ("PNG", 960)
    assert len(picture.png) < 60_000
    assert 0 < len(picture.alt_text) < 2000


@pytest.mark.parametrize(
    ("service", "baseline", "candidate", "gates"),
    [
        ("reviews", "v1", "v2", (ERRORS, SLOW)),
        ("recommendations-for-returning-customers", "v2025.11.02-build.4411", "v2025.11.03-build.4475-rc1", (SLOW,)),
        ("checkout", "8f3c2d91a77be0aa12", "b1946ac92492d2347c", (ERRORS, CONVERSION, SLOW, replace(ERRORS), SLOW)),
        ("s" * 253, "1", "2" * 60, (CONVERSION,)),
    ],
)
def test_no_line_touches_another_however_long_the_names_are(
    service: str, baseline: str, candidate: str, gates: tuple[MetricGate, ...]
) -> None:
    shares = ("5", "50", "100")
    splits = [{service: Split.between(baseline, candidate, Decimal(share))} for share in shares]
    plan = replace(
        a_plan(*shares), stages=tuple(replace(a_stage(gates=gates), splits=each, gates=gates) for each in splits)
    )
    verdicts = tuple(a_verdict(Outcome.FAIL, gate.metric, reason=f"{gate.metric} {'W' * 300}") for gate in gates)
    target = a_target(service, baseline=baseline, candidate=candidate)
    card = a_card(some_looks(40), plan=plan, targets=(target,), verdicts=verdicts)
    with mpl.rc_context(STYLE):
        figure = _figure(of_card(card))
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib leaves it bare
        lines = [one for one in figure.findobj(Text) if one.get_text() and one.get_visible()]
        boxes = [(line.get_text(), line.get_window_extent()) for line in lines]
    width, height = canvas.get_width_height()
    assert [text for text, box in boxes if box.x0 < 0 or box.x1 > width or box.y0 < 0 or box.y1 > height] == []
    assert [(one[0], other[0]) for one, other in combinations(boxes, 2) if one[1].overlaps(other[1])] == []


def test_the_words_hold_the_verdict_and_the_newest_figures() -> None:
    failing = (a_verdict(Outcome.FAIL, reason="5xx 4.2 % vs 0.3 %, 2 looks running."),)
    text = draw(a_card(some_looks(8), verdicts=failing)).alt_text
    assert text.startswith("reviews v1 to v2: FAIL. Stage 2 of 4 at 25 %. 8 looks from 09:30 to 09:31 UTC.")
    assert "Errors (5xx): v2 minus v1: −0.11 pp, nothing sure yet; allowed +0.1 pp, tolerated +0.5 pp." in text
    assert "errors fail: 5xx 4.2 % vs 0.3 %, 2 looks running." in text


def test_the_words_stay_inside_slacks_limit_whatever_the_reasons() -> None:
    verdicts = tuple(a_verdict(reason="why " * 400) for _ in range(5))
    assert len(draw(a_card(some_looks(3), verdicts=verdicts)).alt_text) < 2000


def test_looks_without_data_are_named_so() -> None:
    looks = some_looks(4, silent=frozenset(range(4)))
    assert "Latency p99: no data." in draw(a_card(looks)).alt_text


def test_a_silent_look_is_a_hole_and_not_a_zero() -> None:
    looks = some_looks(6, silent=frozenset({2}))
    card = a_card(looks)
    curves = [share(card, looks), metric(card, looks, "errors"), metric(card, looks, "latency_p99")]
    holes = [[math.isnan(value) for value in panel.candidate.values] for panel in curves]
    assert holes == [[False, False, True, False, False, False]] * 3


def test_a_line_breaks_where_looks_are_missing() -> None:
    assert gaps([0, 15, 30, 120, 135, 150]) == [2]
    assert gaps([0, 90]) == []


def test_stages_meet_and_carry_their_share() -> None:
    looks = some_looks(8)
    spans = stage_spans(a_card(looks), looks, [float(n) for n in range(8)])
    assert [span.name for span in spans] == ["5 %", "25 %", "50 %", "100 %"]
    assert [span.start for span in spans[1:]] == [span.end for span in spans[:-1]]


def test_thinning_keeps_every_request_and_every_stage() -> None:
    looks = some_looks(401, silent=frozenset({7, 8}))
    few = thinned(looks)
    assert len(few) <= 84
    assert {look.stage for look in few} == {look.stage for look in looks}
    assert sum(look.reading.candidate.requests or 0 for look in few) == 50 * 399


@pytest.mark.parametrize("candidate", ["2026.11.21-abcdef0", "v2$x_1$", "x" * 63, "$\\frac{1$"])
def test_any_version_name_is_drawn_as_it_is(candidate: str) -> None:
    split = Split.between("v1", candidate, Decimal(5))
    plan = Plan(StrategyName.CANARY, (a_stage(splits={"reviews": split}),))
    card = a_card(some_looks(2), targets=(a_target(candidate=candidate),), plan=plan, stage=0)
    assert f"reviews v1 to {candidate}" in draw(card).alt_text


@pytest.mark.parametrize("is_collecting", [True, False])
def test_nothing_of_a_picture_waits_for_the_collector(*, is_collecting: bool) -> None:
    card, usual = a_card(some_looks(3)), gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(500, 2, 1_000)  # what is half drawn would soon be old, and the old are not looked at
    if not is_collecting:
        gc.disable()
    try:
        draw(card)
        assert not [each for each in gc.get_objects() if type(each) in (Figure, FigureCanvasAgg)]
        assert gc.isenabled() is is_collecting
    finally:
        gc.enable()
        gc.set_threshold(*usual)
        gc.unfreeze()


def test_threads_draw_the_same_picture() -> None:
    card, drawn = a_card(some_looks(5)), []
    threads = [threading.Thread(target=lambda: drawn.append(draw(card).png)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn == [draw(card).png] * 4


@pytest.mark.parametrize(
    ("outcomes", "worst"),
    [
        ((), Outcome.WAIT),
        ((Outcome.PASS,), Outcome.PASS),
        ((Outcome.PASS, Outcome.WAIT), Outcome.WAIT),
        ((Outcome.WAIT, Outcome.FAIL), Outcome.FAIL),
    ],
)
def test_the_verdict_is_the_worst_of_the_gates(outcomes: tuple[Outcome, ...], worst: Outcome) -> None:
    assert outcome(a_card(verdicts=tuple(a_verdict(one) for one in outcomes))) is worst
