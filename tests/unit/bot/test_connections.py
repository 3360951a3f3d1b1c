"""Routes that carry connections: split by weight, judged by what their proxies count."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from bot import connections, profiles, specs
from bot.requests import StartRequest
from strategies.gates.judge import Case, evaluate
from strategies.plan import Plan, StrategyName
from strategies.reasons import ReasonCode, Refused
from strategies.routing import Match, Protocol, Route
from strategies.verdicts import Arm
from tests.builders import NOW, a_reading, a_target

TCP = Route("shop", "reviews", Protocol.TCP, "#0")
MAIN = Route("shop", "reviews", Protocol.HTTP, "main")
START = StartRequest("reviews", "v2")


def asked(request: StartRequest = START, profile: str = "", *routes: Route) -> Plan | Refused:
    read = profiles.read("reviews.yaml", f"service: reviews\nnamespace: shop\n{profile}")
    return specs.plan(request, read, a_target(routes=routes or (TCP,)))


def test_what_nobody_named_is_not_asked_of_connections() -> None:
    plan = asked()
    assert isinstance(plan, Plan)
    assert {(stage.metric_gates, stage.min_requests) for stage in plan.stages} == {((), 0)}
    assert plan.stages[0].approval is not None


def test_a_named_metric_that_can_never_have_data_is_refused() -> None:
    found = asked(START, "metrics: {errors: {limit: 1%}, latency_p99: {allowed: +10%}}")
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.UNSUPPORTED_KIND
    assert "take metrics.errors, metrics.latency_p99 out of its profile" in found.text


def test_nobody_and_nothing_is_no_judge_unless_somebody_says_so() -> None:
    found = asked(START, "approve: none")
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.UNSUPPORTED_KIND
    assert found.text.startswith("approve=none: no gate would judge reviews")
    for profile in ("approve: final", "approve: none\nmetrics: {}", "approve: none\nmetrics: {cpu: {allowed: +10%}}"):
        assert isinstance(asked(START, profile), Plan)
    assert isinstance(asked(START, "approve: none", MAIN, TCP), Plan)


def test_the_plan_says_what_no_gate_sees() -> None:
    target = a_target(routes=(TCP,))
    plan = asked()
    assert isinstance(plan, Plan)
    assert connections.remark(plan, target).startswith("No metric judges reviews: proxies count its connections")
    assert connections.remark(plan, a_target(routes=(MAIN,))) == ""
    mixed = connections.remark(plan, a_target(routes=(MAIN, TCP)))
    assert mixed == 'Gates measure the requests of http routes alone; tcp route "#0" moves with them and is not judged.'
    judged = asked(START, "metrics: {cpu: {allowed: +10%}}")
    assert isinstance(judged, Plan)
    assert connections.remark(judged, target) == ""


def test_a_baseline_that_can_never_be_proven_idle_is_kept() -> None:
    found = asked(START, "decommission: delete")
    assert isinstance(found, Refused)
    assert "decommission=delete" in found.text
    assert isinstance(asked(START, "decommission: delete", MAIN, TCP), Plan)


def test_blue_green_of_connections_is_the_switch_alone() -> None:
    plan = asked(replace(START, strategy=StrategyName.BLUE_GREEN))
    assert isinstance(plan, Plan)
    assert [str(share) for share in plan.shares("reviews", "v2")] == ["0", "100"]
    assert [bool(stage.approval) for stage in plan.stages] == [True, False]
    assert not plan.stages[0].splits["reviews"].matches
    smoky = asked(replace(START, strategy=StrategyName.BLUE_GREEN), "smoke: https://smoke.example/run")
    assert isinstance(smoky, Refused)
    assert "connections of tcp and tls routes have none" in smoky.text


def test_beside_an_http_route_requests_are_asked_as_usual() -> None:
    plan = asked(START, "", MAIN, TCP)
    assert isinstance(plan, Plan)
    assert plan.stages[0].metric_gates


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (replace(START, strategy=StrategyName.AB, matches=(Match("header:x", "v2", exact="1"),)), "no match"),
        (replace(START, mirror=(Decimal(5),)), "no mirror"),
        (replace(START, is_sticky=True), "no cookie"),
    ],
)
def test_what_connections_cannot_carry_is_refused_with_the_route(request_: StartRequest, told: str) -> None:
    found = asked(request_, "side_effects: none", MAIN, TCP)
    assert isinstance(found, Refused)
    assert found.reason_code is ReasonCode.UNSUPPORTED_KIND
    assert 'shop/reviews tcp route "#0" carries connections' in found.text
    assert told in found.text


def test_the_verdicts_speak_of_connections() -> None:
    counted = a_target(routes=(TCP,)).counted
    (first,) = evaluate([Case((), 0, 0.05, 0, a_reading(), counted=counted)])
    later = a_reading(NOW + timedelta(seconds=15), baseline=Arm(950.0, 0.0), candidate=Arm(50.0, 0.0))
    (judged,) = evaluate([Case((), 0, 0.05, 0, later, first.memory, counted=counted)])
    assert [verdict.reason for verdict in judged.verdicts] == [
        "candidate gets 5.0 % of 1,000 connections, asked 5.0 %.",
        "candidate answered 50 connections in this stage.",
    ]
