"""One aiohttp application on one loopback address."""

import socket

from aiohttp import web

from bot.sandbox.ports import HOST

STOP_SECONDS = 0.3


class WebServer:
    """Serves an application until stopped; requests that never end are cut."""

    def __init__(self, application: web.Application) -> None:
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=STOP_SECONDS
        )
        self.url = ""

    async def start(self, bound: socket.socket | None = None) -> str:
        """Listen on a socket, or on a free port; the base address."""
        await self._runner.setup()
        site: web.BaseSite
        site = web.SockSite(self._runner, bound) if bound is not None else web.TCPSite(self._runner, HOST, 0)
        await site.start()
        self.url = f"http://{HOST}:{self._runner.addresses[0][1]}"
        return self.url

    async def stop(self) -> None:
        """Stop listening and end what is being answered."""
        await self._runner.cleanup()
