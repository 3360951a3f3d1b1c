"""The proof that nobody calls a version any more."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.metrics.queries import UNDER_WAY, Reporter
from bot.metrics.snapshots import Result, Scrapes
from strategies.gates.figures import count
from strategies.release import Target

LEAST_SCRAPES = 2
NAMED = 3  # callers in one sentence

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
    trouble = trouble or _calls(start, end, target, version) or _unscraped(counts, accounts, target.host, version)
    if trouble:
        return False, trouble
    window = accounts.at - accounts.since
    fewest = min(counts.values())
    return True, (
        f"No {target.counted} to {version} for {window.total_seconds():,.0f} s: {len(end)} counters of "
        f"{' and '.join(sorted({key[0] for key in end}))} unchanged over at least {fewest:,.0f} scrapes."
    )


def callers(start: Sequence[Result], end: Sequence[Result], target: Target, version: str) -> str:
    """Who called `version` between the two accounts, the busiest first, as a sentence; empty when none is known."""
    before, calls = _by_caller(start, target, version), dict[str, float]()
    for (caller, reporter), value in _by_caller(end, target, version).items():
        known = before.get((caller, reporter), 0.0)
        calls[caller] = max(calls.get(caller, 0.0), value - known if value >= known else value)
    busiest = sorted(((each, name) for name, each in calls.items() if each > 0), reverse=True)
    if not busiest:
        return ""
    named = ", ".join(f"{name} ({count(each, target.counted)})" for each, name in busiest[:NAMED])
    more = f" and {len(busiest) - NAMED} more" if len(busiest) > NAMED else ""
    return f" Its callers: {named}{more}."


def drained(text: str, under_way: Sequence[Result], version: str, drain: timedelta) -> tuple[bool, str]:
    """The proof `text` with what proxies tell of requests that began earlier and have not ended."""
    seconds = f"{drain.total_seconds():,.0f} s"
    most = sum(float(result["value"][1]) for result in under_way)
    if most > 0 or math.isnan(most):
        still = count(most, "request") if most > 0 else "an unknown number of requests"
        return False, f"{version} is still draining: {still} under way within the last {seconds}."
    if under_way:
        return True, f"{text} No request was under way for {seconds}."
    return True, f"{text} Requests that began earlier and never ended would not show: no proxy exports {UNDER_WAY}."


def hung_up(
    text: str, opened: Sequence[Result], closed: Sequence[Result], target: Target, version: str
) -> tuple[bool, str]:
    """The proof `text` once every connection that was opened to `version` is closed again, by whoever counted it."""
    ended = _of(closed, target, version)
    left = {key: value - ended.get(key, 0.0) for key, value in _of(opened, target, version).items()}
    still = max((each for each in left.values() if each > 0), default=0.0)
    if still:
        return False, f"{version} still has {count(still, 'open connection')}."
    return True, f"{text} None is open."


def _by_caller(results: Sequence[Result], target: Target, version: str) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for result in results:
        labels: Mapping[str, str] = result["metric"]
        if _is_of(labels, target, version):
            name, home = labels.get("source_workload", ""), labels.get("source_workload_namespace", "")
            caller = f"{name} in {home}" if home else name
            key = (caller or "a caller without a name", labels.get("reporter", ""))
            found[key] = found.get(key, 0.0) + float(result["value"][1])
    return found


def _is_of(labels: Mapping[str, str], target: Target, version: str) -> bool:
    if target.version_label == "version":
        return labels.get("destination_version") == version
    workload = target.workloads.get(version, "")
    return bool(workload) and labels.get("destination_workload") == workload


def _of(results: Sequence[Result], target: Target, version: str) -> dict[Key, float]:
    found: dict[Key, float] = {}
    for result in results:
        labels: Mapping[str, str] = result["metric"]
        if _is_of(labels, target, version):
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


def _calls(start: Mapping[Key, float], end: Mapping[Key, float], target: Target, version: str) -> str:
    if any(math.isnan(value) for value in (*start.values(), *end.values())):
        return f"A counter of {version} is not a number; not provable."
    calls = {name: 0.0 for name in sorted({key[0] for key in end})}
    for key, value in end.items():
        # A smaller value is a reset: what it shows now was counted since.
        calls[key[0]] += value - start[key] if value >= start[key] else max(value, 1.0)
    if not any(calls.values()):
        return ""
    return f"{version} is still called: {count(max(calls.values()), target.counted)} in the window."


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
