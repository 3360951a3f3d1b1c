"""Logs of pods where no kubelet can be asked: an API server says so in several ways, and none of them is trouble."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.errors import SluiceError
from strategies.release import Decommission, Rules
from tests.contract.mesh.world import the_release
from tests.mesh_documents import a_pod, ready_status

if TYPE_CHECKING:
    from tests.contract.mesh.world import WireWorld

PODS = "/api/v1/namespaces/{}/pods"


def placed(wire: WireWorld, number: int, containers: list[str]) -> str:
    """A pod on a node that nobody answers for."""
    pod, path = a_pod("v1", number, namespace=wire.namespace), PODS.format(wire.namespace)
    pod["spec"] |= {"nodeName": "nowhere", "containers": [{"name": name, "image": "x"} for name in containers]}
    wire.cluster.create(path, pod)
    wire.cluster.patch(f"{path}/{pod['metadata']['name']}/status", {"status": ready_status()})
    return f"{wire.namespace}/{pod['metadata']['name']}"


def test_pods_whose_logs_nobody_can_read_add_nothing_to_the_proof(wire: WireWorld) -> None:
    release = the_release(wire, rules=Rules(decommission=Decommission.SCALE_TO_ZERO))
    assert list(wire.mesh.last_lines(release)) == []


@pytest.mark.parametrize(
    ("number", "containers"), [(700, ["reviews"]), (701, ["reviews", "istio-proxy"])], ids=["no sidecar", "no kubelet"]
)
def test_what_the_api_server_answers_then_is_an_error_of_ours(
    wire: WireWorld, number: int, containers: list[str]
) -> None:
    name = placed(wire, number, containers)
    with pytest.raises(SluiceError, match="the log of Pod"):
        wire.mesh._cluster.tail(name, "istio-proxy")
    with pytest.raises(SluiceError, match="the log of Pod"):
        wire.mesh._cluster.tail(f"{wire.namespace}/gone", "istio-proxy")
