"""The process's own metrics, for the Prometheus that watches the bot."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

ACTIVE = Gauge("sluice_active_releases", "Releases that are not over.", registry=REGISTRY)
MOVES = Counter("sluice_moves", "Saved moves of releases by the phase they end in.", ["phase"], registry=REGISTRY)


def exposition() -> tuple[bytes, str]:
    """The text that Prometheus scrapes, and its content type."""
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
