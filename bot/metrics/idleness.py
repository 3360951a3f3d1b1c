"""The proof that nobody calls a version any more."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.metrics.queries import Reporter
from bot.metrics.snapshots import Result, Scrapes
from strategies.gates.figures import count
from strategies.release import Target

LEAST_SCRAPES = 2

Key = tuple[str, str, str, str]  # reporter, version, workload, instance


@dataclass(frozen=True, slots=True)
class Accounts:
    """What was asked for one service: totals at both ends, scrapes of each series inside, newest scrapes."""

    start: Sequence[Result]
    end: Sequence[Result]
    counts: Sequence[Result]
    scrapes: Scrapes
    since: datetime
    at: datetime


def proof(accounts: Accounts, target: Target, version: str, reporter: Reporter) -> tuple[bool, str]:
    """True when both accounts of `version` stood still while every series was scraped; a sentence either way.

    No series is no proof. A series that came or went inside the window is none either: what happened after its last
    or before its first scrape is not known.
    """
    start, end, counts = (_of(results, target, version) for results in (accounts.start, accounts.end, accounts.counts))
    trouble = _absent(end, version, reporter) or _changing(start, end, counts, version)
    trouble = trouble or _calls(start, end, version) or _unscraped(counts, accounts, target.host, version)
    if trouble:
        return False, trouble
    window = accounts.at - accounts.since
    fewest = min(counts.values())
    return True, (
        f"No request to {version} for {window.total_seconds():,.0f} s: {len(end)} counters of "
        f"{' and '.join(sorted({key[0] for key in end}))} unchanged over at least {fewest:,.0f} scrapes."
    )


def _of(results: Sequence[Result], target: Target, version: str) -> dict[Key, float]:
    by_version = target.version_label == "version"
    label, wanted = (
        ("destination_version", version) if by_version else ("destination_workload", target.workloads.get(version, ""))
    )
    found: dict[Key, float] = {}
    for result in results:
        labels: Mapping[str, str] = result["metric"]
        if wanted and labels.get(label) == wanted:
            names = ("reporter", "destination_version", "destination_workload", "instance")
            reporter, own_version, workload, instance = (labels.get(name, "") for name in names)
            found[reporter, own_version, workload, instance] = float(result["value"][1])
    return found


def _absent(end: Mapping[Key, float], version: str, reporter: Reporter) -> str:
    missing = [name for name in reporter.required if not any(key[0] == name for key in end)]
    if not missing:
        return ""
    return f"No counter of the {' or the '.join(missing)} reporter tells of {version}; no series is no proof."


def _changing(start: Mapping[Key, float], end: Mapping[Key, float], counts: Mapping[Key, float], version: str) -> str:
    """Every series that existed inside the window must stand at both of its ends."""
    every = start.keys() | end.keys() | counts.keys()
    partial = [key for key in every if not (key in start and key in end and key in counts)]
    if not partial:
        return ""
    instances = ", ".join(sorted({key[3] for key in partial})[:3])
    return f"Counters of {version} came or went inside the window ({instances}); not provable yet."


def _calls(start: Mapping[Key, float], end: Mapping[Key, float], version: str) -> str:
    if any(math.isnan(value) for value in (*start.values(), *end.values())):
        return f"A counter of {version} is not a number; not provable."
    calls = {name: 0.0 for name in sorted({key[0] for key in end})}
    for key, value in end.items():
        # A smaller value is a reset: what it shows now was counted since.
        calls[key[0]] += value - start[key] if value >= start[key] else max(value, 1.0)
    if not any(calls.values()):
        return ""
    return f"{version} is still called: {count(max(calls.values()), 'request')} in the window."


def _unscraped(counts: Mapping[Key, float], accounts: Accounts, host: str, version: str) -> str:
    fewest = min(counts.values())
    seconds = (accounts.at - accounts.since).total_seconds()
    if fewest < LEAST_SCRAPES:
        scraped = count(fewest, "time")
        return f"{version} was scraped {scraped} in {seconds:,.0f} s; {LEAST_SCRAPES} are needed for a proof."
    latest = (accounts.since + (accounts.at - accounts.since) / 2).timestamp()
    for reporter, _, _, instance in counts:
        if accounts.scrapes.of(host, reporter).get(instance, 0.0) < latest:
            return f"{instance} was not scraped in the later half of the window; not provable yet."
    return ""
