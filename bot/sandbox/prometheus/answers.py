"""Prometheus' JSON answers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.sandbox.prometheus.floats import written
from bot.sandbox.prometheus.values import Matrix, Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sandbox.prometheus.labels import Labels
    from bot.sandbox.prometheus.scraper import Scrape

Json = dict[str, object]


def success(data: object) -> Json:
    """The envelope of every good answer."""
    return {"status": "success", "data": data}


def failure(kind: str, text: str) -> Json:
    """The envelope of every error."""
    return {"status": "error", "errorType": kind, "error": text}


def instant(value: Value, at: int) -> Json:
    """The data of `/query`."""
    if isinstance(value, list):
        vector = [{"metric": labels.as_dict(), "value": _point(at, number)} for labels, number in value]
        return {"resultType": "vector", "result": vector}
    if isinstance(value, Matrix):
        ordered = sorted(value.series, key=lambda points: points.labels.pairs)
        return {"resultType": "matrix", "result": [_series(labels, points) for labels, points in ordered]}
    if isinstance(value, str):
        return {"resultType": "string", "result": [_seconds(at), value]}
    return {"resultType": "scalar", "result": _point(at, value)}


def matrix(found: Mapping[Labels, Sequence[tuple[int, float]]]) -> Json:
    """The data of `/query_range`."""
    ordered = sorted(found.items(), key=lambda item: item[0].pairs)
    return {"resultType": "matrix", "result": [_series(labels, points) for labels, points in ordered]}


def target(scrape: Scrape) -> Json:
    """One entry of `/targets`."""
    described = scrape.target
    return {
        "discoveredLabels": described.discovered_labels,
        "labels": described.all_labels,
        "scrapePool": described.job,
        "scrapeUrl": described.url,
        "globalUrl": described.url,
        "lastError": scrape.last_error,
        "lastScrape": _rfc3339(scrape.last_at),
        "lastScrapeDuration": scrape.last_seconds,
        "health": scrape.health,
        "scrapeInterval": described.discovered_labels["__scrape_interval__"],
        "scrapeTimeout": described.discovered_labels["__scrape_timeout__"],
    }


def _series(labels: Labels, points: Sequence[tuple[int, float]]) -> Json:
    return {"metric": labels.as_dict(), "values": [_point(at, value) for at, value in points]}


def _point(at: int, value: float) -> list[object]:
    return [_seconds(at), written(value)]


def _seconds(at: int) -> float | int:
    return at / 1000 if at % 1000 else at // 1000


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
