"""A pair per seed, filled with that seed's random series."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.contract.prometheus.pair import Pair, running_pair
from tests.contract.prometheus.random_series import random_series
from tests.contract.prometheus.random_telemetry import random_telemetry

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = (1, 2, 3, 5, 8, 13) if os.environ.get("SLUICE_FUZZ") == "long" else (1, 2, 3)


@pytest.fixture(scope="session", params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="session")
def real_prometheus() -> None:
    """Without the real part there is nothing to compare with; in CI that is a failure."""
    if shutil.which("prometheus") is None and not os.environ.get("CI"):
        pytest.skip("no prometheus on PATH")


@pytest.fixture(scope="session")
def pair(seed: int, real_prometheus: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(tmp_path_factory.mktemp("prometheus")) as both:
        both.store([*random_series(seed), *random_telemetry(seed)])
        yield both


@pytest.fixture
def empty_pair(real_prometheus: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with running_pair(tmp_path_factory.mktemp("prometheus")) as both:
        yield both
