"""Calls that a version makes to others, as its own proxies count them."""

import math
from collections.abc import Hashable, Sequence

from bot.metrics import queries
from bot.metrics.connection import Connection
from bot.metrics.counters import is_error
from bot.metrics.gathered import FROM_NEXT, Gathered, asked
from bot.metrics.growth import Starts
from bot.metrics.snapshots import Answer, Result, answer

OUTGOING = "outgoing_errors"


class Callers:
    """One query for all releases; remembers the counters of the look before."""

    def __init__(self, connection: Connection, starts: Starts) -> None:
        self._connection = connection
        self._starts = starts

    def read(self, looks: Sequence[Gathered]) -> None:
        """Put calls and failed calls of both versions into each look."""
        results, known = asked(self._connection, queries.calls, looks, (OUTGOING,), self._starts)
        callers = _callers(results)
        for look in known:
            for arm, (version, place) in enumerate(zip(look.versions, look.workloads(), strict=True)):
                self._see(look, arm, version, callers.get(place, {}))

    def _see(self, look: Gathered, arm: int, version: str, now: dict[Answer, float]) -> None:
        part = (look.subject.release, OUTGOING, version)
        grown = self._starts.take(part, look.subject.since, look.at, now, _instance)
        if not now:
            look.trouble(OUTGOING, f"Prometheus knows of no calls that {version} makes to others.")
        elif grown is None:
            look.trouble(OUTGOING, FROM_NEXT.format(OUTGOING))
        else:
            bad = math.fsum(more for key, more in grown.items() if is_error(key))
            look.counts[arm][OUTGOING] = (math.fsum(grown.values()), bad)


def _callers(results: Sequence[Result]) -> dict[tuple[str, str], dict[Answer, float]]:
    """Counters by workload, of one instance of each pod: two jobs that scrape it tell the same calls."""
    found: dict[tuple[str, str], dict[str, dict[str, dict[Answer, float]]]] = {}
    for result in results:
        labels = result["metric"]
        key = answer(labels)
        workload = (labels.get("source_workload_namespace", ""), labels.get("source_workload", ""))
        pods = found.setdefault(workload, {}).setdefault(labels.get("pod") or labels.get("instance", ""), {})
        pods.setdefault(key.source.instance, {})[key] = float(result["value"][1])
    return {
        workload: {key: value for twins in pods.values() for key, value in twins[min(twins)].items()}
        for workload, pods in found.items()
    }


def _instance(key: Hashable) -> str:
    return key.source.instance if isinstance(key, Answer) else ""
