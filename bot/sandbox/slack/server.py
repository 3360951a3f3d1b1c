"""The listening socket, which can be taken away and given back."""

import asyncio

from aiohttp import web


class Server:
    """Serves one application at one address."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._address = ("", 0)
        self._absence: asyncio.Task[None] | None = None

    async def start(self, application: web.Application, host: str, port: int) -> str:
        """Serve; the base address, with the port that was free."""
        # A page that stops following must not leave its handler waiting for the next change.
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, host, port)
        await self._site.start()
        self._address = (host, self._site.port)
        return f"http://{host}:{self._site.port}"

    async def stop(self) -> None:
        """Stop serving."""
        if self._absence is not None:
            self._absence.cancel()
            await asyncio.gather(self._absence, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()

    async def refuse(self) -> None:
        """Close the listening socket and cut every connection."""
        if self._runner is None or self._site is None:
            return
        await self._site.stop()
        self._site = None
        server = self._runner.server
        for connection in list(server.connections) if server is not None else []:
            if connection.transport is not None:
                connection.transport.abort()

    async def accept(self) -> None:
        """Listen again at the same address."""
        if self._runner is None or self._site is not None:
            return
        self._site = web.TCPSite(self._runner, *self._address)
        await self._site.start()

    def refuse_for(self, seconds: float) -> None:
        """Refuse for a while, beginning as soon as the caller has its answer."""

        async def absence() -> None:
            await asyncio.sleep(0.05)
            await self.refuse()
            await asyncio.sleep(seconds)
            await self.accept()

        self._absence = asyncio.get_running_loop().create_task(absence())
