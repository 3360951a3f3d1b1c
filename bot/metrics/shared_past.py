"""The days before several services: what is asked by service is asked of all at once, and given out by service."""

import math
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.metrics import past, queries
from bot.metrics.connection import Connection, UnansweredError
from bot.metrics.past import LATELY, Asked, Reader
from bot.metrics.queries import Reporter
from bot.metrics.snapshots import Result
from strategies.gates.course import MINUTE, Recorded
from strategies.plan import Kind, MetricGate

AT_ONCE = 8  # services
SERIES = 200  # of their requests: a day of these is some ten megabytes

Build = Callable[[Sequence[str]], str]
"""The query about these hosts."""


def read(connection: Connection, reporter: Reporter, asked: Sequence[Asked]) -> Sequence[Recorded]:
    """The past of the first service, and of as many behind it as are answered together; all of them of one time."""
    shared = Shared(connection, reporter)
    try:
        together = shared.fitting(asked[:AT_ONCE])
        shared.fetch(together)
    except UnansweredError:
        # Too much for it at once, or away: alone it says which.
        return [past.read(connection, reporter, asked[0])]
    return [past.read(shared, reporter, each) for each in together]


class Shared:
    """Answers from what was fetched for all; asks whatever else is asked."""

    def __init__(self, connection: Connection, reporter: Reporter) -> None:
        self._connection = connection
        self._reporter = reporter
        self._known: dict[tuple[str, datetime | None], list[Result]] = {}

    def ask(self, query: str, at: datetime | None = None, timeout: int | None = None) -> Sequence[Result]:
        """The instant vector."""
        if (query, at) not in self._known:
            self._known[query, at] = list(self._connection.ask(query, at, timeout))
        return self._known[query, at]

    def ask_range(
        self, query: str, since: datetime, until: datetime, step: timedelta, timeout: int | None = None
    ) -> Sequence[Result]:
        """The values at each step."""
        known = self._known.get((query, None))
        return known if known is not None else self._connection.ask_range(query, since, until, step, timeout)

    def fitting(self, asked: Sequence[Asked]) -> Sequence[Asked]:
        """The first, and those behind it that make no more series than are read at once."""
        if len(asked) < 2:
            return asked
        found = self._connection.ask(queries.totals([each.host for each in asked]), asked[0].at)
        fits, series = [asked[0]], 0
        for each in asked:
            series += sum(_host(result) == each.host for result in found)
            if each is not asked[0] and series <= SERIES:
                fits.append(each)
        return fits

    def fetch(self, asked: Sequence[Asked]) -> None:
        """Ask of all what `past.read` asks of each by its host; nothing for one alone."""
        if len(asked) < 2:
            return
        is_told = self._reporter is not Reporter.SOURCE
        for reporter in sorted({self._reporter.of_requests, *(("destination",) if is_told else ())}):
            self._fetch(asked, partial(queries.answered, reporter=reporter))
            self._fetch(asked, partial(queries.failed, reporter=reporter))
        timed = [each for each in asked if _latencies(each)]
        if timed:
            self._fetch_durations(timed)

    def _fetch_durations(self, asked: Sequence[Asked]) -> None:
        reporter, at = self._reporter.of_durations, asked[0].at
        for then in (at, max(at - LATELY * MINUTE, asked[0].since)):
            self._fetch(asked, partial(queries.durations, reporter=reporter), then)
        edges = {each.host: past.edges(Reader(self, each), self._reporter, _latencies(each))[2] for each in asked}
        every = sorted({edge for wanted in edges.values() for edge in wanted})
        whole = self._asked(asked, queries.durations_at([*edges], reporter, every)) if every else ()
        for host, wanted in edges.items():
            own = [each for each in whole if _host(each) == host and each["metric"]["le"] in wanted]
            self._known[queries.durations_at((host,), reporter, wanted), None] = own

    def _fetch(self, asked: Sequence[Asked], build: Build, at: datetime | None = None) -> None:
        own: dict[str, list[Result]] = {each.host: [] for each in asked}
        for result in self._asked(asked, build([*own]), at):
            own[_host(result)].append(result)
        self._known.update({(build((host,)), at): results for host, results in own.items()})

    def _asked(self, asked: Sequence[Asked], query: str, at: datetime | None = None) -> Sequence[Result]:
        first, seconds = asked[0], math.ceil(asked[0].patience)
        if at is not None:
            return self._connection.ask(query, at, seconds)
        return self._connection.ask_range(query, first.since, first.at, MINUTE, seconds)


def _latencies(asked: Asked) -> Sequence[MetricGate]:
    return [gate for gate in asked.gates if gate.measured is Kind.LATENCY]


def _host(result: Result) -> str:
    return str(result["metric"].get("destination_service", ""))
