"""Readings of a Prometheus as the lines of a replay."""

import json
import math
from collections.abc import Iterator, Sequence
from datetime import datetime

from strategies.gates.course import Minutes
from strategies.gates.latency import added
from strategies.verdicts import Arm, Reading

ERRORS, LATENCY = "errors", "latency_p99"
METRICS = (
    {"name": ERRORS, "kind": "counts", "allowed": 0.001, "tolerated": 0.005},
    {"name": LATENCY, "kind": "latency", "quantile": 0.99, "allowed": 0.1, "tolerated": 0.25},
)


def lines(
    release: str, start: datetime, past: Sequence[Reading], looks: Sequence[Reading], errors_before: Minutes = ()
) -> Iterator[bytes]:
    """A config with the baseline's past, then one line per look, `t` in seconds since `start`.

    `errors_before` are the minutes of a longer past than `past`, where they could be read.

    A Prometheus does not tell what was asked of the mesh: the weight is the share measured over all looks.
    """
    histories: dict[str, list[object]] = {ERRORS: [], LATENCY: []}
    for reading in past:
        for name, value in _arm(reading.baseline).items():
            histories[name].append(value)
    longer = [list(minute) for minute in errors_before if minute is not None]
    if len(longer) >= len(histories[ERRORS]):
        histories[ERRORS] = [*longer]
    yield _line({"release": release, "config": {"metrics": METRICS, "history": histories}})
    weight = round(100 * share(looks), 1)
    for reading in looks:
        t = round((reading.at - start).total_seconds(), 3)
        arms = {"baseline": _arm(reading.baseline), "candidate": _arm(reading.candidate)}
        yield _line({"release": release, "t": t, "weight": weight, **arms})


def share(looks: Sequence[Reading]) -> float:
    """The candidate's share of all requests, 0 to 1; 0 without any."""
    ours = sum(reading.candidate.requests or 0.0 for reading in looks)
    theirs = sum(reading.baseline.requests or 0.0 for reading in looks)
    return ours / (ours + theirs) if ours + theirs else 0.0


def _arm(arm: Arm) -> dict[str, object]:
    counts = None
    if arm.requests is not None and arm.errors is not None:
        requests = round(arm.requests)
        counts = [requests, min(round(arm.errors), requests)]
    return {ERRORS: counts, LATENCY: _histogram(arm) if arm.buckets else None}


def _histogram(arm: Arm) -> dict[str, object] | None:
    # Scrapes of several proxies are not one instant, so that a count may seem to fall.
    buckets = added(arm.buckets, {})
    if math.inf not in buckets:
        return None
    counts, most = [], 0
    for edge in sorted(buckets):
        most = max(most, round(buckets[edge]))
        counts.append(most)
    return {"le": [edge if math.isfinite(edge) else "+Inf" for edge in sorted(buckets)], "counts": counts}


def _line(value: object) -> bytes:
    return json.dumps(value).encode()
