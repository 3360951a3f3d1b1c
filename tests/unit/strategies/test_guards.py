"""Facts in, one answer per guard out."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from strategies import catalog, guards
from strategies.guards import Check, Facts, Served, State
from strategies.plan import Approve, MetricGate, Plan, SideEffects, StrategyName
from strategies.reasons import ReasonCode
from strategies.terms import Need, Terms
from tests.builders import a_plan, a_stage, a_target, the_gates
from tests.unit.strategies.specs import a_spec

READY = Facts(ready={"v1": 3, "v2": 2}, per_hour=9_000, too_few="")
BLUE_GREEN = replace(a_plan("0", "100"), strategy=StrategyName.BLUE_GREEN)


def checks(terms: Terms = Terms(), facts: Facts = READY, plan: Plan | None = None) -> tuple[Check, ...]:  # noqa: B008 - frozen
    """The answers for reviews from v1 to v2, by a canary unless another plan is given."""
    return guards.check(a_target(), plan or a_plan(), terms, facts)


def broken(terms: Terms = Terms(), facts: Facts = READY, plan: Plan | None = None) -> dict[ReasonCode, str]:  # noqa: B008 - frozen
    """The sentences of the guards that do not hold."""
    return {each.rule: each.text for each in checks(terms, facts, plan) if each.state is State.BROKEN}


def test_nothing_is_in_the_way_of_a_service_that_demands_nothing() -> None:
    assert broken() == {}
    said = {each.rule: each.text for each in checks() if each.state is State.HOLDS}
    assert said[ReasonCode.SAME_VERSION] == "v2 is another version than v1."
    assert said[ReasonCode.BASELINE_NOT_FULL] == "v1 serves 100 %."
    assert said[ReasonCode.NOT_READY] == "v2 has 2 ready pods."
    assert said[ReasonCode.IRREVERSIBLE] == "There is a way back: v1 has 3 ready pods."
    assert guards.refusal(checks()) is None


def test_a_service_with_state_is_released_blue_green_only() -> None:
    terms = Terms(stateful=True)
    assert broken(terms)[ReasonCode.STATEFUL].endswith("side by side; release it blue-green.")
    assert broken(terms, plan=BLUE_GREEN) == {}


def test_versions_that_may_not_mix_are_released_blue_green_only() -> None:
    terms = Terms(mixed_versions=False)
    assert "mixed_versions: false" in broken(terms)[ReasonCode.MIXED_VERSIONS]
    assert broken(terms, plan=BLUE_GREEN) == {}


def test_the_first_step_has_a_cap() -> None:
    assert "begins with at most 2.5 %" in broken(Terms(first_step_at_most=Decimal("2.5")))[ReasonCode.BAD_STEPS]
    assert broken(Terms(first_step_at_most=Decimal(5))) == {}


def test_a_stage_that_only_asks_is_no_first_step() -> None:
    found = broken(Terms(first_step_at_most=Decimal(5)), plan=a_plan("0", "100"))
    assert found[ReasonCode.BAD_STEPS].startswith("The first stage sends 100 % to v2")


@pytest.mark.parametrize("approve", [Approve.EVERY, Approve.FINAL])
def test_a_start_may_not_ask_less_than_the_owner_demands(approve: Approve) -> None:
    demands = Terms(approve=approve)
    found = broken(demands, plan=a_plan(approve=False))[ReasonCode.SELF_APPROVAL]
    assert f"before {'each' if approve is Approve.EVERY else 'the last'} increase, by its profile" in found
    assert f"asks nobody after stage {1 if approve is Approve.EVERY else 3}." in found
    assert broken(demands) == {}


def test_asking_before_the_last_increase_alone_is_less_than_before_each() -> None:
    last = a_plan()
    quiet = [replace(stage, gates=stage.metric_gates) for stage in last.stages]
    plan = replace(last, stages=(*quiet[:2], *last.stages[2:]))
    assert "asks nobody after stage 1." in broken(Terms(approve=Approve.EVERY), plan=plan)[ReasonCode.SELF_APPROVAL]
    assert broken(Terms(approve=Approve.FINAL), plan=plan) == {}


@pytest.mark.parametrize("approve", [Approve.NONE, None])
def test_where_the_owner_demands_no_question_none_is_missed(approve: Approve | None) -> None:
    found = checks(Terms(approve=approve), plan=a_plan(approve=False))
    assert ReasonCode.SELF_APPROVAL not in {each.rule for each in found}


def test_the_end_of_a_shadow_needs_no_question() -> None:
    spec = a_spec(StrategyName.SHADOW, "10", "50", side_effects=SideEffects.NONE)
    plan = catalog.plan(spec)
    assert isinstance(plan, Plan)
    assert broken(Terms(approve=Approve.EVERY), plan=plan) == {}
    quiet = catalog.plan(replace(spec, approve=Approve.NONE))
    assert isinstance(quiet, Plan)
    assert ReasonCode.SELF_APPROVAL in broken(Terms(approve=Approve.EVERY), plan=quiet)


def test_data_that_cannot_go_back_is_said_by_profile_or_by_deployment() -> None:
    assert "irreversible: true" in broken(Terms(irreversible=True))[ReasonCode.IRREVERSIBLE]
    flagged = broken(facts=replace(READY, flagged="drops column note"))
    assert "its Deployment says: drops column note" in flagged[ReasonCode.IRREVERSIBLE]


def test_a_baseline_without_pods_is_no_way_back() -> None:
    found = broken(facts=replace(READY, ready={"v1": 0, "v2": 2}))
    assert found[ReasonCode.IRREVERSIBLE] == "There is no way back: v1 has no ready pod to answer after a rollback."


@pytest.mark.parametrize(
    ("served", "words"),
    [
        (Served("v2"), "payments >= v3 is needed, and payments serves v2."),
        (Served("blue"), "these two versions have no order"),
        (Served("", "payments-4 is still moving it (soaking)."), "payments-4 is still moving it"),
    ],
)
def test_a_needed_service_must_serve_that_version_to_everybody(served: Served, words: str) -> None:
    found = broken(Terms(needs=(Need("payments", "v3"),)), replace(READY, served={"payments": served}))
    assert words in found[ReasonCode.NEEDS]


def test_a_later_version_of_a_needed_service_will_do() -> None:
    terms = Terms(needs=(Need("payments", "v3"),))
    assert broken(terms, replace(READY, served={"payments": Served("v3.1")})) == {}


def test_what_was_not_completed_in_staging_is_not_begun() -> None:
    terms = Terms(staging="https://staging.example/{{version}}")
    assert broken(terms, replace(READY, staged=False)) == {
        ReasonCode.NOT_STAGED: "reviews v2 was not completed in staging."
    }
    assert broken(terms, replace(READY, staged=True)) == {}
    held = Check(ReasonCode.NOT_STAGED, State.HOLDS, "reviews v2 was completed in staging.")
    assert held in checks(terms, replace(READY, staged=True))


def test_what_nobody_could_tell_yet_is_open_and_refuses_nothing() -> None:
    terms = Terms(staging="https://staging.example/{{version}}", needs=(Need("payments", "v3"),))
    found = checks(terms, Facts())
    assert {each.rule for each in found if each.state is State.OPEN} == {
        ReasonCode.NOT_READY,
        ReasonCode.IRREVERSIBLE,
        ReasonCode.NEEDS,
        ReasonCode.NOT_STAGED,
        ReasonCode.TOO_FEW_REQUESTS,
    }
    assert guards.refusal(found) is None


def test_what_prometheus_does_not_know_either_is_said_so() -> None:
    found = {each.rule: each for each in checks(facts=replace(READY, per_hour=None, too_few=None, is_asked=True))}
    assert found[ReasonCode.TOO_FEW_REQUESTS].state is State.OPEN
    assert "is not known yet; the looks will tell." in found[ReasonCode.TOO_FEW_REQUESTS].text


def test_too_few_requests_are_refused_in_the_words_of_whoever_counted() -> None:
    found = broken(facts=replace(READY, per_hour=40, too_few="About 40 requests an hour: a canary cannot tell."))
    assert found == {ReasonCode.TOO_FEW_REQUESTS: "About 40 requests an hour: a canary cannot tell."}


def test_a_candidate_without_pods_is_shown_and_waited_for() -> None:
    found = checks(facts=replace(READY, ready={"v1": 3, "v2": 0}))
    assert [each.rule for each in found if each.state is State.BROKEN] == [ReasonCode.NOT_READY]
    assert guards.refusal(found) is None


def test_a_waived_guard_lets_the_next_one_speak() -> None:
    found = checks(Terms(stateful=True, mixed_versions=False))
    refused = guards.refusal(found, {ReasonCode.STATEFUL})
    assert refused is not None
    assert refused.reason_code is ReasonCode.MIXED_VERSIONS
    assert guards.refusal(found, {ReasonCode.STATEFUL, ReasonCode.MIXED_VERSIONS}) is None


def test_an_override_of_what_holds_anyway_is_left_out() -> None:
    found = checks(Terms(stateful=True, first_step_at_most=Decimal(5)))
    wanted = (ReasonCode.STATEFUL, ReasonCode.BAD_STEPS, ReasonCode.NEEDS)
    assert guards.needed(found, wanted) == (ReasonCode.STATEFUL,)


def test_every_sentence_is_one() -> None:
    terms = Terms(stateful=True, mixed_versions=False, irreversible=True, first_step_at_most=Decimal(1))
    for plan in (a_plan(), BLUE_GREEN):
        assert all(each.text.endswith(".") for each in checks(terms, plan=plan))


def test_a_plan_without_metrics_needs_no_requests() -> None:
    stages = tuple(replace(stage, gates=()) for stage in a_plan().stages)
    rules = {each.rule for each in checks(facts=Facts(ready={"v1": 3}), plan=replace(a_plan(), stages=stages))}
    assert ReasonCode.TOO_FEW_REQUESTS not in rules


@pytest.mark.parametrize(("unread", "state"), [(None, State.OPEN), ((), State.HOLDS), ((("no", True),), State.BROKEN)])
def test_the_profiles_own_queries_are_tried_before_anything_begins(unread: Any, state: State) -> None:
    gate = MetricGate("orders_lost", "1", query="sum(lost)")
    stages = tuple(replace(stage, gates=(gate,)) for stage in a_plan().stages)
    found = checks(facts=replace(READY, unread=unread), plan=replace(a_plan(), stages=stages))
    assert [each.state for each in found if each.rule is ReasonCode.BAD_INPUT] == [state]


def test_one_pod_is_one() -> None:
    said = {each.rule: each.text for each in checks(facts=replace(READY, ready={"v1": 1, "v2": 1}))}
    assert said[ReasonCode.NOT_READY] == "v2 has 1 ready pod."
    assert said[ReasonCode.IRREVERSIBLE] == "There is a way back: v1 has 1 ready pod."


def test_pods_that_are_not_known_yet_are_open_by_their_own_rules() -> None:
    found = [each.rule for each in checks(facts=Facts()) if "are not known yet" in each.text]
    assert found == [ReasonCode.NOT_READY, ReasonCode.IRREVERSIBLE]


def test_one_stage_with_a_query_or_a_metric_is_enough_to_ask() -> None:
    own = MetricGate("orders_lost", "1", query="sum(lost)")
    first, *others = a_plan().stages
    quiet = tuple(replace(stage, gates=()) for stage in others)
    plan = replace(a_plan(), stages=(replace(first, gates=(own,)), *quiet))
    rules = {each.rule for each in checks(plan=plan, facts=replace(READY, unread=()))}
    assert {ReasonCode.BAD_INPUT, ReasonCode.TOO_FEW_REQUESTS} <= rules


def test_a_baseline_that_nobody_knows_of_is_no_way_back() -> None:
    assert "no ready pod to answer" in broken(facts=replace(READY, ready={"v2": 2}))[ReasonCode.IRREVERSIBLE]


def test_one_query_of_ones_own_among_others_is_asked_about() -> None:
    stage = a_stage(gates=(*the_gates(), MetricGate("orders", "1", query="sum(orders)")))
    opened = [
        each.rule for each in checks(plan=replace(a_plan(), stages=(stage, a_stage("100")))) if each.state is State.OPEN
    ]
    assert opened == [ReasonCode.BAD_INPUT]
