"""What the stand-in does in place of the controllers that the real API server leaves to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.kubernetes.documents import config_map, deployment

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Cluster


# A kube-apiserver alone has no garbage collector, so these have one server to ask.
pytestmark = pytest.mark.parametrize("cluster", ["stand-in"], indirect=True, scope="session")


@pytest.fixture
def owned(cluster: Cluster, deployments: str, config_maps: str) -> dict[str, Any]:
    """A Deployment with a dependent."""
    made = cluster.create(deployments, deployment())
    owner = {"apiVersion": "apps/v1", "kind": "Deployment"}
    owner |= {key: made["metadata"][key] for key in ("name", "uid")}
    dependent = config_map("dependent")
    dependent["metadata"]["ownerReferences"] = [owner]
    return cluster.create(config_maps, dependent)


@pytest.mark.parametrize(("policy", "left"), [("Background", 404), ("Foreground", 404), ("Orphan", 200)])
def test_dependents_go_with_their_owner_unless_orphaned(
    cluster: Cluster, deployments: str, config_maps: str, owned: dict[str, Any], policy: str, left: int
) -> None:
    cluster.delete(f"{deployments}/reviews-v1", {"propagationPolicy": policy})
    answer = cluster.ask("GET", f"{config_maps}/{owned['metadata']['name']}")
    assert answer.code == left
    assert "ownerReferences" not in answer.body["metadata"]


def test_a_namespace_empties_itself_and_goes(cluster: Cluster, namespace: str, owned: dict[str, Any]) -> None:
    cluster.delete(f"/api/v1/namespaces/{namespace}")
    assert cluster.ask("GET", f"/api/v1/namespaces/{namespace}").code == 404
    assert cluster.get("/api/v1/configmaps", fieldSelector=f"metadata.namespace={namespace}")["items"] == []
    assert owned["metadata"]["namespace"] == namespace
