"""Sluice beside Argo CD and Flux, on a real API server: weights are not lost unasked, later edits are not hidden."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

import pytest

from strategies.release import Drift
from tests.contract.mesh.gitops import (
    apply,
    argo_sync,
    flux_reconcile,
    is_out_of_sync,
    merge_patch,
    with_live_values,
)
from tests.contract.mesh.test_mesh import ALL, FIFTY, FIVE, name_of, weights
from tests.contract.mesh.world import an_order
from tests.mesh_documents import a_virtual_service

if TYPE_CHECKING:
    from bot.ports import Written
    from strategies.routing import Split
    from tests.contract.mesh.world import WireWorld
    from tests.mesh_documents import Document

TOOLS = ("argocd-controller", "kustomize-controller")


def in_git(world: WireWorld, **main: object) -> Document:
    """The team's VirtualService, all traffic on v1."""
    document = a_virtual_service(namespace=world.namespace)
    document["spec"]["http"][0] |= main
    return document


def under_way(world: WireWorld, manager: str = "kustomize-controller") -> Document:
    """A VirtualService that came from git, with 5 % on v2; answers what is in git."""
    git = in_git(world)
    apply(world, git, manager)
    moved(world, FIVE)
    return git


def moved(world: WireWorld, split: Split | None, revision: int = 2, expected: Split | None = None) -> Drift | Written:
    order = an_order(world, split, revision, expected=expected, force=split is None)
    return world.mesh.set_route(name_of(world), lambda: [order])


def drift(world: WireWorld) -> Drift | None:
    return world.mesh.observe(name_of(world), [an_order(world, FIVE, expected=FIVE)])


@pytest.mark.parametrize("manager", TOOLS)
def test_an_apply_of_gits_routes_is_drift_that_names_the_tool_and_is_not_fought(wire: WireWorld, manager: str) -> None:
    git = under_way(wire, manager)
    assert apply(wire, git, manager).code == 200
    found = drift(wire)
    assert found is not None
    assert found.by.startswith(f"{manager} (Apply, 20")
    assert "Sluice left v1 95 %, v2 5 %; now v1 100 %" in found.difference
    assert isinstance(moved(wire, FIFTY, 3, FIVE), Drift)
    assert weights(wire) == {"v1": None}


def test_restoring_puts_our_weights_into_what_git_changed_meanwhile(wire: WireWorld) -> None:
    under_way(wire)
    apply(wire, in_git(wire, timeout="3s"), "kustomize-controller")
    restored = an_order(wire, FIVE, 3, expected=FIVE, force=True)
    wire.mesh.set_route(name_of(wire), lambda: [restored])
    assert wire.read("VirtualService")["spec"]["http"][0]["timeout"] == "3s"
    assert weights(wire) == {"v1": 95, "v2": 5}


def test_a_client_side_apply_takes_the_weights_back_and_is_asked_about(wire: WireWorld) -> None:
    git = under_way(wire, "argocd-controller")
    merge_patch(wire, git, "argocd-controller")
    found = drift(wire)
    assert found is not None
    assert found.by.startswith("argocd-controller (Update, 20")


def test_under_the_recipe_argo_cd_sees_no_difference_in_our_weights_and_writes_nothing(wire: WireWorld) -> None:
    git = under_way(wire, "argocd-controller")
    assert not argo_sync(wire, git)
    assert (weights(wire), drift(wire)) == ({"v1": 95, "v2": 5}, None)


def test_under_the_recipe_an_edit_of_the_route_in_git_arrives_and_is_asked_about(wire: WireWorld) -> None:
    under_way(wire, "argocd-controller")
    assert argo_sync(wire, in_git(wire, timeout="3s"))
    assert wire.read("VirtualService")["spec"]["http"][0]["timeout"] == "3s"
    found = drift(wire)
    assert found is not None
    assert found.by.startswith("argocd-controller (Apply")


def test_why_the_recipe_does_not_respect_ignored_differences(wire: WireWorld) -> None:
    under_way(wire, "argocd-controller")
    wanted = in_git(wire, timeout="3s")
    sent = with_live_values(wire.read("VirtualService"), wanted)
    apply(wire, sent, "argocd-controller")
    assert (weights(wire), drift(wire)) == ({"v1": 95, "v2": 5}, None)
    kept = wire.read("VirtualService")
    assert kept["spec"]["http"][0]["timeout"] == "10s"
    # The change never arrives, and the application says so for ever.
    assert is_out_of_sync(kept, wanted)


def test_why_the_recipe_does_not_ignore_our_field_manager(wire: WireWorld) -> None:
    under_way(wire, "argocd-controller")
    moved(wire, None, 3, FIVE)
    entries = wire.read("VirtualService")["metadata"]["managedFields"]
    (ours,) = [each for each in entries if each["manager"] == "sluice"]
    assert "f:http" in ours["fieldsV1"]["f:spec"]


def test_flux_leaves_an_object_alone_that_says_so_and_so_do_we(wire: WireWorld) -> None:
    git = under_way(wire)
    switched_off = {"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}
    wire.edit(lambda document: document["metadata"]["annotations"].update(switched_off))
    flux_reconcile(wire, git)
    assert (weights(wire), drift(wire)) == ({"v1": 95, "v2": 5}, None)
    moved(wire, None, 3, FIVE)
    assert wire.read("VirtualService")["metadata"]["annotations"] == switched_off


@pytest.mark.parametrize("manager", TOOLS)
@pytest.mark.parametrize("end", [None, ALL])
def test_after_a_release_a_later_edit_in_git_arrives(wire: WireWorld, manager: str, end: Split | None) -> None:
    under_way(wire, manager)
    moved(wire, end, 3, FIVE)
    later = in_git(wire, timeout="3s")
    later["spec"]["http"][0]["route"] = copy.deepcopy(wire.read("VirtualService")["spec"]["http"][0]["route"])
    assert apply(wire, later, manager).code == 200
    kept = wire.read("VirtualService")["spec"]
    assert kept == later["spec"]


def test_after_a_release_an_apply_that_does_not_force_is_told_whose_fields_it_takes(wire: WireWorld) -> None:
    git = under_way(wire)
    moved(wire, None, 3, FIVE)
    assert apply(wire, git, "kustomize-controller", force=False).code == 200
    refused = apply(wire, in_git(wire, timeout="3s"), "kubectl", force=False)
    assert refused.code == 409
    assert ".spec.http" in refused.body["message"]
