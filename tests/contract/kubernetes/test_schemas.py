"""The schemas beside the stand-in are those that the real server publishes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.contract.kubernetes.schemas import published, shipped

if TYPE_CHECKING:
    from tests.contract.kubernetes.cluster import Cluster


def test_the_shipped_schemas_are_the_published_ones(cluster: Cluster) -> None:
    if cluster.ca_path is None:  # the stand-in: it publishes none, it is made of them
        assert "io.istio.networking.v1.VirtualService" in shipped()
        return
    assert shipped() == published(cluster)
