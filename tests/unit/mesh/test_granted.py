"""Which rights a release takes later: none for one that moves routes alone."""

from dataclasses import replace

import pytest

from bot.mesh.granted import needed
from bot.mesh.kube_api import AUTOSCALER
from strategies.release import Decommission, Rules
from tests.builders import a_release
from tests.fakes_mesh import FakeMesh
from tests.unit.mesh.test_capacity import an_autoscaler

SCALES = ["get deployments", "update deployments"]


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [
        (Rules(), []),
        (Rules(scale=True), SCALES),
        (Rules(decommission=Decommission.SCALE_TO_ZERO), SCALES),
        (Rules(decommission=Decommission.DELETE), [*SCALES, "delete deployments", "list poddisruptionbudgets"]),
    ],
)
def test_the_rules_say_what_is_taken(rules: Rules, wanted: list[str]) -> None:
    release = replace(a_release(), rules=rules)
    found = needed(FakeMesh.shop(), release, release.target)
    assert [f"{verb} {kind.plural}" for verb, kind in found] == wanted


def test_a_version_that_an_autoscaler_sizes_takes_the_autoscalers_rights_too() -> None:
    mesh, release = FakeMesh.shop(), replace(a_release(), rules=Rules(scale=True))
    mesh.put(an_autoscaler())
    found = needed(mesh, release, release.target)
    assert [verb for verb, kind in found if kind is AUTOSCALER] == ["get", "update"]
