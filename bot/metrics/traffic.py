"""How many requests a service gets, from two readings of its raw counters."""

import math
from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot.metrics.snapshots import Result

# The longest that was counted wins: an hour's average is better than a minute's burst.
WINDOWS = (timedelta(hours=1), timedelta(minutes=5), timedelta(minutes=1))

Key = tuple[str, str, str]


def per_hour(then: Sequence[Result], now: Sequence[Result], reporter: str, window: timedelta) -> float | None:
    """Requests in an hour at the pace of the window; None when its start is not known.

    A counter that fell was reset, one that appeared is a new pod's: both count what they show.
    """
    before, after = _totals(then, reporter), _totals(now, reporter)
    if not before or not after:
        return None
    grown = math.fsum(
        value - before[key] if key in before and value >= before[key] else value for key, value in after.items()
    )
    return None if math.isnan(grown) else grown * (timedelta(hours=1) / window)


def _totals(results: Sequence[Result], reporter: str) -> Mapping[Key, float]:
    names = ("destination_version", "destination_workload", "instance")
    found: dict[Key, float] = {}
    for result in results:
        labels: Mapping[str, str] = result["metric"]
        if labels.get("reporter") == reporter:
            version, workload, instance = (labels.get(name, "") for name in names)
            found[version, workload, instance] = float(result["value"][1])
    return found
