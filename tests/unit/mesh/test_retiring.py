"""A baseline that goes is asked about before every single write, for somebody may go back in between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import Transient
from bot.mesh.destination_rule import add_subset
from bot.mesh.retiring import Retiring, retire
from bot.mesh.sizes import CREATED_BY
from strategies.release import Decommission, Phase, Release, Rules
from tests.builders import NOW, a_release
from tests.fakes_mesh import FakeMesh
from tests.mesh_documents import Document

DELETE = Rules(decommission=Decommission.DELETE)


def created() -> FakeMesh:
    """reviews whose v1 Sluice deployed and gave its subset to; v2 serves everything."""
    mesh = FakeMesh.shop()
    mesh.edit("Deployment", "shop/reviews-v1", lambda each: each["metadata"].setdefault("labels", {}).update(made()))
    mesh.edit("DestinationRule", "shop/reviews", ours)
    mesh.edit("VirtualService", "shop/reviews", lambda each: each["spec"].update(http=[only_v2(each)]))
    return mesh


def a_going_baseline() -> Release:
    return replace(a_release(phase=Phase.DECOMMISSIONING), rules=DELETE)


def made() -> dict[str, str]:
    return {CREATED_BY: "reviews-0"}


def ours(rule: Document) -> None:
    rule["spec"]["subsets"] = [each for each in rule["spec"]["subsets"] if each["name"] != "v1"]
    rule.update(add_subset(rule, "v1", {"version": "v1"}, "v2", ("reviews-0", NOW - timedelta(days=1))))


def only_v2(document: Document) -> Document:
    [first, *_] = document["spec"]["http"]
    return {**first, "route": [{"destination": {"host": "reviews", "subset": "v2"}, "weight": 100}]}


def subsets(mesh: FakeMesh) -> list[str]:
    return [each["name"] for rule in mesh.destination_rules() for each in rule["spec"]["subsets"]]


def test_whoever_goes_back_behind_the_deployment_keeps_its_subset() -> None:
    mesh, release = created(), a_going_baseline()

    def is_wanted() -> bool:
        return mesh.find("Deployment", "shop/reviews-v1") is not None

    with pytest.raises(Transient, match="does not retire v1 any more"):
        retire(Retiring(mesh, mesh.cluster, release, is_wanted))
    assert "v1" in subsets(mesh)
    assert "subset v1 was removed" in retire(Retiring(mesh, mesh.cluster, release, lambda: True))
    assert "v1" not in subsets(mesh)
