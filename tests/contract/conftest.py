"""What the contract suites share."""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING

import pytest

from tests.parts.kube_apiserver import running_kube_apiserver
from tests.parts.processes import PartMissingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.parts.kube_apiserver import KubeApiServer


@pytest.fixture(scope="session")
def real_api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KubeApiServer]:
    """One kube-apiserver for all suites: each test takes namespaces of its own."""
    try:
        with running_kube_apiserver(tmp_path_factory.mktemp("kube-apiserver")) as server:
            yield server
    except PartMissingError as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture(scope="module", autouse=True)
def _blamed_where_it_was_left() -> Iterator[None]:
    """A socket left open fails the module that left it, not whichever test is running when it is collected."""
    yield
    gc.collect()
