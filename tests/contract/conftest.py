"""What the contract suites share."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tests.contract.missing import failing_in_ci
from tests.parts.kube_apiserver import running_kube_apiserver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.parts.kube_apiserver import KubeApiServer


@pytest.fixture(scope="session")
def real_api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApiServer]:
    """One kube-apiserver for all suites: each test takes namespaces of its own."""
    with failing_in_ci(), running_kube_apiserver(tmp_path_factory.mktemp("kube-apiserver")) as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def _blamed_where_it_was_left() -> Iterator[None]:
    """A socket left open fails the module that left it, not whichever test is running when it is collected."""
    yield
    gc.collect()
