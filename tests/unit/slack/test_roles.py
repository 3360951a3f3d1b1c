"""The roles file."""

from pathlib import Path

import pytest

from bot.slack.people import People
from bot.slack.roles import UnreadableRoles, read
from bot.slack.web import connect
from strategies.release import Role
from tests.mounts import Mount

ROLES = "viewer: [U0ALICE, S0ALL]\nreleaser: U0ALICE\napprover:\n  - S0APPROVE\noverride:\non_call: [U0CAROL]\n"


def test_roles_are_given_by_user_and_by_group() -> None:
    roles = read(ROLES, "roles.yaml")
    assert roles.of(frozenset({"U0ALICE"})) == {Role.VIEWER, Role.RELEASER}
    assert roles.of(frozenset({"U0BOB", "S0APPROVE"})) == {Role.APPROVER}
    assert roles.of(frozenset({"U0MALLORY"})) == frozenset()
    assert roles.groups == {"S0ALL", "S0APPROVE"}


def test_everybody_may_look_where_nobody_is_named_for_it() -> None:
    assert read("releaser: [U0ALICE]", "roles.yaml").of(frozenset({"U0MALLORY"})) == {Role.VIEWER}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("aprover: [U0BOB]", "aprover is no role; did you mean approver?"),
        ("approver: [bob]", "approver: 'bob' is no Slack id; user ids look like U0BOB"),
        ("approver: ['@release-approvers']", "group ids like S0APPROVE"),
        ("approver: [7]", "approver: 7 is no Slack id"),
        ("- U0BOB", "must map roles to lists of ids, not be a list"),
        ("approver: [U0BOB", "not YAML at line 2"),
    ],
)
def test_a_wrong_file_is_refused_by_name_key_value_and_what_is_allowed(text: str, told: str) -> None:
    with pytest.raises(UnreadableRoles) as caught:
        read(text + "\n", "SLUICE_ROLES=/etc/roles.yaml")
    assert str(caught.value).startswith("SLUICE_ROLES=/etc/roles.yaml: ")
    assert told in str(caught.value)


def people(path: Path | None) -> People:
    return People(connect("xoxb-1", "http://127.0.0.1:9/api/"), path)


def test_without_a_file_everybody_may_look_and_nobody_may_do_anything() -> None:
    assert people(None).actor("U0ALICE", "alice").roles == {Role.VIEWER}
    assert people(None).holders(Role.ON_CALL) == ()


def test_a_file_that_cannot_be_read_stops_the_start_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRoles, match=r"nowhere\.yaml: cannot be read: No such file"):
        people(tmp_path / "nowhere.yaml")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text("releaser: [U0ALICE]")
    found = people(path)
    path.write_text("releaser: [U0ALICE, U0BOB]")
    found.reload()
    assert Role.RELEASER in found.actor("U0BOB").roles
    assert found.troubles() == ()


def test_a_changed_config_map_is_read_again_where_the_kubelet_mounts_it(tmp_path: Path) -> None:
    mount = Mount(tmp_path / "roles", {"roles.yaml": "releaser: [U0ALICE]"})
    found = people(tmp_path / "roles" / "roles.yaml")
    mount.change({"roles.yaml": "releaser: [U0BOBBY]"})
    found.reload()
    assert Role.RELEASER in found.actor("U0BOBBY").roles
    assert Role.RELEASER not in found.actor("U0ALICE").roles
    assert found.troubles() == ()


def test_a_file_that_breaks_keeps_the_last_good_roles_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "roles.yaml"
    path.write_text("releaser: [U0ALICE]")
    found = people(path)
    path.write_text("releaser: [nobody at all]")
    found.reload()
    assert Role.RELEASER in found.actor("U0ALICE").roles
    assert "no Slack id" in found.troubles()[0]
    path.write_text("releaser: [U0BOB, U0ALICE]")
    found.reload()
    assert found.troubles() == ()
