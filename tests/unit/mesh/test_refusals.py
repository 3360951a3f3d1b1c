"""Rights that were refused: named once, until they are used with success or nobody met them for a while."""

import pytest

from bot.mesh import rights
from bot.mesh.rights import Refusals, Right

UPDATE, LIST = Right("update", "deployments.apps", "shop"), Right("list", "secrets")


def test_each_is_told_once_by_its_role_where_one_gives_it() -> None:
    found = Refusals()
    for right in (UPDATE, LIST, UPDATE):
        found.note(right)
    assert sorted(found.troubles()) == [
        "Sluice may not list secrets in all namespaces.",
        "Sluice may not update deployments.apps in namespace shop; bind the role sluice-workloads of deploy/rbac.yaml "
        "as the chart's `workloads.bound: true` does.",
    ]


def test_who_is_bound_in_some_namespaces_and_watches_all_is_told_of_the_setting() -> None:
    told = Right("list", "pods").lacking
    assert told == (
        "Sluice may not list pods in all namespaces; bind the role sluice of deploy/rbac.yaml everywhere as that file "
        "does, or name in SLUICE_NAMESPACES where it is bound"
    )


def test_success_ends_one_and_leaves_the_others() -> None:
    found = Refusals()
    found.note(UPDATE)
    found.note(LIST)
    found.clear(UPDATE)
    assert found.troubles() == ["Sluice may not list secrets in all namespaces."]


def test_one_that_nobody_met_for_long_is_not_told_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Refusals()
    found.note(UPDATE)
    monkeypatch.setattr(rights, "REMEMBERED_SECONDS", 0.0)
    assert found.troubles() == []
