"""Each strategy's plan, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import catalog
from strategies.plan import ApprovalGate, Approve, MetricGate, Plan, SideEffects, StrategyName
from strategies.reasons import ReasonCode
from strategies.routing import HUNDRED, Match, Mirror, Split
from tests.unit.strategies.specs import BETA, a_spec, asking, decimals, planned, refused, splits

ALL = Split.between("v1", "v2", HUNDRED)
NOBODY = Split.between("v1", "v2", Decimal(0))
SAFE = {"side_effects": SideEffects.NONE}


def test_a_phased_release_follows_its_timetable() -> None:
    spec = replace(a_spec(StrategyName.PHASED, "10", "60", "100"), holds=(timedelta(1), timedelta(2), timedelta(0)))
    plan = planned(spec)
    assert plan.shares("reviews", "v2") == decimals("10", "60", "100")
    assert [stage.hold for stage in plan.stages] == [timedelta(1), timedelta(2), timedelta(0)]


def test_holds_that_do_not_fit_the_steps_are_refused() -> None:
    found = refused(a_spec(StrategyName.CANARY, holds=(timedelta(1),)))
    assert (found.reason_code, found.text) == (ReasonCode.BAD_STEPS, "1 holds were given for 3 steps.")


@pytest.mark.parametrize("strategy", [StrategyName.CANARY, StrategyName.PHASED])
def test_matches_and_mirror_stand_beside_the_weights_until_everything_is_given(strategy: StrategyName) -> None:
    found = splits(planned(a_spec(strategy, "5", "100", matches=(BETA,), mirror=Decimal(20), **SAFE)))
    assert found == [
        replace(Split.between("v1", "v2", Decimal(5)), matches=(BETA,), mirror=Mirror("v2", Decimal(20))),
        ALL,
    ]


def test_a_blue_green_candidate_is_previewed_while_it_serves_nobody_then_gets_everything() -> None:
    plan = planned(a_spec(StrategyName.BLUE_GREEN, matches=(BETA,)))
    assert splits(plan) == [replace(NOBODY, matches=(BETA,)), ALL]
    assert asking(plan) == [True, False]


def test_a_blue_green_without_a_match_is_previewed_by_a_header_of_its_own() -> None:
    preview = Match("header:x-sluice-preview", "v2", exact="v2")
    assert splits(planned(a_spec(StrategyName.BLUE_GREEN)))[0].matches == (preview,)


def test_a_blue_green_that_asks_nobody_switches_on_its_gates_alone() -> None:
    assert asking(planned(a_spec(StrategyName.BLUE_GREEN, approve=Approve.NONE))) == [False, False]


def test_a_preview_that_everybody_may_reach_is_refused() -> None:
    found = refused(a_spec(StrategyName.BLUE_GREEN, matches=(Match("uri", "v2", prefix="/"),)))
    assert (found.reason_code, "by a header or a host" in found.text) == (ReasonCode.BAD_INPUT, True)


def test_a_shadow_rises_serves_nobody_and_leaves_nothing() -> None:
    plan = planned(a_spec(StrategyName.SHADOW, "1", "10", "50", **SAFE))
    assert [split.weights for split in splits(plan)] == [NOBODY.weights] * 4
    assert [split.mirror and split.mirror.percent for split in splits(plan)] == [*decimals("1", "10", "50"), None]
    assert asking(plan) == [True, True, False, False]
    assert (plan.stages[-1].hold, plan.stages[-1].gates) == (timedelta(0), ())


def test_a_mirror_named_alone_is_a_shadow_of_one_step() -> None:
    found = splits(planned(a_spec(StrategyName.SHADOW, mirror=Decimal(20), **SAFE)))
    assert found == [replace(NOBODY, mirror=Mirror("v2", Decimal(20))), NOBODY]


@pytest.mark.parametrize("strategy", [StrategyName.SHADOW, StrategyName.CANARY])
def test_nothing_is_mirrored_while_nobody_said_what_that_does(strategy: StrategyName) -> None:
    found = refused(a_spec(strategy, mirror=Decimal(20)))
    assert found.reason_code is ReasonCode.SIDE_EFFECTS
    assert "side_effects: none or isolated" in found.text


@pytest.mark.parametrize(("mirror", "code"), [("0", ReasonCode.BAD_INPUT), ("101", ReasonCode.BAD_INPUT)])
def test_a_mirror_that_no_proxy_can_make_is_refused(mirror: str, code: ReasonCode) -> None:
    assert refused(a_spec(StrategyName.CANARY, mirror=Decimal(mirror), **SAFE)).reason_code is code


def test_a_shadow_that_does_not_rise_is_refused() -> None:
    found = refused(a_spec(StrategyName.SHADOW, "10", "5", **SAFE))
    assert (found.reason_code, "does not rise" in found.text) == (ReasonCode.BAD_STEPS, True)


def test_a_shadow_answers_nobody_so_a_match_is_refused() -> None:
    assert refused(a_spec(StrategyName.SHADOW, matches=(BETA,), **SAFE)).reason_code is ReasonCode.BAD_INPUT


def test_an_ab_test_gives_its_group_the_candidate_and_then_a_person_decides() -> None:
    plan = planned(a_spec(StrategyName.AB, matches=(BETA,)))
    assert splits(plan) == [replace(NOBODY, matches=(BETA,)), ALL]
    assert asking(plan) == [True, False]


def test_an_ab_test_may_rise_inside_its_group() -> None:
    plan = planned(a_spec(StrategyName.AB, matches=(BETA,), inside=decimals("1", "50")))
    assert [split.matches and split.matches[0].share for split in splits(plan)] == [Decimal(1), Decimal(50), ()]
    assert [split.share("v2") for split in splits(plan)] == decimals_list("0", "0", "100")


def decimals_list(*values: str) -> list[Decimal]:
    return list(decimals(*values))


def test_an_ab_test_without_a_group_is_refused() -> None:
    assert "needs the group" in refused(a_spec(StrategyName.AB)).text


def test_an_ab_test_that_nobody_and_nothing_decides_is_refused() -> None:
    spec = a_spec(StrategyName.AB, matches=(BETA,), approve=Approve.NONE)
    assert refused(spec).reason_code is ReasonCode.BAD_INPUT
    assert asking(planned(replace(spec, gates=(MetricGate("orders", "1", query="sum(orders)"),)))) == [False, False]


def test_shares_inside_a_group_rise() -> None:
    found = refused(a_spec(StrategyName.AB, matches=(BETA,), inside=decimals("50", "10")))
    assert found.reason_code is ReasonCode.BAD_STEPS


@pytest.mark.parametrize("strategy", list(StrategyName))
def test_a_version_that_serves_already_is_refused_by_every_strategy(strategy: StrategyName) -> None:
    spec = a_spec(strategy, matches=() if strategy is StrategyName.SHADOW else (replace(BETA, to="v1"),), **SAFE)
    assert refused(replace(spec, candidate="v1")).reason_code is ReasonCode.SAME_VERSION


@pytest.mark.parametrize("match", [replace(BETA, to="v3"), Match("header:X", "v2", exact="1")])
def test_a_match_that_cannot_be_served_is_refused(match: Match) -> None:
    assert refused(a_spec(StrategyName.AB, matches=(match,))).reason_code is ReasonCode.BAD_INPUT


cents = st.integers(1, 9_999).map(lambda value: Decimal(value) / 100)
rows = st.lists(cents, unique=True, max_size=6).map(lambda found: (*sorted(found), HUNDRED))


@settings(deadline=None)
@given(st.sampled_from(StrategyName), rows, st.sampled_from(Approve), st.booleans(), st.none() | cents, st.booleans())
def test_every_plan_serves_every_request_and_ends_bare(
    strategy: StrategyName,
    steps: tuple[Decimal, ...],
    approve: Approve,
    matched: bool,
    mirror: Decimal | None,
    safe: bool,
) -> None:
    spec = a_spec(strategy, approve=approve, matches=(BETA,) if matched else (), mirror=mirror, inside=steps)
    found = catalog.plan(replace(spec, steps=steps, side_effects=SideEffects.ISOLATED if safe else None))
    if not isinstance(found, Plan):
        assert found.reason_code in {ReasonCode.SIDE_EFFECTS, ReasonCode.BAD_INPUT}
        return
    assert found.strategy is strategy
    assert all(sum(split.weights.values()) == HUNDRED for split in splits(found))
    assert splits(found)[-1] == (NOBODY if strategy is StrategyName.SHADOW else ALL)
    assert not asking(found)[-1]


def test_without_a_preview_blue_green_is_the_switch_alone() -> None:
    spec = a_spec(StrategyName.BLUE_GREEN, previews=False)
    assert [split.share("v2") for split in splits(planned(spec))] == [0, 100]
    assert refused(replace(spec, candidate=spec.baseline)).reason_code is ReasonCode.SAME_VERSION
    assert refused(replace(spec, smoke="https://smoke.example/run")).reason_code is ReasonCode.UNSUPPORTED_KIND


@pytest.mark.parametrize("approve", [Approve.EVERY, Approve.FINAL])
def test_a_plan_of_one_increase_asks_before_it(approve: Approve) -> None:
    found = planned(a_spec(StrategyName.CANARY, "100", approve=approve, quorum=2))
    assert [split.share("v2") for split in splits(found)] == [0, 100]
    assert found.stages[0].gates == (ApprovalGate(2),)
    assert (found.stages[0].hold, found.stages[0].min_requests) == (timedelta(0), 0)


def test_a_plan_of_one_increase_asks_nobody_where_nobody_is_to_be_asked() -> None:
    found = planned(a_spec(StrategyName.CANARY, "100", approve=Approve.NONE))
    assert [split.share("v2") for split in splits(found)] == [100]
