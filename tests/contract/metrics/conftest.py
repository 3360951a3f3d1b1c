"""Both kinds of Prometheus, empty."""

from tests.contract.prometheus.conftest import empty_pair, real_prometheus

__all__ = ["empty_pair", "real_prometheus"]
