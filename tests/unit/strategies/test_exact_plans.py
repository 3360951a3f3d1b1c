"""Plans and patterns to the last field: what a small change would turn without anybody noticing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from strategies import patterns, pipeline
from strategies.blue_green import without_preview
from strategies.capacity import pods_for
from strategies.plan import Approve, MetricGate, Plan, SideEffects, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Protocol, Route, Split, Sticky
from tests.builders import a_plan, a_target, the_gates
from tests.unit.strategies.specs import BETA, a_spec, asking, decimals, planned, splits

BLUE_GREEN = StrategyName.BLUE_GREEN
HTTP, TCP = Route("shop", "reviews", Protocol.HTTP, "main"), Route("shop", "reviews", Protocol.TCP, "#0")


def test_each_step_of_a_sticky_release_rises_from_the_step_before() -> None:
    found = splits(planned(a_spec(StrategyName.CANARY, "5", "25", "100", is_sticky=True)))
    five, more = decimals("5", "25")
    assert [split.sticky for split in found] == [Sticky.between(0, five, five), Sticky.between(1, five, more), None]


@pytest.mark.parametrize(("smoke", "least"), [("", 500), ("https://smoke.example/run", 0)])
def test_a_preview_needs_requests_where_no_smoke_test_sends_them(smoke: str, least: int) -> None:
    plan = planned(a_spec(BLUE_GREEN, smoke=smoke))
    assert [stage.min_requests for stage in plan.stages] == [least, 500]


@pytest.mark.parametrize(
    ("strategy", "routes", "matches", "previews"),
    [
        (BLUE_GREEN, (HTTP,), (), True),
        (BLUE_GREEN, (HTTP, TCP), (), False),
        (BLUE_GREEN, (HTTP, TCP), (BETA,), True),
        (StrategyName.CANARY, (HTTP, TCP), (), True),
    ],
)
def test_the_usual_preview_alone_is_left_out_where_a_route_cannot_carry_it(
    strategy: StrategyName, routes: tuple[Route, ...], matches: tuple[object, ...], previews: bool
) -> None:
    spec = a_spec(strategy, matches=matches)
    assert without_preview(spec, a_target(routes=routes)) == replace(spec, previews=previews)


def test_one_metric_of_the_business_is_enough_to_end_an_ab_test() -> None:
    own = MetricGate("orders", "1", query="sum(orders)")
    plan = planned(a_spec(StrategyName.AB, matches=(BETA,), approve=Approve.NONE, gates=(*the_gates(), own)))
    assert asking(plan) == [False, False]


def test_an_ab_test_that_asks_once_asks_before_everybody() -> None:
    spec = a_spec(StrategyName.AB, matches=(BETA,), approve=Approve.FINAL, inside=decimals("10", "100"))
    assert asking(planned(spec)) == [False, True, False]


def piped(*specs: object) -> Plan | Refused:
    return pipeline.plan(specs)  # type: ignore[arg-type]  # specs of any strategy


def test_a_pipeline_tells_its_parts_and_opens_where_it_first_sends_something() -> None:
    shadow = a_spec(StrategyName.SHADOW, "10", side_effects=SideEffects.NONE)
    plan = piped(shadow, a_spec(StrategyName.CANARY, "5", "100"))
    assert isinstance(plan, Plan)
    assert plan.ways == {StrategyName.SHADOW, StrategyName.CANARY}
    assert plan.opening("reviews", "v2") is plan.stages[0]
    assert plan.opening("reviews", "v9") is plan.stages[0]
    asked = a_plan("0", "5", "100")
    assert asked.opening("reviews", "v2") is asked.stages[1]


def test_a_share_of_everybody_in_front_of_another_part_is_bad_input() -> None:
    found = piped(a_spec(StrategyName.CANARY), a_spec(StrategyName.CANARY))
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.BAD_INPUT


def test_less_than_a_percent_takes_the_pods_of_its_own_share() -> None:
    assert pods_for(Split.between("v1", "v2", Decimal("0.5")), "v2", 300, Decimal(100)) == 2
    assert pods_for(Split.between("v1", "v2", Decimal(0)), "v2", 300, Decimal(100)) == 0


def test_the_longest_pattern_is_taken_and_one_byte_more_is_not() -> None:
    assert patterns.trouble("a" * 1024) == ""
    assert patterns.trouble("a" * 1025) == "it is longer than 1024 bytes"


def test_each_bound_of_a_repetition_has_its_most() -> None:
    assert patterns.trouble("a{1,1000}") == patterns.trouble("a{1000}") == ""
    for pattern in ("a{1,1001}", "a{1001}", "a{1001,}"):
        assert patterns.trouble(pattern) == "RE2 repeats at most 1000 times"


@pytest.mark.parametrize("pattern", ["a{3}+", "a+?(?=b)", "a{2,3}?(?=b)"])
def test_what_stands_behind_a_repetition_is_read_too(pattern: str) -> None:
    assert patterns.trouble(pattern)


def test_what_re2_lacks_is_named() -> None:
    assert patterns.trouble("b(?=a)") == "RE2 has no (?=a: neither lookaround nor conditions"


# One piece of each kind; whatever is read too far or too short hides what stands behind it.
PIECES = (
    r"\x41",
    r"\d",
    r"\.",
    "[a]",
    "[]a]",
    "[^]a]",
    "[^a]",
    r"[\d]",
    r"[\]]",
    r"[\x41b]",
    "(?:a)",
    "a{2}",
    "a{2,}?",
)


@pytest.mark.parametrize("piece", PIECES)
def test_each_piece_is_read_to_its_end(piece: str) -> None:
    assert patterns.trouble(f"b{piece}c") == patterns.trouble(piece * 2) == ""
    assert patterns.trouble(f"b{piece}(?=c)") == "RE2 has no (?=c: neither lookaround nor conditions"
    assert patterns.trouble(f"b{piece}\\1") == r"RE2 has no backreference (\1)"
    assert patterns.trouble(f"b{piece}[ab") == "a class [ is not closed"


@pytest.mark.parametrize("pattern", [r"[\d(?=a)]", "[^](?=a)]", "[](?=a)]"])
def test_a_class_ends_at_its_own_bracket(pattern: str) -> None:
    assert patterns.trouble(pattern) == ""
    assert patterns.trouble(f"{pattern}(?=a)")
