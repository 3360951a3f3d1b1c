"""Both kinds of Prometheus, empty, and as patiently asked as a slow machine needs."""

import pytest

from bot.metrics import own, prometheus
from tests.contract.patience import PATIENCE
from tests.contract.prometheus.conftest import empty_pair, real_prometheus

__all__ = ["empty_pair", "real_prometheus"]


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "TIMEOUT", int(PATIENCE))
    monkeypatch.setattr(prometheus, "PROBE_TIMEOUT", int(PATIENCE))
