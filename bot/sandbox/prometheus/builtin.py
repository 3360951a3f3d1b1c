"""The stand-in: scraper, store and API in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.sandbox.prometheus.application import Api
from bot.sandbox.prometheus.samples import SampleStore
from bot.sandbox.prometheus.scraper import Scraper

if TYPE_CHECKING:
    from bot.sandbox.prometheus.targets import Targets

RETENTION_MS = 3_600_000


class BuiltinPrometheus:
    """Prometheus' API over a PromQL subset, fed by scraping the given targets."""

    stand_in: str | None = "Prometheus (built-in evaluator)"

    def __init__(self, targets: Targets = (), *, port: int = 0, retention_ms: int = RETENTION_MS) -> None:
        self.store = SampleStore(retention_ms)
        self._scraper = Scraper(self.store, targets)
        self._port = port
        self._runner: web.AppRunner | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """Where it listens; only once started."""
        if self._url is None:
            raise RuntimeError("the built-in Prometheus is not started")
        return self._url

    def application(self) -> web.Application:
        """The HTTP API alone, for a server of one's own."""
        return Api(self.store, lambda: self._scraper.scrapes).application()

    async def start_scraping(self) -> None:
        """Fetch every target now and then on its interval."""
        await self._scraper.start()

    async def stop_scraping(self) -> None:
        """Fetch nothing more; what was kept stays."""
        await self._scraper.close()

    async def start(self) -> None:
        """Serve on loopback and scrape."""
        self._runner = web.AppRunner(self.application(), access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._url = f"http://{host}:{port}"
        await self.start_scraping()

    async def stop(self) -> None:
        """Stop both."""
        await self.stop_scraping()
        if self._runner is not None:
            await self._runner.cleanup()
