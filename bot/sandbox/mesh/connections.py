"""Callers that speak no HTTP: each opens a connection, says that it is done, and waits until the other side is too."""

import asyncio
import contextlib

ANSWER_SECONDS = 5.0


class Connections:
    """Opens `rate` connections a second; `failed` counts those that nobody took or nobody ended."""

    def __init__(self, host: str, port: int, *, rate: float) -> None:
        self._place = (host, port)
        self._pause = 1 / rate
        self._flying: set[asyncio.Task[None]] = set()
        self._pacer: asyncio.Task[None] | None = None
        self.opened = 0
        self.failed = 0

    async def start(self) -> None:
        """Begin to connect."""
        self._pacer = asyncio.create_task(self._pace(), name="connections")

    async def stop(self) -> None:
        """Connect no more; what is open is waited for."""
        if self._pacer is not None:
            self._pacer.cancel()
            await asyncio.gather(self._pacer, return_exceptions=True)
        await asyncio.gather(*self._flying)

    async def _pace(self) -> None:
        while True:
            task = asyncio.create_task(self._connect())
            self._flying.add(task)
            task.add_done_callback(self._flying.discard)
            await asyncio.sleep(self._pause)

    async def _connect(self) -> None:
        self.opened += 1
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(*self._place)
                with contextlib.closing(writer):
                    writer.write_eof()
                    await reader.read()
        except (OSError, TimeoutError):
            self.failed += 1
