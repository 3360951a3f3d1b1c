"""A real Helm, and the real API server as the chart's tests ask it."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.contract.chart.rendering import Helm, Rendered
from tests.contract.kubernetes.cluster import Cluster
from tests.contract.missing import failing_in_ci
from tests.parts.helm_build import helm_binary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.parts.kube_apiserver import KubeApiServer


@pytest.fixture(scope="session")
def binary() -> Path:
    with failing_in_ci():
        return helm_binary()


@pytest.fixture
def helm(binary: Path, tmp_path: Path) -> Helm:
    return Helm(binary, tmp_path)


@pytest.fixture(scope="package")
def defaults(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    """What the chart makes of no values at all."""
    return Helm(binary, tmp_path_factory.mktemp("helm")).rendered()


@pytest.fixture(scope="package")
def cluster(real_api_server: KubeApiServer) -> Iterator[Cluster]:
    with closing(Cluster.of(real_api_server)) as cluster:
        yield cluster
