"""The scraper: fetches each target's page on its interval and marks as stale what vanished."""

from __future__ import annotations

import asyncio
import time
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiohttp

from bot.sandbox.prometheus.exposition import BadExpositionError, lines, series_labels
from bot.sandbox.prometheus.labels import NAME, Labels
from bot.sandbox.prometheus.samples import STALE, SampleStore, Series
from bot.sandbox.prometheus.targets import Target, Targets, current

if TYPE_CHECKING:
    from collections.abc import Sequence

_ACCEPT = {"Accept": "text/plain;version=0.0.4;q=0.9,*/*;q=0.1"}
_REFRESH = 0.25
_REPORTS = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)


@dataclass(slots=True)
class Scrape:
    """One target: its health and the series its last page had."""

    target: Target
    health: str = "unknown"
    last_error: str = ""
    last_at: float = 0.0
    last_seconds: float = 0.0
    # By the text of the series, so that a known one costs no parsing.
    known: dict[str, Series] = field(default_factory=dict)
    # Series with times of their own are never marked: their end is not ours to say.
    timed: set[str] = field(default_factory=set)


class Scraper:
    """Scrapes targets into a store until closed; targets may come and go meanwhile."""

    def __init__(self, store: SampleStore, targets: Targets) -> None:
        self._store = store
        self._targets = targets
        self._loops: dict[str, tuple[Scrape, asyncio.Task[None]]] = {}
        self._watch: asyncio.Task[None] | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def scrapes(self) -> Sequence[Scrape]:
        """The targets scraped now."""
        return [scrape for scrape, _ in self._loops.values()]

    async def start(self) -> None:
        """Begin scraping; the first pages are fetched at once."""
        self._session = aiohttp.ClientSession(headers=_ACCEPT)
        self._watch = asyncio.create_task(self._follow_targets(self._session))

    async def close(self) -> None:
        """Stop scraping; like Prometheus' own end, this marks nothing as stale."""
        tasks = [task for _, task in self._loops.values()]
        if self._watch is not None:
            tasks.append(self._watch)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        self._loops.clear()
        if self._session is not None:
            await self._session.close()
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _follow_targets(self, session: aiohttp.ClientSession) -> None:
        while True:
            wanted = {repr(target): target for target in current(self._targets)}
            for key in self._loops.keys() - wanted.keys():
                scrape, task = self._loops.pop(key)
                task.cancel()
                self._retire(scrape)
            for key in wanted.keys() - self._loops.keys():
                scrape = Scrape(wanted[key])
                self._loops[key] = scrape, asyncio.create_task(self._repeat(session, scrape))
            self._store.sweep(_now())
            await asyncio.sleep(_REFRESH)

    async def _repeat(self, session: aiohttp.ClientSession, scrape: Scrape) -> None:
        interval = scrape.target.interval
        await scrape_once(session, self._store, scrape)
        # Each target has its own place in the interval, so that not all pages are fetched at once.
        due = time.monotonic() + zlib.crc32(scrape.target.url.encode()) / 2**32 * interval
        while True:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await scrape_once(session, self._store, scrape)
            # The grid is kept, so that a slow page does not shift every later sample.
            due = max(due + interval, time.monotonic())

    def _retire(self, scrape: Scrape) -> None:
        now = _now()
        _mark_stale(scrape, list(scrape.known), now)
        for name in _REPORTS:
            self._store.append(Labels({**scrape.target.all_labels, NAME: name}), now, STALE)


async def scrape_once(session: aiohttp.ClientSession, store: SampleStore, scrape: Scrape) -> None:
    """Fetch one page and keep it; a page that fails or is bad turns `up` to 0 and its series stale."""
    at, started = _now(), time.perf_counter()
    scraped = added = 0
    try:
        page = await _fetched(session, scrape.target)
        scraped, added = _kept(store, scrape, page, at)
        scrape.health, scrape.last_error = "up", ""
    except BadExpositionError as error:
        # Prometheus reports what it had read before the bad line, though it keeps none of it.
        scraped = error.samples
        _fail(scrape, error, at)
    except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError) as error:
        _fail(scrape, error, at)
    scrape.last_at, scrape.last_seconds = at / 1000, time.perf_counter() - started
    figures = (float(scrape.health == "up"), scrape.last_seconds, scraped, scraped, added)
    for name, value in zip(_REPORTS, figures, strict=True):
        store.append(Labels({**scrape.target.all_labels, NAME: name}), at, value)


def _fail(scrape: Scrape, error: Exception, at: int) -> None:
    _mark_stale(scrape, list(scrape.known), at)
    scrape.known.clear()
    scrape.health, scrape.last_error = "down", str(error) or type(error).__name__


async def _fetched(session: aiohttp.ClientSession, target: Target) -> str:
    timeout = aiohttp.ClientTimeout(total=target.interval)
    async with session.get(target.url, timeout=timeout) as answer:
        if answer.status != 200:
            raise BadExpositionError(f"server returned HTTP status {answer.status} {answer.reason}")
        return (await answer.read()).decode()


def _kept(store: SampleStore, scrape: Scrape, page: str, at: int) -> tuple[int, int]:
    """Store a page; gives the number of samples and of series that are new in it."""
    # Read to the end first: a page with one bad line leaves nothing behind.
    samples = [(line, scrape.known.get(line.series)) for line in lines(page)]
    found = [(line, series or store.series(_merged(line.series, scrape.target.all_labels))) for line, series in samples]
    known = {line.series: series for line, series in found}
    added = sum(1 for name in known if name not in scrape.known)
    for line, series in found:
        series.append(at if line.at is None else line.at, line.value)
    _mark_stale(scrape, [name for name in scrape.known if name not in known], at)
    scrape.known = known
    scrape.timed = {line.series for line, _ in found if line.at is not None}
    return len(found), added


def _mark_stale(scrape: Scrape, names: Sequence[str], at: int) -> None:
    for name in names:
        if name not in scrape.timed:
            scrape.known[name].append(at, STALE)


def _merged(series: str, target_labels: dict[str, str]) -> Labels:
    """The page's labels under the target's; a clash keeps the page's own as `exported_...`."""
    merged = dict(series_labels(series))
    for name, value in target_labels.items():
        if merged.get(name):
            merged[f"exported_{name}"] = merged[name]
        merged[name] = value
    return Labels(merged)


def _now() -> int:
    return time.time_ns() // 1_000_000
