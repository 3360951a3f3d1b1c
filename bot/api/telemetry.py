"""The process's own metrics, for the Prometheus that watches the bot."""

from collections.abc import Sequence

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

from strategies.release import Release

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

SAVED = Counter("sluice_saved", "Saves of releases by the phase they stand in.", ["phase"], registry=REGISTRY)
ACTIVE = Gauge("sluice_active_releases", "Releases that are not over.", registry=REGISTRY)


def count(releases: Sequence[Release]) -> None:
    """Count releases that were just saved."""
    for release in releases:
        SAVED.labels(release.phase.value).inc()


def exposition(active: int | None) -> tuple[bytes, str]:
    """The text that Prometheus scrapes, and its content type; `active` is None while the database is away."""
    ACTIVE.set(float("nan") if active is None else active)
    return generate_latest(REGISTRY), CONTENT_TYPE_LATEST
