"""The adapter behind `bot.ports.Metrics`: looks from differences of raw counters."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.metrics import idleness, objections, queries, traffic
from bot.metrics.connection import Connection, UnansweredError
from bot.metrics.counters import Measured, Window, measured, mirrored, remembered
from bot.metrics.measures import Measures
from bot.metrics.queries import Reporter
from bot.metrics.snapshots import Scrapes, Snapshot, of_reporter, scrapes, snapshots, with_received
from bot.ports import Objection, Subject
from strategies.gates.course import MINUTE, Recorded
from strategies.plan import MetricGate
from strategies.release import Target
from strategies.verdicts import Reading

TIMEOUT = 5
QUERIES = 8  # of one look, whatever is asked and however many releases there are
PROBE_TIMEOUT = 2
PROBE_EVERY = 15.0
FORGOTTEN_AFTER = timedelta(hours=1)
SAME_INSTANT = timedelta(milliseconds=1)
UNSEEN_COPIES = "Mirrored requests are counted by their receivers alone, which SLUICE_REPORTER=source leaves out."
COUNTED_COPIES = (
    "Copies go along beside the shares, and SLUICE_REPORTER=destination counts them among the requests: take the "
    "mirror away, or read both reporters."
)
NO_TIME = timedelta(0)


Timers = Mapping[str, str]
"""The reporter whose durations are read, by service."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """A release's last counters, and the end of its last look: later than they are when that look failed."""

    counters: Snapshot
    looked_at: datetime
    timed_by: str  # the reporter whose durations these are


class PrometheusMetrics:
    """Reads releases from one Prometheus: three queries a look and one per further kind of metric, at most eight.

    `between` is called between two pieces of work of a look, for whoever must not wait for a whole one.
    """

    def __init__(
        self,
        url: str,
        reporter: Reporter = Reporter.BOTH,
        timeout: int = TIMEOUT,
        between: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection = Connection(url, timeout, between)
        self._between = between
        self._measures = Measures(self._connection)
        self._reporter = reporter
        self._kept: dict[str, _Kept] = {}
        self._lock = threading.Lock()
        self._trouble = ""
        self._heard_at = float("-inf")

    def look(self, subjects: Sequence[Subject], at: datetime) -> Mapping[str, Reading]:
        """One reading per release id. Trouble is inside the reading, never raised."""
        if not subjects:
            return {}
        with self._lock:
            before = self._connection.sent
            try:
                now, scraped = self._present(subjects, at, self._timers(subjects))
            except UnansweredError as error:
                self._heard(str(error))
                self._measures.missed(subjects, at)
                return {subject.release: self._failed(subject, at, str(error)) for subject in subjects}
            readings = dict(self._readings(subjects, at, now, scraped))
            self._forget(at)
            return self._measures.read(subjects, readings, at, QUERIES - (self._connection.sent - before))

    def per_hour(self, target: Target, at: datetime) -> float | None:
        """Requests of the service in an hour, by the longest of an hour, five minutes and one that was counted."""
        hosts, reporter = [full_host(target)], self._reporter.of_requests
        try:
            now = self._connection.ask(queries.totals(hosts), at)
            for window in traffic.WINDOWS if now else ():
                then = self._connection.ask(queries.totals(hosts), at - window)
                found = traffic.per_hour(then, now, reporter, window)
                if found is not None:
                    return found
        except UnansweredError as error:
            self._heard(str(error))
        return None

    def objections(
        self, target: Target, gates: Sequence[MetricGate], look: timedelta, at: datetime
    ) -> Sequence[Objection] | None:
        """What stands against the gates' own queries, each asked for the baseline; None when nobody answers."""
        try:
            return objections.found(self._connection, target, gates, look, at)
        except UnansweredError as error:
            self._heard(str(error))
            return None

    def is_idle(
        self, target: Target, version: str, window: timedelta, at: datetime, drain: timedelta = NO_TIME
    ) -> tuple[bool, str]:
        """True with the proof when nothing called `version` in the window while its targets were scraped.

        `drain` is how long no request may have been under way to it either, where proxies export how many are.
        """
        try:
            found = self._idle(target, version, max(window, drain), at, drain)
        except UnansweredError as error:
            self._heard(str(error))
            return False, str(error)
        self._heard("")
        return found

    def _idle(
        self, target: Target, version: str, window: timedelta, at: datetime, drain: timedelta
    ) -> tuple[bool, str]:
        ask, hosts = self._connection.ask, [full_host(target)]
        counter = queries.REQUESTS if target.carries_requests else queries.CONNECTIONS
        accounts = idleness.Accounts(
            start=ask(queries.totals(hosts, counter), at - window),
            end=ask(queries.totals(hosts, counter), at),
            counts=ask(queries.scrape_counts(hosts, window, counter), at),
            scrapes=scrapes(ask(queries.scrapes(hosts, counter), at)),
            since=at - window,
            at=at,
        )
        is_idle, text = idleness.proof(accounts, target, version, self._reporter)
        if not is_idle:
            began = ask(queries.callers(hosts, counter), at - window)
            return False, text + idleness.callers(began, ask(queries.callers(hosts, counter), at), target, version)
        if not target.carries_requests:
            closed = ask(queries.totals(hosts, queries.CLOSED), at)
            return idleness.hung_up(text, accounts.end, closed, target, version)
        if drain <= NO_TIME:
            return True, text
        subset = target.subsets.get(version, version)
        return idleness.drained(text, ask(queries.under_way(hosts[0], subset, drain), at), version, drain)

    def past(
        self, target: Target, gates: Sequence[MetricGate], since: datetime, at: datetime, patience: float = TIMEOUT
    ) -> Recorded:
        """The baseline's minutes from `since` to `at` on the gates' metrics, in a bounded number of queries.

        Looks do not wait for it. Trouble is inside, never raised.
        """
        return self.past_of_several([(target, gates)], since, at, patience)[0]

    def past_of_several(
        self, asked: Sequence[tuple[Target, Sequence[MetricGate]]], since: datetime, at: datetime, patience: float
    ) -> Sequence[Recorded]:
        """The same of the first target and of as many behind it as the same queries can answer."""
        # What it decides with brings scipy, for which a start does not wait.
        from bot.metrics import past, shared_past  # noqa: PLC0415

        whole = datetime.fromtimestamp(int(since.timestamp()), since.tzinfo)
        until = whole + (at - since) // MINUTE * MINUTE
        services = [past.Asked(target, full_host(target), gates, whole, until, patience) for target, gates in asked]
        found = shared_past.read(self._connection, self._reporter, services)
        self._heard(found[0].trouble)
        return found

    def answering(self, target: Target, at: datetime) -> Reporter | None:
        """The reporter whose errors and latency of the service are both there: the asked one, else another.

        None when none has both, or nobody answered.
        """
        host = full_host(target)
        try:
            found = [
                {str(result["metric"].get("reporter")) for result in self._connection.ask(query, at)}
                for query in (queries.reporters(host, queries.REQUESTS), queries.reporters(host, queries.DURATIONS))
            ]
        except UnansweredError as error:
            self._heard(str(error))
            return None
        every = (self._reporter, Reporter.BOTH, Reporter.DESTINATION, Reporter.SOURCE)
        return next((each for each in every if each.of_requests in found[0] and each.of_durations in found[1]), None)

    def troubles(self) -> Sequence[str]:
        """Why Prometheus cannot be relied on now; asks it when nothing else did lately."""
        if time.monotonic() - self._heard_at > PROBE_EVERY:
            try:
                self._connection.ask(queries.PROBE, timeout=PROBE_TIMEOUT)
                self._heard("")
            except UnansweredError as error:
                self._heard(str(error))
        return [self._trouble] if self._trouble else []

    def close(self) -> None:
        """Give the sockets back."""
        self._connection.close()

    def _present(
        self, subjects: Sequence[Subject], at: datetime, timers: Timers
    ) -> tuple[dict[str, Snapshot], Scrapes]:
        now, tcp = self._counters(subjects, at, timers), _hosts(subjects, of_connections=True)
        besides = queries.connection_scrapes(tcp) if tcp else ""
        scraped = scrapes(self._connection.ask(_or(queries.scrapes_by_pod(_hosts(subjects)), besides), at))
        self._heard("")
        return now, scraped

    def _counters(self, subjects: Sequence[Subject], at: datetime, timers: Timers) -> dict[str, Snapshot]:
        hosts, reporter = _hosts(subjects), self._reporter.of_requests
        durations = self._connection.ask(queries.durations_by(_only(timers, subjects)), at)
        keys = _keys(subjects)
        if not any(subject.is_mirrored for subject in subjects):
            query = _or(queries.requests(hosts, reporter), _connections(subjects, reporter))
            return snapshots(keys, at, self._connection.ask(query, at), durations)
        requests = self._connection.ask(_or(queries.both_accounts(hosts), _connections(subjects, "")), at)
        return with_received(snapshots(keys, at, of_reporter(requests, reporter), durations), requests)

    def _timers(self, subjects: Sequence[Subject]) -> Timers:
        """The reporter of durations by service: receivers count the copies beside a share, callers know of none."""
        copied = {full_host(subject.target) for subject in subjects if subject.is_copied}
        return {
            host: "source" if host in copied else self._reporter.of_durations
            for host in {full_host(subject.target) for subject in subjects}
        }

    def _past(self, subjects: Sequence[Subject], at: datetime, timers: Timers) -> dict[str, Snapshot]:
        """The counters at an instant before, in one query."""
        hosts, reporter = _hosts(subjects), self._reporter.of_requests
        is_mirrored = any(subject.is_mirrored for subject in subjects)
        account, keys = "" if is_mirrored else reporter, _keys(subjects)
        query = _or(queries.counters(hosts, account, _only(timers, subjects)), _connections(subjects, account))
        results = self._connection.ask(query, at)
        durations = [result for result in results if "le" in result["metric"]]
        requests = [result for result in results if "le" not in result["metric"]]
        if not is_mirrored:
            return snapshots(keys, at, requests, durations)
        return with_received(snapshots(keys, at, of_reporter(requests, reporter), durations), requests)

    def _readings(
        self, subjects: Sequence[Subject], at: datetime, now: Mapping[str, Snapshot], scraped: Scrapes
    ) -> Iterator[tuple[str, Reading]]:
        timers = self._timers(subjects)
        starts, trouble = self._starts(subjects, at, timers)
        for subject in subjects:
            self._between()
            host, timer = _key(subject.target), timers[full_host(subject.target)]
            then = starts.get(subject.release)
            self._kept[subject.release] = _Kept(remembered(then, now[host]), at, timer)
            if then is None:
                yield subject.release, Reading(at, subject.since, trouble=trouble)
                continue
            window = Window(
                then,
                now[host],
                scraped.of(host, self._reporter.of_requests, then.gone),
                scraped.of(host, timer, then.gone),
                sees_absence=self._reporter.of_requests == "source",
            )
            if subject.is_copied and self._reporter is Reporter.DESTINATION:
                yield subject.release, Reading(at, subject.since, trouble=COUNTED_COPIES)
            elif not subject.is_mirrored:
                yield subject.release, _reading(window, measured(window, subject.target))
            elif self._reporter is Reporter.SOURCE:
                yield subject.release, Reading(at, subject.since, trouble=UNSEEN_COPIES, is_mirrored=True)
            else:
                yield subject.release, _mirrored(window, scraped.of(host, "destination", then.gone), subject.target)

    def _starts(self, subjects: Sequence[Subject], at: datetime, timers: Timers) -> tuple[dict[str, Snapshot], str]:
        """The counters that each look starts from, by release; and why some are missing.

        What is remembered serves only the look that follows directly: another replica may have looked in between.
        """
        starts: dict[str, Snapshot] = {}
        unknown: list[Subject] = []
        for subject in subjects:
            kept = self._kept.get(subject.release)
            # Durations of another reporter are other proxies' counters, and would all seem to have just begun.
            is_same = kept is not None and kept.timed_by == timers[full_host(subject.target)]
            if kept is not None and is_same and _continues(kept, subject):
                starts[subject.release] = kept.counters
            else:
                unknown.append(subject)
        try:
            for instant, group in _past_instants(unknown, at):
                past = self._past(group, instant, timers)
                starts.update({subject.release: past[_key(subject.target)] for subject in group})
        except UnansweredError as error:
            self._heard(str(error))
            return starts, str(error)
        return starts, "The look has no length; the next one has figures."

    def _failed(self, subject: Subject, at: datetime, trouble: str) -> Reading:
        """A look that read nothing: the next one starts where this one did, so that no evidence is lost."""
        kept = self._kept.get(subject.release)
        if kept is not None and abs(kept.looked_at - subject.since) <= SAME_INSTANT:
            self._kept[subject.release] = _Kept(kept.counters, at, kept.timed_by)
        return Reading(at, subject.since, trouble=trouble)

    def _forget(self, at: datetime) -> None:
        old = [release for release, kept in self._kept.items() if at - kept.looked_at > FORGOTTEN_AFTER]
        for release in old:
            del self._kept[release]

    def _heard(self, trouble: str) -> None:
        self._trouble = trouble
        self._heard_at = time.monotonic()


def full_host(target: Target) -> str:
    """The service as Istio's telemetry names it: a host without a dot belongs to its namespace."""
    host = target.host
    return host if "." in host else f"{host}.{target.namespace}.svc.cluster.local"


def _key(target: Target) -> str:
    """Under which name a target's counters are kept: connections of a service are not its requests."""
    return full_host(target) if target.carries_requests else queries.OF_CONNECTIONS + full_host(target)


def _keys(subjects: Sequence[Subject]) -> list[str]:
    return sorted({_key(subject.target) for subject in subjects})


def _hosts(subjects: Sequence[Subject], *, of_connections: bool = False) -> list[str]:
    return sorted({full_host(each.target) for each in subjects if each.target.carries_requests is not of_connections})


def _only(timers: Timers, subjects: Sequence[Subject]) -> Timers:
    return {host: timers[host] for host in _hosts(subjects)}


def _connections(subjects: Sequence[Subject], reporter: str) -> str:
    tcp = _hosts(subjects, of_connections=True)
    return queries.connections(tcp, reporter) if tcp else ""


def _or(query: str, besides: str) -> str:
    return f"{query} or {besides}" if besides else query


def _past_instants(subjects: Sequence[Subject], at: datetime) -> Iterator[tuple[datetime, list[Subject]]]:
    """At most two instants for all looks without a remembered start, never before any look's own start.

    Two queries each keep a restart with a thousand releases within the budget. A look that then starts a little late
    says so in `Reading.since`; one that started early would count requests twice.
    """
    waiting = sorted((subject for subject in subjects if subject.since < at), key=lambda subject: subject.since)
    if not waiting:
        return
    edges = sorted({waiting[(len(waiting) - 1) // 2].since, waiting[-1].since})
    for edge, floor in zip(edges, [None, *edges], strict=False):
        group = [subject for subject in waiting if subject.since <= edge and (floor is None or subject.since > floor)]
        yield edge, group


def _continues(kept: _Kept, subject: Subject) -> bool:
    """What is remembered ends where the look begins, and has all that it needs."""
    is_whole = kept.counters.received is not None or not subject.is_mirrored
    return is_whole and abs(kept.looked_at - subject.since) <= SAME_INSTANT


def _mirrored(callers: Window, scraped: Mapping[str, float], target: Target) -> Reading:
    then, now = callers.then.as_received(), callers.now.as_received()
    receivers = Window(then, now, scraped, callers.durations_scraped, sees_absence=False)
    return replace(_reading(receivers, mirrored(callers, receivers, target)), is_mirrored=True)


def _reading(window: Window, seen: Measured) -> Reading:
    return Reading(
        at=window.now.at,
        since=window.then.at,
        baseline=seen.baseline,
        candidate=seen.candidate,
        unattributed=seen.unattributed,
        trouble=seen.trouble,
        live=seen.live,
        resets=seen.resets,
    )
