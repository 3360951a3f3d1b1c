"""Groups and names as Slack tells them, and what holds when it does not."""

from pathlib import Path

import pytest

from bot.errors import Transient
from bot.sandbox.slack import Fault, FaultKind, Settings, SlackStandIn, SlackThread
from bot.slack.people import People
from bot.slack.web import connect
from strategies.release import Role
from tests.contract.patience import PATIENCE, until


def people(slack: SlackThread, folder: Path, text: str = "approver: [S0APPROVE, U0ALICE]\n") -> People:
    path = folder / "roles.yaml"
    path.write_text(text)
    return People(connect(slack.stand_in.settings.bot_token, slack.stand_in.api_url, timeout=int(PATIENCE)), path)


def break_groups(slack: SlackThread, **fault: object) -> None:
    bad = Fault(methods=frozenset({"usergroups.users.list"}), **fault)  # type: ignore[arg-type]
    slack.read(lambda: slack.stand_in.faults.add(bad))


def test_a_role_of_a_group_is_a_role_of_its_members(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.refresh()
    assert found.actor("U0BOB").roles == {Role.APPROVER, Role.VIEWER}
    assert found.actor("U0BOB").groups == {"S0APPROVE"}
    assert found.actor("U0CAROL").roles == {Role.VIEWER}


def test_people_who_were_only_mentioned_have_their_names(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.refresh()
    assert (found.actor("U0BOB").name, found.actor("U0ALICE").name) == ("bob", "alice")


def test_groups_that_only_a_profile_names_are_looked_up_too(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.watch(["S0ONCALL", "U0ALICE"])
    found.refresh()
    assert found.actor("U0CAROL").groups == {"S0ONCALL"}


def test_before_slack_has_told_of_a_group_nobody_is_refused_for_want_of_it(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    assert found.doubt(found.actor("U0BOB")) == "Slack has not told yet who belongs to S0APPROVE"
    assert found.doubt(found.actor("U0ALICE")) == ""
    found.refresh()
    assert {found.doubt(found.actor(user)) for user in ("U0BOB", "U0MALLORY")} == {""}


def test_whom_a_profile_names_is_not_kept_waiting_for_a_group(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.watch(["U0MALLORY"])
    assert found.doubt(found.actor("U0MALLORY")) == ""
    assert found.doubt(found.actor("U0BOB")) == "Slack has not told yet who belongs to S0APPROVE"


def test_a_group_of_which_slack_will_not_tell_leaves_no_doubt(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    break_groups(slack, kind=FaultKind.API_ERROR, error="no_such_subteam")
    found.refresh()
    assert found.doubt(found.actor("U0BOB")) == ""


def test_a_slack_that_is_down_keeps_the_members_that_were_known(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.refresh()
    break_groups(slack, kind=FaultKind.STATUS)
    with pytest.raises(Transient):
        found.refresh()
    assert Role.APPROVER in found.actor("U0BOB").roles


def test_a_group_that_is_gone_counts_for_nobody(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.refresh()
    break_groups(slack, kind=FaultKind.API_ERROR, error="no_such_subteam")
    found.refresh()
    assert Role.APPROVER not in found.actor("U0BOB").roles


def test_a_refusal_that_says_nothing_of_the_group_keeps_its_members(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.refresh()
    break_groups(slack, kind=FaultKind.API_ERROR, error="invalid_auth")
    found.refresh()
    assert Role.APPROVER in found.actor("U0BOB").roles
    assert "S0APPROVE are not up to date" in found.troubles()[0]


def test_without_paid_groups_plain_users_still_count_and_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SlackThread(SlackStandIn(Settings(paid_plan=False))) as slack:
        found = people(slack, tmp_path, "approver: [S0APPROVE, S0ONCALL, U0ALICE]\n")
        found.refresh()
        found.refresh()
    assert Role.APPROVER in found.actor("U0ALICE").roles
    assert Role.APPROVER not in found.actor("U0BOB").roles
    assert caplog.text.count("plain user ids in the roles file work") == 1


def test_groups_are_looked_up_in_the_background_and_again_after_an_outage(slack: SlackThread, tmp_path: Path) -> None:
    found = people(slack, tmp_path)
    found.start()
    try:
        until(lambda: Role.APPROVER in found.actor("U0BOB").roles)
        break_groups(slack, kind=FaultKind.STATUS)
        found.watch(["S0ONCALL"])
        until(found.troubles)
        slack.read(slack.stand_in.faults.clear)
        found.watch(["S0OTHER"])
        until(lambda: "S0ONCALL" in found.actor("U0CAROL").groups)
    finally:
        found.stop()
