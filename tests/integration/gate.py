"""A gate on loopback in front of one server: shut, the server is unreachable at this address."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit


class Gate:
    """Passes bytes on as they are, so that TLS goes through; born shut."""

    def __init__(self, server_url: str) -> None:
        self._server = urlsplit(server_url)
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._port = 0
        self._flowing = asyncio.Event()
        self._flowing.set()

    @property
    def url(self) -> str:
        """Where callers knock; only once it has been open."""
        return f"{self._server.scheme}://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Let callers through, at the same address as before."""
        if self._listener is not None:
            return
        self._listener = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = self._listener.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Cut what is open and refuse new callers."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def stall(self) -> None:
        """Keep every connection and pass nothing on, as a network does that swallows packets."""
        self._flowing.clear()

    async def flow(self) -> None:
        """Pass on again, what was held back first."""
        self._flowing.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self._server.hostname, self._server.port)
        ends = {writer, far_writer}
        self._open |= ends
        try:
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))
        finally:
            self._open -= ends
            for each in ends:
                each.close()
                with contextlib.suppress(OSError):
                    await each.wait_closed()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await source.read(65_536):
                await self._flowing.wait()
                sink.write(chunk)
                await sink.drain()
        sink.transport.close()
