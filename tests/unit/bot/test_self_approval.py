"""Whoever starts a release does not leave out the question that its service's owner demands."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.requests import Planned, Said
from strategies.plan import Approve
from strategies.reasons import ReasonCode
from strategies.release import Role
from tests.unit.bot.office import PLACE, START, Office
from tests.unit.core.events_of import ALICE
from tests.unit.preflight.days import a_course


@pytest.mark.parametrize("named", ["approve: every", "approvers: [U2]", "quorum: 2", "requester_may_approve: false"])
def test_a_start_may_not_leave_out_the_question_that_the_profile_demands(office: Office, named: str) -> None:
    (office.folder / "reviews.yaml").write_text(f"{PLACE}{named}\n", encoding="utf-8")
    wanted = replace(START, approve=Approve.NONE)
    refused = office.refused(wanted)
    assert refused.reason_code is ReasonCode.SELF_APPROVAL
    when = "each" if named.startswith("approve:") else "the last"
    assert refused.text.startswith(f"reviews demands that approvers are asked before {when} increase, by its profile")
    dara = replace(ALICE, roles=ALICE.roles | {Role.OVERRIDE})
    aloud = replace(wanted, overrides=(ReasonCode.SELF_APPROVAL,), override_reason="nobody else is here")
    assert isinstance(office.ask(aloud, dara), Said)


@pytest.mark.parametrize("named", ["approve: none", "hold: 5m"])
def test_a_start_asks_as_it_likes_where_the_profile_demands_nothing(office: Office, named: str) -> None:
    (office.folder / "reviews.yaml").write_text(f"{PLACE}{named}\n", encoding="utf-8")
    assert isinstance(office.ask(replace(START, approve=Approve.NONE)), Said)


def test_who_only_names_approvers_lets_a_start_ask_them_once(office: Office) -> None:
    assert isinstance(office.ask(replace(START, approve=Approve.FINAL)), Said)


def test_a_plan_of_one_increase_shows_the_question_and_the_change_behind_it(office: Office) -> None:
    office.metrics.courses["errors"] = a_course((0.002, 0.002))
    plan = office.desk.plan(replace(START, steps=(Decimal(100),)))
    assert isinstance(plan, Planned)
    assert list(map(str, plan.plan.shares("reviews", "v2"))) == ["0", "100"]
    assert plan.preflight[0].startswith("At about 72,000 requests an hour every stage can be answered")
